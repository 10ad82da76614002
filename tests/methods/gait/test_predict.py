"""Answers for people's own gaits."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from jack_ray.contract.errors import DataError
from jack_ray.methods.gait.bvh import KNOWN_AS
from jack_ray.methods.gait.predict import SHOWN_FRAMES, Predictor
from jack_ray.methods.gait.skeleton import INDEX, JOINTS
from jack_ray.methods.roles import Sample
from tests.methods.gait.sample_config import data_config, model_config

FloatArray = NDArray[np.floating[Any]]

LABELS = ("Happy", "Sad", "Angry", "Neutral")


def predictor(several: bool = False, **changes: Any) -> Predictor:
    return Predictor(model_config(multi_label=several), data_config("/", **changes), LABELS)


def save(path: Path, frames: int = 60) -> FloatArray:
    joints = np.random.default_rng(0).standard_normal((frames, 16, 3))
    np.save(path, joints)
    return joints


def test_a_file_is_itself_and_a_folder_is_all_gaits_below_it(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    save(tmp_path / "a" / "2.npy")
    (tmp_path / "1.bvh").touch()
    (tmp_path / "notes.txt").touch()
    assert predictor().find(tmp_path / "a" / "2.npy") == [tmp_path / "a" / "2.npy"]
    assert predictor().find(tmp_path) == [tmp_path / "1.bvh", tmp_path / "a" / "2.npy"]


def test_a_data_set_is_no_gait(tmp_path: Path) -> None:
    save(tmp_path / "test_joint.npy")
    with pytest.raises(DataError, match=r"python -m jack_ray\.test run=RUN data\.root=FOLDER"):
        predictor().find(tmp_path)


@pytest.mark.parametrize(("name", "message"), [("", "no gaits in it"), ("x.mp4", "no gait;"), ("none", "no such file")])
def test_an_input_without_gaits_is_told(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "x.mp4").touch()
    with pytest.raises(DataError, match=message):
        predictor().find(tmp_path / name)


def test_people_say_how_their_files_are_to_be_treated(tmp_path: Path) -> None:
    joints = save(tmp_path / "a.npy")
    sample = predictor(own_every=2, own_scale=0.5).read(tmp_path / "a.npy")
    expected = (joints - joints[:, :1])[::2] / 2
    assert sample["posture"][:, :30].transpose(1, 2, 0) == pytest.approx(expected, abs=1e-5)
    kept = predictor(own_centre=False).read(tmp_path / "a.npy")
    assert kept["posture"][:, 0, 0] == pytest.approx(joints[0, 0], abs=1e-6)
    turned = predictor(joint_order="left_first", own_centre=False).read(tmp_path / "a.npy")
    assert turned["posture"][:, 0, 4] == pytest.approx(joints[0, 7], abs=1e-6)


def test_nothing_but_the_model_is_needed() -> None:
    assert predictor().networks() == []


def test_too_few_frames_are_told(tmp_path: Path) -> None:
    save(tmp_path / "a.npy", 6)
    with pytest.raises(DataError, match=r"a\.npy: 2 frames are left; expected at least 3 frames"):
        predictor(own_every=3).read(tmp_path / "a.npy")


@pytest.mark.parametrize("several", [False, True])
def test_an_answer_has_the_class_its_probabilities_and_what_each_joint_adds(tmp_path: Path, several: bool) -> None:
    save(tmp_path / "a.npy")
    mine = predictor(several)
    sample = mine.read(tmp_path / "a.npy")
    (batch,) = mine.collate([sample, sample])
    logits = np.array([[0, 1, 0, 0], [3, 0, 0, 0.0]])
    joints = np.arange(2 * 16 * 4).reshape(2, 16, 4) / 100
    answers = json.loads(json.dumps(mine.answers({"logits": logits, "joints": joints}, batch)))
    assert [answer["label"] for answer in answers] == ["Sad", "Happy"]
    total = sum(answers[0]["probabilities"].values())
    assert total == pytest.approx(1.0 if not several else 1.5 + 1 / (1 + np.exp(-1)))
    assert answers[0]["joints"] == dict(zip(JOINTS, joints[0, :, 1].tolist(), strict=True))
    mine.draw(answers[0], sample, tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 1000


@pytest.mark.parametrize("shape", ["(1000000000, 16, 3)", "(-5, 16, 3)", f"({2**62}, 16, 3)", "'many'"])
def test_an_array_that_claims_what_it_has_not_is_told_before_memory_is_taken(tmp_path: Path, shape: str) -> None:
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    path = tmp_path / "walk.npy"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode() + bytes(7680))
    with pytest.raises(DataError, match=r"walk\.npy: cut short or damaged"):
        predictor().read(path)


def by_hand(samples: Iterable[Sample]) -> Iterator[dict[str, Any]]:
    """An answer that tells the samples apart."""
    for sample in samples:
        yield {"probabilities": {"Happy": float(sample["posture"].sum())}}


def test_each_window_of_frames_is_a_gait_of_its_own(tmp_path: Path) -> None:
    joints = save(tmp_path / "a.npy", 100)
    mine = predictor()
    found = mine.over_time(tmp_path / "a.npy", {}, by_hand, 1.0)  # 30 frames a second where the file does not tell
    assert [(one["start_s"], one["end_s"]) for one in found["timeline"]] == [(0, 1), (1, 2), (2, 100 / 30)]
    for one, frames in zip(found["timeline"], (joints[:30], joints[30:60], joints[60:]), strict=True):
        np.save(tmp_path / "b.npy", frames)
        assert one["probabilities"]["Happy"] == float(mine.read(tmp_path / "b.npy")["posture"].sum())
    with pytest.raises(DataError, match=r"window_s: 0\.1 s, less than 6 frames of a\.npy; expected at least 0\.2"):
        mine.over_time(tmp_path / "a.npy", {}, by_hand, 0.1)


def test_a_skeleton_has_the_joints_as_they_move_but_no_more_frames_than_can_be_shown(tmp_path: Path) -> None:
    joints = save(tmp_path / "a.npy", SHOWN_FRAMES * 2)
    skeleton = predictor().over_time(tmp_path / "a.npy", {"probabilities": {}}, by_hand, 1e9)["skeleton"]
    assert np.asarray(skeleton["frames"]) == pytest.approx((joints - joints[:, :1])[::2], abs=1e-3)
    assert len(skeleton["edges"]) == 15
    assert [INDEX["left_hand"], INDEX["left_elbow"]] in skeleton["edges"]
    assert skeleton["rate"] is None


def test_the_rate_of_a_recording_is_that_of_the_frames_that_are_taken(tmp_path: Path) -> None:
    (tmp_path / "a.bvh").write_text(sixteen_joints(100, 0.01))
    mine = predictor(own_every=2)
    (batch,) = mine.collate([mine.read(tmp_path / "a.bvh")])
    (answer,) = mine.answers({"logits": np.zeros((1, 4)), "joints": np.zeros((1, 16, 4))}, batch)
    assert answer["duration_s"] == pytest.approx(1.0)
    found = mine.over_time(tmp_path / "a.bvh", answer, by_hand, 0.5)
    assert [one["end_s"] for one in found["timeline"]] == pytest.approx([0.5, 1.0])
    assert found["skeleton"]["rate"] == pytest.approx(50)
    with pytest.raises(DataError, match=r"a\.bvh: 1 s long; expected at most 0\.5 s"):
        mine.read(tmp_path / "a.bvh", max_s=0.5)


def sixteen_joints(frames: int, frame_s: float) -> str:
    """A chain of the joints, which turns."""
    opened = "".join(
        f"{'ROOT' if joint == 'root' else 'JOINT'} {KNOWN_AS[joint][0].format('')}\n{{\nOFFSET 0 1 0\n"
        "CHANNELS 3 Zrotation Xrotation Yrotation\n"
        for joint in JOINTS
    )
    motion = "\n".join(" ".join([str(frame % 7)] * 48) for frame in range(frames))
    return f"HIERARCHY\n{opened}" + "}\n" * 16 + f"MOTION\nFrames: {frames}\nFrame Time: {frame_s}\n{motion}\n"


def test_a_header_that_promises_more_than_the_file_holds_costs_no_memory(tmp_path: Path) -> None:
    save(tmp_path / "a.npy", 60)
    content = (tmp_path / "a.npy").read_bytes()
    (tmp_path / "a.npy").write_bytes(content.replace(b"(60, 16, 3), }       ", b"(6000000000, 16, 3), "))
    with pytest.raises(DataError, match=r"a\.npy: cut short or damaged"):
        predictor().read(tmp_path / "a.npy")
