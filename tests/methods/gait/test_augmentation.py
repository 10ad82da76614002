"""Random moves, against a plain formula frame by frame."""

import numpy as np
import pytest

from jack_ray.methods.gait.augmentation import Moves, choose, move

STREAM = np.random.default_rng(0).standard_normal((8, 48, 16)).astype(np.float32)
PUBLISHED = Moves((-10, -5, 0, 5, 10), (0.9, 1, 1.1), (-0.2, -0.1, 0, 0.1, 0.2))


def test_a_move_turns_scales_and_shifts_x_and_y_in_every_frame() -> None:
    moved = move(STREAM, Moves((90,), (2,), (0.5,)), np.random.default_rng(1))
    assert moved[0] == pytest.approx(-2 * STREAM[1] + 0.5, abs=1e-5)
    assert moved[1] == pytest.approx(2 * STREAM[0] + 0.5, abs=1e-5)
    assert (moved[2:] == STREAM[2:]).all()


def test_a_move_goes_evenly_from_its_start_to_its_end() -> None:
    ones = np.ones((3, 48, 16), np.float32)
    for seed in range(20):
        moved = move(ones, Moves((0,), (1, 3), (0,)), np.random.default_rng(seed))
        steps = np.diff(moved[0, :, 0])
        assert steps == pytest.approx(np.full(47, steps[0]), abs=1e-5)
        assert {round(float(moved[0, 0, 0])), round(float(moved[0, -1, 0]))} <= {1, 3}


def test_velocities_can_be_left_unshifted() -> None:
    still = np.zeros((8, 48, 16), np.float32)
    moves = Moves((0,), (1,), (0.2,))
    assert move(still, moves, np.random.default_rng(0))[0] == pytest.approx(0.2)
    assert not move(still, moves, np.random.default_rng(0), shift=False).any()


def test_a_move_is_drawn_from_its_seed_alone_and_leaves_its_input() -> None:
    before = STREAM.copy()
    first, second = (move(STREAM, PUBLISHED, np.random.default_rng(7)) for _ in range(2))
    assert (first == second).all()
    assert (before == STREAM).all()
    assert (move(STREAM, PUBLISHED, np.random.default_rng(8)) != first).any()


def test_frames_are_chosen_only_where_there_are_more_or_fewer() -> None:
    generator = np.random.default_rng(0)
    assert choose(STREAM, 48, generator) is STREAM
    starts = set()
    for _ in range(60):
        window = choose(STREAM, 40, generator)
        starts.add(int(np.flatnonzero(STREAM[0, :, 0] == window[0, 0, 0])[0]))
        padded = choose(STREAM[:, :40], 48, generator)
        assert np.count_nonzero(padded[0, :, 0]) == 40
    assert starts == set(range(9))
    assert (choose(STREAM, 40, None) == STREAM[:, :40]).all()
    assert not choose(STREAM[:, :40], 48, None)[:, 40:].any()
