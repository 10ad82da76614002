"""What a look at TSL-300's files finds."""

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jack_ray.contract.errors import DataError, Fault, shorten
from tests.methods.tsl.looking import change_json, look, set_annotation, told

REAL = Path(__file__).parents[4] / "shared/data/tsl300/dataset/VideoSenti"


def _features(root: Path, split: str = "train", kind: str = "rgb") -> list[Path]:
    return [
        root / "features" / split / kind / f"{name}.npy" for name in (root / f"split_{split}.txt").read_text().split()
    ]


def test_sound_data_has_an_identity_and_counts(demo: Path) -> None:
    found = look(demo)
    assert found.faults == ()
    assert len(found.identity) == 10
    assert found.summary["train videos"] == 8
    assert found.summary["test videos"] == 3
    assert found.summary["test segments"] > 0
    assert found.summary["points of all annotators"] >= 24


def test_a_missing_root_comes_with_the_command_that_makes_demo_data(tmp_path: Path) -> None:
    text = told(tmp_path / "absent")
    assert f"{tmp_path / 'absent'}: no such folder" in text
    assert f"python -m jack_ray.data demo tsl {tmp_path / 'absent'}" in text


def test_a_root_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "not a folder" in told(tmp_path / "file")


def test_an_empty_root_lists_every_file_looked_for(tmp_path: Path) -> None:
    text = told(tmp_path)
    for name in (
        "gt.json",
        "fps_dict.json",
        "split_train.txt",
        "split_test.txt",
        "point_anno_0.txt",
        "point_anno_2.txt",
    ):
        assert f"{name}: no such file" in text


def test_only_the_chosen_annotators_file_is_needed(own_demo: Path) -> None:
    (own_demo / "point_gaussian/train/point_anno_0.txt").unlink()
    assert "point_anno_0.txt: no such file" in told(own_demo)
    assert "point_anno_0.txt: no such file" in told(own_demo, annotator=0)
    assert look(own_demo, annotator=1).faults == ()


def test_missing_features_are_counted_and_the_first_ones_named(own_demo: Path) -> None:
    paths = _features(own_demo)
    for path in paths[:7]:
        path.unlink()
    text = told(own_demo)
    first = ", ".join(path.name for path in paths[:5])
    assert f"features/train/rgb: 7 of 8 feature files missing: {first} and 2 more" in text


def test_annotations_without_any_features_come_with_the_command_that_generates_some(own_demo: Path) -> None:
    shutil.rmtree(own_demo / "features")
    text = told(own_demo)
    assert "3 of 3 feature files missing" in text
    assert f"python -m jack_ray.data demo tsl NEW_FOLDER --annotations {own_demo}" in text


def test_a_truncated_feature_file_is_named(own_demo: Path) -> None:
    path = _features(own_demo)[2]
    size = path.stat().st_size
    os.truncate(path, size - 100)
    assert (
        f"{path}: cut short: {size - 100} instead of {size} bytes; expected as many bytes as its header says"
        in told(own_demo)
    )


def test_many_truncated_feature_files_of_a_folder_are_cut_short(own_demo: Path) -> None:
    for path in _features(own_demo)[:7]:
        os.truncate(path, path.stat().st_size - 4)
    text = str(DataError(look(own_demo).faults))
    assert text.count("cut short") == 5
    assert "And 2 more like this." in text


def test_a_feature_file_with_more_than_its_header_says_is_named(own_demo: Path) -> None:
    path = _features(own_demo, "test", "logmfcc")[0]
    with path.open("ab") as opened:
        opened.write(b"more")
    assert f"{path}: too long" in told(own_demo)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "not a complete npy file (0 bytes)"),
        (b"\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran", "not a complete npy file (35 bytes)"),
        (b"\x93NUMPY\x01\x00\x20\x00" + b"(" * 32, "not a complete npy file (42 bytes)"),
        (b"<html>not found</html>", "not a complete npy file (22 bytes)"),
        (b"\x93NUMPY\x03\x00\x76\x00\x00\x00{}", "version 3.0 of the npy format"),
    ],
)
def test_a_file_that_is_no_npy_file_is_named(own_demo: Path, content: bytes, expected: str) -> None:
    path = _features(own_demo)[0]
    path.write_bytes(content)
    assert f"{path}: {expected}" in told(own_demo)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.zeros((20, 512), np.float32), "shape (20, 512)"),
        (np.zeros(1024, np.float32), "shape (1024,)"),
        (np.zeros((20, 1024), np.int32), "numbers of type int32"),
        (np.zeros((7, 1024), np.float32), "7 snippets (7 rows here"),
    ],
)
def test_features_of_another_kind_are_told(own_demo: Path, values: Any, expected: str) -> None:
    path = _features(own_demo)[0]
    np.save(path, values)
    assert f"{path}: {expected}" in told(own_demo)


def test_a_pickle_in_a_feature_file_is_refused(own_demo: Path) -> None:
    path = _features(own_demo)[0]
    np.save(path, np.array([{"a": 1}], object), allow_pickle=True)
    assert f"{path}: numbers of type object" in told(own_demo)


def test_a_spectrogram_shorter_than_eight_snippets_is_told(own_demo: Path) -> None:
    np.save(_features(own_demo, "test", "logmfcc")[1], np.zeros((255, 60), np.float32))
    assert "7 snippets" in told(own_demo)


def test_features_in_double_precision_are_accepted(own_demo: Path) -> None:
    path = _features(own_demo)[0]
    np.save(path, np.load(path).astype(np.float64))
    assert look(own_demo).faults == ()


def test_many_faults_of_a_kind_are_cut_short() -> None:
    faults = [Fault(f"gt.json: video {index}", "wrong", "right") for index in range(42)]
    faults += [Fault("other.json: x", "wrong", "right", "Mend it.")]
    kept = shorten(faults)
    assert len(kept) == 6
    assert kept[4].remedy == "And 37 more like this."
    assert kept[5].remedy == "Mend it."


def test_broken_feature_files_of_a_folder_are_one_kind() -> None:
    faults = [Fault(f"/data/rgb/{index}.npy", "shape (3,)", "an array") for index in range(9)]
    assert [fault.remedy for fault in shorten(faults)] == ["", "", "", "", "And 4 more like this."]


def test_the_identity_is_that_of_the_content_not_of_the_place(demo: Path, own_demo: Path) -> None:
    for path in own_demo.rglob("*"):
        os.utime(path, (1, 1))
    assert look(own_demo).identity == look(demo).identity


def test_the_identity_changes_with_annotations_and_features(demo: Path, own_demo: Path) -> None:
    identities = {look(demo).identity}
    path = _features(own_demo)[0]
    values = np.load(path)
    values[0, 0] += 1
    np.save(path, values)
    identities.add(look(own_demo).identity)
    values[-1, -1] += 1
    np.save(path, values)
    identities.add(look(own_demo).identity)
    change_json(own_demo / "videosenti_gt.json", set_annotation("segment", ["0.1", "0.2"]))
    identities.add(look(own_demo).identity)
    assert len(identities) == 4


@pytest.mark.skipif(not REAL.is_dir(), reason="the annotations of TSL-300 are not here")
def test_the_published_annotations_have_no_fault_but_the_missing_features() -> None:
    found = look(REAL)
    assert [fault.found.split(":")[0] for fault in found.faults] == [
        "200 of 200 feature files missing",
        "200 of 200 feature files missing",
        "100 of 100 feature files missing",
        "100 of 100 feature files missing",
    ]
