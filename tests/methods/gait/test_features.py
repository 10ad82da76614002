"""Streams and affective features, against hand-worked cases."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from jack_ray.methods.gait.features import (
    ANGLES,
    AREAS,
    DISTANCES,
    NUM_FEATURES,
    affective,
    describe,
    fit,
    height,
    movement,
)
from jack_ray.methods.gait.skeleton import BONES, INDEX, JOINTS, LEFT_FIRST, adjacency, reordered

FloatArray = NDArray[np.floating[Any]]


def standing(frames: int = 1) -> FloatArray:
    """A cross of known lengths, y up."""
    places = {
        "root": (0, 0, 0), "spine": (0, 1, 0), "neck": (0, 2, 0), "head": (0, 3, 0),
        "right_shoulder": (-1, 2, 0), "right_elbow": (-1, 1, 0), "right_hand": (-2, 1, 0),
        "left_shoulder": (1, 2, 0), "left_elbow": (1, 1, 0), "left_hand": (1, 0, 0),
        "right_hip": (-1, 0, 0), "right_knee": (-1, -1, 0), "right_foot": (-1, -2, 0),
        "left_hip": (1, 0, 0), "left_knee": (1, -1, 0), "left_foot": (1, -1, 1),
    }  # fmt: skip
    return np.tile(np.array([places[name] for name in JOINTS], float), (frames, 1, 1))


def feature(kind: str, *points: str) -> float:
    tables = {"angle": (0, ANGLES), "distance": (14, DISTANCES), "area": (23, AREAS)}
    start, table = tables[kind]
    return float(affective(standing())[0, start + list(table).index(points)])


def test_there_are_31_features() -> None:
    assert (len(ANGLES), len(DISTANCES), len(AREAS), NUM_FEATURES) == (14, 9, 8, 31)
    assert affective(standing(5)).shape == (5, 31)


@pytest.mark.parametrize(
    ("kind", "points", "value"),
    [
        ("angle", ("left_shoulder", "neck", "right_shoulder"), np.pi),
        ("angle", ("right_shoulder", "right_elbow", "right_hand"), np.pi / 2),
        ("angle", ("left_shoulder", "left_elbow", "left_hand"), np.pi),
        ("angle", ("neck", "spine", "root"), np.pi),
        ("angle", ("root", "right_hip", "right_knee"), np.pi / 2),
        ("angle", ("left_hip", "left_knee", "left_foot"), np.pi / 2),
        ("angle", ("head", "root", "up"), 0),
        ("distance", ("right_hand", "root"), np.sqrt(5)),
        ("distance", ("right_foot", "left_foot"), np.sqrt(4 + 1 + 1)),
        ("area", ("left_shoulder", "neck", "right_shoulder"), 0),
        ("area", ("left_foot", "root", "right_foot"), np.sqrt(14) / 2),
        ("area", ("left_hip", "neck", "right_hip"), 2),
    ],
)
def test_features_are_those_worked_out_by_hand(kind: str, points: tuple[str, ...], value: float) -> None:
    assert feature(kind, *points) == pytest.approx(value, abs=1e-7)


def test_an_angle_without_sides_is_zero_and_not_nan() -> None:
    assert np.isfinite(affective(np.zeros((2, 16, 3)))).all()


def test_movement_is_differences_with_their_norms() -> None:
    joints = np.zeros((4, 16, 3))
    joints[:, 5, 0] = [0, 3, 3, 4]
    joints[:, 5, 1] = [0, 4, 4, 4]
    found = movement(joints)[:, :, 5].T
    assert found.tolist() == [
        [0, 0, 0, 0, 0, 0, 0, 0],
        [3, 4, 0, 5, 0, 0, 0, 0],
        [0, 0, 0, 0, -3, -4, 0, 5],
        [1, 0, 0, 1, 1, 0, 0, 1],
    ]


def test_a_long_gait_gives_every_fifth_frame_and_a_middling_one_its_first() -> None:
    frames = np.arange(240.0)[:, None, None] * np.ones((1, 16, 3))
    assert fit(frames, 48, 240)[:, 0, 0].tolist() == list(range(0, 240, 5))
    assert fit(frames[:75], 48, 240)[:, 0, 0].tolist() == list(range(48))


def test_a_short_gait_is_followed_by_zeros_in_everything() -> None:
    gait = describe(standing(20) + 1, 48, 240)
    assert (gait.posture.shape, gait.movement.shape, gait.affective.shape) == ((3, 48, 16), (8, 48, 16), (1488,))
    assert gait.posture[:, 19].any()
    assert not gait.posture[:, 20:].any()
    assert not gait.movement[:, 20:].any()  # no jump to zero either
    assert not gait.affective.reshape(31, 48)[:, 20:].any()


def test_the_height_is_from_the_lower_foot_to_the_head() -> None:
    assert height(standing(3)) == pytest.approx(5)


def test_files_with_the_left_side_first_are_turned_round() -> None:
    names = np.array([[[LEFT_FIRST.index(name)] * 3 for name in LEFT_FIRST]], float)
    found = reordered(names, "left_first")[0, :, 0]
    assert [LEFT_FIRST[int(index)] for index in found] == list(JOINTS)
    assert (reordered(names, "right_first") == names).all()


def test_the_two_orders_are_those_of_bpm_gcn_and_e_gait() -> None:
    assert (JOINTS[4], JOINTS[9], JOINTS[10], JOINTS[15]) == ("right_shoulder", "left_hand", "right_hip", "left_foot")
    assert (LEFT_FIRST[4], LEFT_FIRST[9], LEFT_FIRST[10]) == ("left_shoulder", "right_hand", "left_hip")
    assert sorted(JOINTS) == sorted(LEFT_FIRST)


def test_the_graphs_are_those_of_the_paper() -> None:
    itself, inward, outward = adjacency()
    assert (itself == np.eye(16)).all()
    edges = "(9,8)(8,7)(7,2)(3,2)(4,2)(5,4)(6,5)(2,1)(1,0)(13,0)(10,0)(15,14)(14,13)(12,11)(11,10)"
    pairs = [tuple(int(number) for number in edge.split(",")) for edge in edges.strip("()").split(")(")]
    assert sorted((INDEX[child], INDEX[parent]) for child, parent in BONES) == sorted(pairs)
    assert {(int(row), int(column)) for row, column in np.argwhere(inward == 1)} == {(p, c) for c, p in pairs}
    assert outward[3, 2] == outward[10, 0] == pytest.approx(1 / 3)
    assert outward[9, 8] == 1
    assert outward.sum(0)[[0, 1, 2]].tolist() == pytest.approx([1, 1, 1])
