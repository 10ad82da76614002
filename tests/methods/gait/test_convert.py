"""From people's files to BPM-GCN's arrays, by the options of the command."""

import argparse
import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from jack_ray.contract.errors import ConfigError, DataError
from jack_ray.data import gait
from jack_ray.methods.gait.data import Data
from jack_ray.methods.gait.files import inspect
from tests.methods.gait.sample_config import data_config, model_config

FloatArray = NDArray[np.floating[Any]]

CLASSES = ("Happy", "Sad", "Angry", "Neutral")


def run(*words: object) -> str:
    parser = argparse.ArgumentParser()
    gait.add_options(parser)
    return gait.run(parser.parse_args([str(word) for word in words]))


def told(*words: object) -> str:
    with pytest.raises((ConfigError, DataError)) as caught:
        run(*words)
    return str(caught.value)


def walk(seed: int, frames: int = 30) -> FloatArray:
    joints = np.random.default_rng(seed).standard_normal((frames, 16, 3))
    joints[:, 3, 1] += 2
    return joints


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Class folders with five arrays each."""
    root = tmp_path / "gaits"
    for place, label in enumerate(CLASSES):
        (root / label.lower()).mkdir(parents=True)
        for number in range(5):
            np.save(root / label.lower() / f"{number}.npy", walk(10 * place + number))
    return root


def test_class_folders_become_a_data_set_that_can_be_trained_on(tree: Path, tmp_path: Path) -> None:
    text = run(tree, tmp_path / "out", "--test-fraction", "0.2", "--joint-order", "right_first")
    assert "train: 16 (4 Happy, 4 Sad, 4 Angry, 4 Neutral)" in text
    assert "test: 4 (1 Happy, 1 Sad, 1 Angry, 1 Neutral)" in text
    assert "frames before fitting: 30 to 30, median 30" in text
    assert inspect(data_config(tmp_path / "out")).faults == ()
    config = data_config(tmp_path / "out", val_fraction=0.0)
    parts = [Data(model_config(), config, "train", 0), Data(model_config(), config, "test", 0)]
    sample = next(one for part in parts for one in map(part.__getitem__, range(len(part))) if one["name"] == "sad/1")
    original = walk(11)
    assert sample["targets"].tolist() == [0, 1, 0, 0]
    assert sample["posture"][:, :30].transpose(1, 2, 0) == pytest.approx(original - original[:, :1], abs=1e-5)


def test_arrays_list_the_left_side_first_unless_told_otherwise(tree: Path, tmp_path: Path) -> None:
    run(tree, tmp_path / "out", "--keep-place")
    names = json.loads((tmp_path / "out" / "train_label.json").read_text())["names"]
    label, number = names[0].split("/")
    original = walk(10 * [one.lower() for one in CLASSES].index(label) + int(number))
    written = np.load(tmp_path / "out" / "train_joint.npy")[0, :, :30, :, 0].transpose(1, 2, 0)
    assert written[:, 7] == pytest.approx(original[:, 4], abs=1e-5)


def test_a_table_gives_labels_and_splits(tree: Path, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("path,label,split\nhappy/0.npy,Sad,train\nhappy/1.npy,neutral,test\n")
    text = run(tree, tmp_path / "out", "--labels", table)
    assert "train: 1 (0 Happy, 1 Sad" in text
    assert "test: 1 (0 Happy, 0 Sad, 0 Angry, 1 Neutral)" in text


def test_a_gait_that_cannot_be_used_is_told_and_left_out(tree: Path, tmp_path: Path) -> None:
    bad = walk(0)
    bad[3, 2, 1] = np.nan
    np.save(tree / "happy" / "0.npy", bad)
    np.save(tree / "happy" / "1.npy", np.zeros((30, 15, 3)))
    (tree / "sad" / "0.npy").write_bytes(b"\x93NUMPY\x01\x00")
    (tree / "sad" / "x.bvh").write_text("nothing")
    np.save(tree / "angry" / "0.npy", walk(0, 2))
    text = run(tree, tmp_path / "out")
    assert "5 left out:" in text
    for message in (
        "happy/0.npy: nan in frame 3 (1 of 1440 numbers); expected finite numbers",
        "happy/1.npy: shape (30, 15, 3), type float64; expected finite numbers of shape (T, 16, 3)",
        "sad/0.npy: cut short or damaged",
        "sad/x.bvh: line 1: 'nothing'; expected a BVH file",
        "angry/0.npy: shape (2, 16, 3)",
    ):
        assert message in text
    assert len(json.loads((tmp_path / "out" / "report.json").read_text())["left out"]) == 5


def test_units_that_are_no_metres_are_told(tree: Path, tmp_path: Path) -> None:
    assert "--scale 0.01" in run(tree, tmp_path / "a", "--scale", "100")
    assert "--scale 0.01" not in run(tree, tmp_path / "b")


def test_the_next_command_makes_a_model_that_reads_recordings_as_these_were_read(tree: Path, tmp_path: Path) -> None:
    told = run(tree, tmp_path / "a", "--scale", "0.01", "--every", "2", "--keep-place").splitlines()[-1]
    assert told.endswith("a data.own_scale=0.01 data.own_every=2 data.own_centre=false")
    assert "data.own_" not in run(tree, tmp_path / "b")


def test_frames_can_be_left_out(tree: Path, tmp_path: Path) -> None:
    assert "frames before fitting: 10 to 10" in run(tree, tmp_path / "out", "--every", "3")
    assert "2 frames; expected at least 3 frames" in told(tree, tmp_path / "none", "--every", "15")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--every", "0"), "--every: 0; expected 1 or more"),
        (("--scale", "0"), "--scale: 0.0; expected more than 0"),
        (("--test-fraction", "1"), "--test-fraction: 1.0; expected between 0 and 1"),
        (("--frames", "60", "--thin-from", "50"), "--frames: --frames 60 --thin-from 50"),
        (("--joint", "hed=Head"), "--joint: 'hed=Head'; expected JOINT=NAME\n    Did you mean head?"),
        (("--joint", "head"), "--joint: 'head'; expected JOINT=NAME"),
        (("--classes", "Happy", "Sad", "Neutral"), "class 'angry'; expected one of Happy, Sad, Neutral"),
    ],
)
def test_impossible_options_are_told(tree: Path, tmp_path: Path, words: tuple[str, ...], message: str) -> None:
    assert message in told(tree, tmp_path / "out", *words)
    assert not (tmp_path / "out").exists()


def test_folders_without_gaits_or_classes_are_told(tree: Path, tmp_path: Path) -> None:
    assert "no such folder" in told(tmp_path / "none", tmp_path / "out")
    (tmp_path / "empty").mkdir()
    assert "no .bvh or .npy file" in told(tmp_path / "empty", tmp_path / "out")
    np.save(tree / "loose.npy", walk(0))
    assert "loose.npy lies in no class folder" in told(tree, tmp_path / "out")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("path,label\nhappy/9.npy,Happy\n", "line 2: no file 'happy/9.npy' in"),
        ("path,label\nhappy/0.npy,Hapy\n", "line 2: class 'Hapy'; expected one of Happy, Sad"),
        ("path,label\nhappy/0.npy,Happy\nhappy/0.npy,Sad\n", "line 3: happy/0 for the second time"),
        ("path,label,split\nhappy/0.npy,Happy,val\n", "line 2: split 'val'; expected train, test or nothing"),
        ("file,class\n", "line 1 is file,class and no line follows; expected a first line path,label"),
        ("file,class\na,b\n", "line 1 is file,class; expected a first line path,label"),
    ],
)  # fmt: skip
def test_a_table_with_mistakes_is_told_line_by_line(tree: Path, tmp_path: Path, content: str, message: str) -> None:
    table = tmp_path / "table.csv"
    table.write_text(content)
    assert message in told(tree, tmp_path / "out", "--labels", table)


def test_a_missing_table_is_told(tree: Path, tmp_path: Path) -> None:
    assert "none.csv: unreadable" in told(tree, tmp_path / "out", "--labels", tmp_path / "none.csv")


def test_nothing_but_an_earlier_output_is_overwritten(tree: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(tree, out)
    run(tree, out, "--seed", "3")
    (out / "thesis.doc").touch()
    assert "thesis.doc; expected nothing but earlier gaits" in told(tree, out)
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.doc").touch()
    assert "no report.json in it; expected a new or empty folder" in told(tree, other)
    assert "a file; expected a folder for gaits" in told(tree, out / "thesis.doc")


def test_one_file_of_arrays_is_read_and_gaits_without_a_label_are_left_out(tmp_path: Path) -> None:
    labels = np.array([0, 1, 2, 3, -1] * 4)
    np.savez(tmp_path / "a.npz", x=np.stack([walk(number) for number in range(20)]), label=labels, half=labels[:3])
    text = run(
        tmp_path / "a.npz", tmp_path / "out", "--numbers", "Happy", "Angry", "Sad", "Neutral", "--test-fraction", "0.25"
    )
    assert "train: 12 (3 Happy, 3 Sad, 3 Angry, 3 Neutral)" in text
    data = Data(model_config(), data_config(tmp_path / "out", val_fraction=0.0), "train", 0)
    sample = next(data[index] for index in range(12) if int(data[index]["name"][-5:]) % 5 == 1)
    assert sample["targets"].tolist() == [0, 0, 1, 0]
    assert "no array y; expected one of x, label, half" in told(
        tmp_path / "a.npz", tmp_path / "b", "--label-array", "y"
    )
    assert "labels (3,) for joints" in told(tmp_path / "a.npz", tmp_path / "b", "--label-array", "half")
    assert "--numbers: Hapy; expected one of --classes" in told(tmp_path / "a.npz", tmp_path / "b", "--numbers", "Hapy")
    (tmp_path / "a.npz").write_bytes((tmp_path / "a.npz").read_bytes()[:500])
    assert "a.npz: cut short or damaged" in told(tmp_path / "a.npz", tmp_path / "b")


def test_e_gaits_files_are_converted(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "features.h5", "w") as features, h5py.File(tmp_path / "labels.h5", "w") as labels:
        for number in range(20):
            features[f"{number}_walk"] = walk(number).reshape(-1, 48)
            labels[f"{number}_walk"] = number % 4
    text = run(tmp_path / "features.h5", tmp_path / "out", "--labels", tmp_path / "labels.h5", "--test-fraction", "0.2")
    assert "train: 16 (4 Happy, 4 Sad, 4 Angry, 4 Neutral)" in text
    content = json.loads((tmp_path / "out" / "train_label.json").read_text())
    of_files = ("Happy", "Angry", "Sad", "Neutral")
    for name, label in zip(content["names"], content["labels"], strict=True):
        assert content["classes"][label] == of_files[int(name.split("_")[0]) % 4]
    assert "--labels: missing; expected the h5 file with the labels" in told(tmp_path / "features.h5", tmp_path / "b")


def test_a_split_without_gaits_is_told(tree: Path, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("path,label,split\nhappy/0.npy,Happy,train\n")
    assert "no gait for test; expected gaits for train and test" in told(tree, tmp_path / "out", "--labels", table)
