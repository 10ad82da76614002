"""What is told of a folder of gaits."""

import json
import shutil
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from jack_ray.contract.errors import DataError
from jack_ray.methods.gait.data import Data
from jack_ray.methods.gait.files import inspect
from jack_ray.methods.gait.skeleton import INDEX
from jack_ray.methods.roles import Inspection
from tests.methods.gait.sample_config import data_config, egait_config, model_config


def told(root: Path, **changes: Any) -> str:
    """Everything that is wrong, as one text."""
    found = inspect(data_config(root, **changes))
    assert found.identity == ""
    return "\n".join(str(fault) for fault in found.faults)


def change(path: Path, take: Any) -> None:
    np.save(path, take(np.load(path)))


def test_a_sound_folder_is_counted(demo: Path) -> None:
    found = inspect(data_config(demo))
    assert found.faults == ()
    assert found.summary == {
        "gaits": 22,
        "train gaits": 16,
        "test gaits": 6,
        "Happy": 6,
        "Sad": 6,
        "Angry": 5,
        "Neutral": 5,
    }


def test_the_identity_is_of_the_content_and_not_of_the_place(demo: Path, own_demo: Path) -> None:
    assert inspect(data_config(demo)).identity == inspect(data_config(own_demo)).identity
    joints = np.load(own_demo / "train_joint.npy")
    joints[7, 2, 30, 5] += 1e-3
    np.save(own_demo / "train_joint.npy", joints)
    assert inspect(data_config(demo)).identity != inspect(data_config(own_demo)).identity


def test_a_folder_that_is_not_there_is_told_with_the_way_to_demo_gaits(tmp_path: Path) -> None:
    assert f"python -m jack_ray.data demo gait {tmp_path / 'x'}" in told(tmp_path / "x")


def test_an_empty_folder_is_one_fault(tmp_path: Path) -> None:
    text = told(tmp_path)
    assert f"{tmp_path}: none of the files of gaits (train_joint.npy, ..)" in text
    assert "python -m jack_ray.data demo gait" in text
    (tmp_path / "features.h5").write_bytes(b"")
    assert "There is features.h5. Type data=egait" in told(tmp_path)


def test_missing_files_are_told_one_by_one(tmp_path: Path) -> None:
    (tmp_path / "train_label.npy").write_bytes(b"")
    (tmp_path / "test_label.npy").write_bytes(b"")
    text = told(tmp_path)
    for split in ("train", "test"):
        for kind in ("joint", "movement", "affective"):
            assert f"{tmp_path / f'{split}_{kind}.npy'}: no such file" in text


@pytest.mark.parametrize(
    ("name", "take", "message"),
    [
        ("train_joint.npy", lambda a: a[:, :2], "shape (16, 2, 48, 16, 1); expected floating-point numbers"),
        ("train_joint.npy", lambda a: a[:, :, :, :15], "shape (16, 3, 48, 15, 1)"),
        ("train_joint.npy", lambda a: np.repeat(a, 2, axis=4), "shape (16, 3, 48, 16, 2)"),
        ("train_movement.npy", lambda a: a[:-1], "15 gaits; expected 16 gaits, as in train_label.json"),
        ("test_affective.npy", lambda a: a[:, :100], "(6, 100); expected floating-point numbers of shape (n, 1488)"),
        ("test_joint.npy", lambda a: a.astype(int), "numbers of type int64"),
        ("test_joint.npy", lambda a: a[:0], "shape (0, 3, 48, 16, 1)"),
    ],
)  # fmt: skip
def test_an_array_of_another_shape_is_told(own_demo: Path, name: str, take: Any, message: str) -> None:
    change(own_demo / name, take)
    assert message in told(own_demo)


@pytest.mark.parametrize(
    ("keep", "message"),
    [
        (1000, "cut short: 1000 instead of"),
        (40, "not a complete npy file (40 bytes)"),
        (0, "not a complete npy file (0 bytes)"),
    ],
)
def test_an_array_cut_short_is_told(own_demo: Path, keep: int, message: str) -> None:
    path = own_demo / "train_joint.npy"
    path.write_bytes(path.read_bytes()[:keep])
    assert f"{path}: {message}" in told(own_demo)


def test_arrays_without_the_axis_for_persons_are_read_too(own_demo: Path) -> None:
    before = Data(model_config(), data_config(own_demo), "test", 0)[2]
    for path in own_demo.glob("*_joint.npy"):
        change(path, lambda a: a[..., 0])
    after = Data(model_config(), data_config(own_demo), "test", 0)[2]
    assert (before["posture"] == after["posture"]).all()


def test_a_gait_in_both_splits_is_told(own_demo: Path) -> None:
    train, test = own_demo / "train_label.json", own_demo / "test_label.json"
    content = json.loads(test.read_text())
    content["names"][3] = json.loads(train.read_text())["names"][0]
    test.write_text(json.dumps(content))
    assert "1 gaits in both splits: train_0000_Happy; expected each gait in one split" in told(own_demo)


def test_more_folds_than_gaits_are_told(demo: Path) -> None:
    assert "data.folds: 23; expected at most the number of gaits, 22" in told(demo, folds=23)


def test_a_joint_that_is_not_a_number_is_told_when_it_is_read(own_demo: Path) -> None:
    path = own_demo / "test_joint.npy"
    joints = np.load(path)
    joints[2, 1, 40, INDEX["head"], 0] = np.nan
    np.save(path, joints)
    data = Data(model_config(), data_config(own_demo), "test", 0)
    data[1]
    with pytest.raises(
        DataError, match=r"row 2 \(test_0002_Angry\): nan in frame 40, head \(1 of 2304 numbers\)"
    ) as caught:
        data[2]
    assert str(path) in str(caught.value)
    assert "train.on_unreadable=skip" in str(caught.value)


def test_an_affective_feature_that_is_not_a_number_is_told(own_demo: Path) -> None:
    path = own_demo / "train_affective.npy"
    values = np.load(path)
    values[0, 5] = np.inf
    np.save(path, values)
    with pytest.raises(DataError, match="inf among the affective features"):
        Data(model_config(), data_config(own_demo, val_fraction=0.0), "train", 0)[0]


# E-Gait's h5 files


def write_h5(folder: Path, gaits: dict[str, Any], labels: dict[str, Any]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, content in (("features.h5", gaits), ("labels.h5", labels)):
        with h5py.File(folder / name, "w") as opened:
            for key, value in content.items():
                opened[key] = value
    return folder


def walks(number: int) -> dict[str, Any]:
    generator = np.random.default_rng(0)
    return {f"gait {index}": generator.standard_normal((30 + index, 48)) for index in range(number)}


def numbers(number: int) -> dict[str, Any]:
    return {f"gait {index}": np.int32(index % 4) for index in range(number)}


def look_h5(root: Path, **changes: Any) -> Inspection:
    return inspect(egait_config(root, **changes))


def test_e_gaits_files_are_counted(tmp_path: Path) -> None:
    found = look_h5(write_h5(tmp_path / "e", walks(8), numbers(8)))
    assert found.faults == ()
    assert found.summary == {"gaits": 8, "Happy": 2, "Angry": 2, "Sad": 2, "Neutral": 2}


@pytest.mark.parametrize(
    ("gaits", "labels", "message"),
    [
        ({"gait 1": np.zeros((9, 47))}, {}, "gait 1: shape (9, 47); expected floating-point numbers of shape (T, 48)"),
        ({"gait 1": np.zeros((2, 48))}, {}, "gait 1: shape (2, 48)"),
        ({"gait 1": np.zeros((9, 48), int)}, {}, "gait 1: shape (9, 48) of type 'i'"),
        (
            {"gait 9": np.zeros((9, 48))},
            {},
            "labels.h5: no label for gait 9; expected one for each gait of features.h5",
        ),
        ({}, {"gait 9": 1}, "features.h5: no gait for gait 9; expected one for each label of labels.h5"),
        ({}, {"gait 2": 4}, "gait 2: label 4; expected one of 0 Happy, 1 Angry, 2 Sad, 3 Neutral (data.labels)"),
        ({}, {"gait 2": 1.5}, "gait 2: label 1.5"),
        ({}, {"gait 2": [1, 2]}, "gait 2: label [1 2]"),
    ],
)
def test_what_is_wrong_in_h5_files_is_told_gait_by_gait(
    tmp_path: Path, gaits: dict[str, Any], labels: dict[str, Any], message: str
) -> None:
    found = look_h5(write_h5(tmp_path / "e", walks(8) | gaits, numbers(8) | labels))
    assert message in "\n".join(map(str, found.faults))


@pytest.mark.parametrize("name", ["features.h5", "labels.h5"])
def test_an_h5_file_that_is_missing_empty_or_cut_short_is_told(tmp_path: Path, name: str) -> None:
    root = write_h5(tmp_path / "e", walks(8), numbers(8))
    path = root / name
    content = path.read_bytes()
    for keep, message in ((len(content) // 2, "cut short, damaged or no h5 file"), (0, "cut short, damaged")):
        path.write_bytes(content[:keep])
        assert f"{path}: {message}" in str(look_h5(root).faults[0])
    path.unlink()
    assert f"{path}: no such file" in str(look_h5(root).faults[0])
    with h5py.File(path, "w"):
        pass
    assert f"{path}: no array in it" in str(look_h5(root).faults[0])


def test_a_nan_in_an_h5_file_is_told_with_its_joint_in_bpm_gcns_names(tmp_path: Path) -> None:
    gaits = walks(8)
    gaits["gait 3"][10, 3 * 4 + 1] = np.nan  # the fifth joint of E-Gait's order
    root = write_h5(tmp_path / "e", gaits, numbers(8))
    data = Data(model_config(), egait_config(root, folds=2, val_fraction=0.0), "test", 0)
    other = Data(model_config(), egait_config(root, folds=2, fold=1, val_fraction=0.0), "test", 0)
    with pytest.raises(DataError, match=r"gait 3: nan in frame 10, left_shoulder"):
        [half[index] for half in (data, other) for index in range(len(half))]


def test_the_identity_of_h5_files_does_not_change_when_they_move(tmp_path: Path) -> None:
    root = write_h5(tmp_path / "e", walks(8), numbers(8))
    before = look_h5(root).identity
    assert look_h5(Path(shutil.move(root, tmp_path / "f"))).identity == before
