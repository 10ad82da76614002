"""Label files, among them pickles that were made to do harm."""

import json
import os
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jack_ray.methods.gait.labels import Labels, find, read

CLASSES = ("Happy", "Sad", "Angry", "Neutral")
NAMES = ["a", "b", "c"]


def write(path: Path, content: Any, protocol: int = 2) -> Path:
    path.write_bytes(pickle.dumps(content, protocol))
    return path


def loaded(path: Path) -> Labels:
    found, faults = read(path, "train", CLASSES)
    assert found is not None, faults
    return found


def told(path: Path) -> str:
    found, faults = read(path, "train", CLASSES)
    assert found is None
    return "\n".join(str(fault) for fault in faults)


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
@pytest.mark.parametrize(
    "numbers",
    [
        [0, 2, 3],
        (0, 2, 3),
        list(np.array([0, 2, 3])),
        np.array([0, 2, 3]),
        np.array([0, 2, 3], np.uint8),
        np.array([0, 2, 3], ">i4"),
    ],
)
def test_a_pickled_pair_of_names_and_numbers_is_read(tmp_path: Path, numbers: Any, protocol: int) -> None:
    found = loaded(write(tmp_path / "train_label.pkl", (NAMES, numbers), protocol))
    assert found.names == ("a", "b", "c")
    assert found.targets.argmax(1).tolist() == [0, 2, 3]


def test_a_pickle_of_python_2_is_read(tmp_path: Path) -> None:
    """Its texts are bytes; protocol 2 of Python 2 writes them with the opcode U."""
    names = b"".join(b"U\x01" + name.encode() for name in NAMES)
    content = b"\x80\x02](" + names + b"e](K\x00K\x02K\x03e\x86."
    (tmp_path / "train_label.pkl").write_bytes(content)
    assert loaded(tmp_path / "train_label.pkl").names == ("a", "b", "c")


class Harm:
    """Asks a reader to call something."""

    def __init__(self, *call: Any) -> None:
        self.call = call

    def __reduce__(self) -> Any:
        return self.call[0], self.call[1:]


@pytest.mark.parametrize("call", [(os.system, "true"), (eval, "1"), (os.mkdir, "harm"), (open, "harm", "w")])
def test_a_pickle_that_asks_for_a_call_is_refused_and_nothing_happens(
    tmp_path: Path, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = told(write(tmp_path / "train_label.pkl", (NAMES, Harm(*call))))
    assert "which could run code: refused" in text
    assert "Save the labels as .npy or .json." in text
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize(
    "content",
    [np.array(["a"]), np.array([1.5]), np.array([None]), [1, 2, 3], (NAMES, 5), ([1, 2], [0, 0]), {"a": 1}, "x"],
)
def test_a_pickle_of_something_else_is_told(tmp_path: Path, content: Any) -> None:
    path = write(tmp_path / "train_label.pkl", content)
    assert "expected gait labels" in told(path) or "refused" in told(path)


@pytest.mark.parametrize("keep", [0, 1, 5, 20])
def test_a_pickle_cut_short_is_told(tmp_path: Path, keep: int) -> None:
    path = write(tmp_path / "train_label.pkl", (NAMES, [0, 1, 2]))
    path.write_bytes(path.read_bytes()[:keep])
    assert f"{path}: cut short or damaged" in told(path)


def test_a_pickle_that_claims_a_huge_array_is_told(tmp_path: Path) -> None:
    content = pickle.dumps((NAMES, np.zeros(3, np.int64)), 2).replace(
        struct.pack("<BB", 75, 3), b"J\xff\xff\xff\x7f", 1
    )
    (tmp_path / "train_label.pkl").write_bytes(content)
    assert "cut short or damaged" in told(tmp_path / "train_label.pkl")


def test_an_array_of_numbers_gets_names_from_its_rows(tmp_path: Path) -> None:
    np.save(tmp_path / "train_label.npy", np.array([3, 0]))
    found = loaded(tmp_path / "train_label.npy")
    assert found.names == ("train 0", "train 1")
    assert found.targets.tolist() == [[0, 0, 0, 1], [1, 0, 0, 0]]


def test_rows_of_zeros_and_ones_are_several_classes(tmp_path: Path) -> None:
    rows = [[1, 0, 1, 0], [0, 0, 0, 0]]
    np.save(tmp_path / "train_label.npy", np.array(rows, np.float64))
    assert loaded(tmp_path / "train_label.npy").targets.tolist() == rows


def test_json_is_read(tmp_path: Path) -> None:
    path = tmp_path / "train_label.json"
    path.write_text(json.dumps({"names": NAMES, "labels": [0, 1, 2]}))
    assert loaded(path).names == ("a", "b", "c")


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ([0, 4, 1], "row 1 (b): label 4; expected one of 0 Happy, 1 Sad, 2 Angry, 3 Neutral (data.labels)"),
        ([0, -1, 1], "row 1 (b): label -1"),
        ([0, 1.5, 1], "row 1 (b): label 1.5"),
        ([[1, 0, 0, 2]] * 3, "row 0 (a): label [1, 0, 0, 2]; expected zeros and ones for Happy, Sad, Angry, Neutral"),
        ([[1, 0]] * 3, "labels of shape (3, 2)"),
        (["x", "y", "z"], 'row 0 is "x", not a number'),
        ([0, 1], "3 names for 2 labels"),
        ([[0], [1, 2], [3]], "row 1 is [1, 2], row 0 is [0]"),
    ],
)
def test_wrong_labels_are_told_with_their_row(tmp_path: Path, numbers: Any, message: str) -> None:
    path = tmp_path / "train_label.json"
    path.write_text(json.dumps({"names": NAMES, "labels": numbers}))
    assert message in told(path)


def test_of_many_wrong_labels_the_first_are_told_and_the_rest_counted(tmp_path: Path) -> None:
    np.save(tmp_path / "train_label.npy", np.full(9, 7))
    text = told(tmp_path / "train_label.npy")
    assert text.count("label 7") == 5
    assert "And 4 more like this." in text


def test_a_name_that_comes_twice_is_told(tmp_path: Path) -> None:
    path = write(tmp_path / "train_label.pkl", (["a", "b", "a"], [0, 1, 2]))
    assert "names that come twice: a; expected a name of its own" in told(path)


@pytest.mark.parametrize("text", ["{", "[]", '{"names": 3, "labels": []}', '{"labels": []}'])
def test_broken_json_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "train_label.json"
    path.write_text(text)
    assert f"{path}: not labels" in told(path)


def test_an_array_of_objects_is_not_unpickled(tmp_path: Path) -> None:
    np.save(tmp_path / "train_label.npy", np.array([Harm(os.mkdir, "harm")], dtype=object), allow_pickle=True)
    assert "cut short or damaged" in told(tmp_path / "train_label.npy")


def test_two_label_files_or_none_are_told(tmp_path: Path) -> None:
    assert "no label file; expected one label file: .json, .npy or .pkl" in str(find(tmp_path, "train"))
    (tmp_path / "train_label.npy").touch()
    assert find(tmp_path, "train") == tmp_path / "train_label.npy"
    (tmp_path / "train_label.pkl").touch()
    assert "train_label.npy and train_label.pkl, which may differ" in str(find(tmp_path, "train"))
