"""What is told of broken annotation files."""

from pathlib import Path
from typing import Any

import pytest

from jack_ray.methods.tsl.annotations import natural_order
from tests.methods.tsl.looking import change_json, look, set_annotation, told


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("label", "q", "annotation 1: label 'q'; expected n (negative) or p (positive)"),
        ("label", None, "annotation 1: label None"),
        ("segment", ["3.5", "1.0"], "annotation 1: segment [3.5, 1] s; expected 0 <= start < end"),
        ("segment", [2, 2], "annotation 1: segment [2, 2] s"),
        ("segment", ["-1", "1.0"], "annotation 1: segment [-1, 1] s"),
        ("segment", ["one", "1.0"], "annotation 1: segment ['one', '1.0']; expected [start, end] in seconds"),
        ("segment", ["nan", "1.0"], "annotation 1: segment ['nan', '1.0']"),
        ("segment", [1.0], "annotation 1: segment [1.0]"),
        ("segment", "1-2", "annotation 1: segment '1-2'"),
    ],
)
@pytest.mark.parametrize("file", ["gt.json", "videosenti_gt.json"])
def test_a_wrong_annotation_is_told_with_its_place(
    own_demo: Path, file: str, key: str, value: Any, expected: str
) -> None:
    change_json(own_demo / file, set_annotation(key, value))
    text = told(own_demo)
    assert expected in text
    assert f"{own_demo / file}: video " in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"database": {', "line 1, column 15: not JSON"),
        ('{"videos": {}}', "no mapping `database`"),
        ("[]", "no mapping `database`"),
        ('{"database": {"a": 3}}', "video a: 3; expected a mapping with"),
        ('{"database": {"a": {"subset": "test", "annotations": [7]}}}', "video a: annotation 1: 7; expected a mapping"),
        ('{"database": {"a": {}, "a": {}}}', "gt.json: a: comes twice"),
    ],
)
def test_a_broken_ground_truth_is_told(own_demo: Path, text: str, expected: str) -> None:
    (own_demo / "gt.json").write_text(text)
    assert expected in told(own_demo)


def test_a_ground_truth_that_is_not_text_is_told(own_demo: Path) -> None:
    (own_demo / "gt.json").write_bytes(b"\xff\xfe\x00")
    assert "gt.json: not JSON (UnicodeDecodeError)" in told(own_demo)


def test_a_folder_in_a_files_place_is_told(own_demo: Path) -> None:
    for name in ("gt.json", "split_train.txt"):
        (own_demo / name).unlink()
        (own_demo / name).mkdir()
    text = told(own_demo)
    assert "gt.json: unreadable (Is a directory)" in text
    assert "split_train.txt: unreadable (Is a directory)" in text


@pytest.mark.parametrize("rate", [0, -25, "fast", None, float("nan")])
def test_a_frame_rate_that_is_none_is_told(own_demo: Path, rate: Any) -> None:
    name = (own_demo / "split_train.txt").read_text().split()[0]
    change_json(own_demo / "fps_dict.json", lambda content: content.update({name: rate}))
    assert f"fps_dict.json: video {name}: " in told(own_demo)


def test_a_list_of_frame_rates_is_told(own_demo: Path) -> None:
    (own_demo / "fps_dict.json").write_text("[30]")
    assert "expected a mapping from name to frames a second" in told(own_demo)


def test_a_name_without_frame_rate_or_annotation_is_told(own_demo: Path) -> None:
    names = (own_demo / "split_test.txt").read_text().split()
    change_json(own_demo / "fps_dict.json", lambda content: content.pop(names[0]))
    change_json(own_demo / "gt.json", lambda content: content["database"].pop(names[1]))
    text = told(own_demo)
    assert f"split_test.txt: {names[0]}: no frame rate in fps_dict.json" in text
    assert f"split_test.txt: {names[1]}: no entry in gt.json" in text


def test_a_name_that_comes_twice_in_a_split_is_told_with_both_lines(own_demo: Path) -> None:
    path = own_demo / "split_train.txt"
    name = path.read_text().split()[1]
    path.write_text(path.read_text() + f"\n{name}\n")
    assert f"split_train.txt: line 10: {name} again, as in line 2" in told(own_demo)


def test_a_name_in_both_splits_is_told(own_demo: Path) -> None:
    name = (own_demo / "split_train.txt").read_text().split()[0]
    path = own_demo / "split_test.txt"
    path.write_text(path.read_text() + f"{name}\n")
    text = told(own_demo)
    assert f"split_test.txt: {name}: also in split_train.txt" in text
    assert f"split_test.txt: {name}: subset train in gt.json; expected subset test" in text


def test_an_empty_split_is_told(own_demo: Path) -> None:
    (own_demo / "split_train.txt").write_text("\n")
    assert "split_train.txt: no names" in told(own_demo)


def test_a_split_that_is_not_text_is_told(own_demo: Path) -> None:
    (own_demo / "split_train.txt").write_bytes(b"\xff\xfe")
    assert "split_train.txt: not text in UTF-8" in told(own_demo)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("n,0,1,2,{name}", "line 2: 5 columns; expected 6"),
        ("q,0,1,2,{name},1", "line 2: label 'q'"),
        ("n,1,1,2,{name},1", "line 2: class_index 1 for n; expected 0"),
        ("n,0,1,2,{name},x", "line 2: point 'x'"),
        ("n,0,1,2,{name},-4", "line 2: point '-4'"),
        ("n,0,a,2,{name},4", "line 2: start_frame 'a'"),
        ("n,0,1,2,{name}x,4", "line 2: video {name}x; expected a video of gt.json\n    Did you mean {name}?"),
        ("n,0,1,2,{name},999999", "line 2: point 999999 of {name}, whose features end with frame "),
    ],
)
def test_a_wrong_point_is_told_with_its_line(own_demo: Path, line: str, expected: str) -> None:
    name = (own_demo / "split_train.txt").read_text().split()[0]
    path = own_demo / "point_gaussian/train/point_anno_1.txt"
    header, *rows = path.read_text().splitlines()
    path.write_text("\n".join([header, line.format(name=name), *rows]))
    assert f"{path}: {expected.format(name=name)}" in told(own_demo)


def test_another_header_of_a_point_file_is_told(own_demo: Path) -> None:
    (own_demo / "point_gaussian/train/point_anno_1.txt").write_text("video,frame\n")
    assert "point_anno_1.txt: line 1: 'video,frame'; expected the header class,class_index" in told(own_demo)


def test_a_training_video_that_an_annotator_left_out_is_told(own_demo: Path) -> None:
    name = (own_demo / "split_train.txt").read_text().split()[0]
    path = own_demo / "point_gaussian/train/point_anno_2.txt"
    path.write_text("".join(line for line in path.read_text().splitlines(True) if f",{name}," not in line))
    assert f"point_anno_2.txt: no point for training video {name}" in told(own_demo)
    assert look(own_demo, annotator="all").faults == ()


def test_numbers_in_names_are_sorted_as_numbers() -> None:
    assert natural_order(["10_a", "9_b", "9_B", "100_a", "9_b10", "9_b9"]) == [
        "9_B",
        "9_b",
        "9_b9",
        "9_b10",
        "10_a",
        "100_a",
    ]
