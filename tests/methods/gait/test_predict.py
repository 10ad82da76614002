"""Answers for people's own gaits."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from jack_ray.contract.errors import DataError
from jack_ray.methods.gait.predict import Predictor
from jack_ray.methods.gait.skeleton import JOINTS
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
