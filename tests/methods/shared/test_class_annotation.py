"""Annotation files: the published ones, and every way in which one can be wrong."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from jack_ray.methods.shared.class_annotation import Entry, read_annotation
from tests.methods.shared.clip_trees import REAL, data_config

PUBLISHED = REAL / "ve8_ek6_annotations"

VE8_LABELS = ("Anger", "Anticipation", "Disgust", "Fear", "Joy", "Sadness", "Surprise", "Trust")


@pytest.mark.parametrize(
    ("file", "option", "training", "validation"),
    [
        ("ve8_01.json", "ve8", (74, 64, 75, 113, 114, 64, 166, 61), (27, 36, 39, 54, 66, 36, 70, 39)),
        ("ve8_04.json", "ve8", (80, 80, 84, 128, 144, 80, 188, 79), (20, 20, 22, 33, 36, 20, 48, 20)),
        ("ek6_01.json", "ekman6", (113, 119, 144, 152, 111, 180), (112, 120, 143, 153, 110, 180)),
    ],
)
def test_the_published_files_have_the_published_numbers_of_videos(
    file: str, option: str, training: tuple[int, ...], validation: tuple[int, ...]
) -> None:
    if not (PUBLISHED / file).is_file():
        pytest.skip(f"no {file} beside the checkout")
    labels = data_config(PUBLISHED, option).labels
    annotation, faults = read_annotation(PUBLISHED / file, labels)
    assert faults == []
    assert annotation.labels == labels
    counts = Counter((entry.subset, entry.label) for entry in annotation.entries.values())
    assert tuple(counts["training", label] for label in annotation.labels) == training
    assert tuple(counts["validation", label] for label in annotation.labels) == validation


def sound_content() -> dict[str, Any]:
    """An annotation file without a fault."""
    return {
        "labels": ["Joy", "Fear"],
        "database": {
            "a": {"subset": "training", "annotations": {"label": "Joy"}},
            "b.1": {
                "subset": "validation",
                "duration_s": 12.5,
                "annotations": {"label": "Fear", "segments": [[0, 2.5], [3, 4]]},
            },
        },
    }


def told(path: Path, content: Any) -> list[str]:
    """The messages of a file with this content: a value as JSON, or text as it is."""
    path.write_text(content if isinstance(content, str) else json.dumps(content, indent=1))
    return [str(fault).partition("\n")[0] for fault in read_annotation(path, None)[1]]


def test_what_the_file_says_of_a_video_is_read(tmp_path: Path) -> None:
    path = tmp_path / "annotation.json"
    assert told(path, sound_content()) == []
    annotation, _ = read_annotation(path, None)
    assert annotation.labels == ("Joy", "Fear")
    assert annotation.entries["a"] == Entry("a", "Joy", "training")
    assert annotation.entries["b.1"] == Entry("b.1", "Fear", "validation", ((0.0, 2.5), (3.0, 4.0)), 12.5)


def changed(key: str, value: Any) -> dict[str, Any]:
    """A sound file with one value of the entry `a` replaced."""
    content = sound_content()
    if key in ("label", "segments"):
        content["database"]["a"]["annotations"][key] = value
    else:
        content["database"]["a"][key] = value
    return content


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", ": line 1: not JSON (Expecting value); expected {"),
        ('{"labels": [\n"Joy",]}', ": line 2: not JSON ("),
        ("[" * 100_000, "JSON that is nested too deeply"),
        ("[]", "JSON that is no object: []"),
        ({"database": sound_content()["database"]}, ": labels: nothing; expected a list of the classes' names"),
        (sound_content() | {"labels": []}, ": labels: an empty list"),
        (sound_content() | {"labels": [1]}, ": labels: [1]; expected a list"),
        (sound_content() | {"labels": ["Joy", "Fear", "Joy"]}, ": labels: 'Joy' comes more than once"),
        (sound_content() | {"labels": ["Joy", "Fear", "../x"]}, ": labels: '../x'; expected a name that a folder"),
        ({"labels": ["Joy"]}, ": database: nothing; expected an object"),
        ({"labels": ["Joy"], "database": {}}, ": database: no videos"),
        (changed("subset", "train"), ": line 7: video a: subset: 'train'; expected training or validation or test"),
        (changed("label", "joy"), ": video a: label: 'joy'; expected one of the file's labels"),
        (changed("label", None), ": video a: label: nothing"),
        (changed("annotations", [1]), ": video a: annotations: [1]; expected {"),
        (changed("duration_s", -1), ": video a: duration_s: -1; expected seconds, more than 0"),
        (changed("segments", {"from": 1}), ": video a: segments: {'from': 1}; expected a list"),
        (changed("segments", [[0, 1], [5, 4]]), ": video a: segment 1: [5, 4]; expected [start, end] in seconds"),
        (changed("segments", [[0, float("inf")]]), ": video a: segment 0: [0, inf]"),
        ({"labels": ["Joy"], "database": {"x": 3}}, ": video x: 3; expected {"),
        ({"labels": ["Joy"], "database": {"../x": {}}}, ": video ../x: an id that no file can have"),
        (
            '{"labels": ["Joy"],\n"database": {\n"a": {"subset": "training", "annotations": {"label": "Joy"}},\n'
            '"a": {"subset": "training", "annotations": {"label": "Joy"}}}}',
            ": video a: an id that comes more than once; expected another id for each video",
        ),
        (
            '{"labels": ["Joy"],\n"database": {"a": {"subset": "test", "subset": "test", "annotations": '
            '{"label": "Joy"}}}}',
            ": video a: subset: comes more than once",
        ),
    ],
)
def test_a_broken_annotation_file_is_one_message_with_its_place(tmp_path: Path, content: Any, message: str) -> None:
    found = told(tmp_path / "annotation.json", content)
    assert len(found) == 1, found
    assert found[0].startswith(str(tmp_path / "annotation.json"))
    assert message in found[0]


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    content = changed("subset", "train")
    content["database"]["b.1"]["annotations"]["label"] = "Feer"
    assert len(told(tmp_path / "annotation.json", content)) == 2


def test_the_nearest_class_is_offered(tmp_path: Path) -> None:
    path = tmp_path / "annotation.json"
    path.write_text(json.dumps(changed("label", "Joj")))
    assert "Did you mean Joy?" in str(read_annotation(path, None)[1][0])


def test_other_classes_than_those_that_are_set_are_told(tmp_path: Path) -> None:
    path = tmp_path / "annotation.json"
    path.write_text(json.dumps(sound_content()))
    faults = read_annotation(path, ("Fear", "Joy"))[1]
    assert "labels: Joy, Fear; expected Fear, Joy" in str(faults[0])
    assert "Type data.labels=null" in str(faults[0])


def test_a_missing_file_is_told_with_the_files_that_are_there(tmp_path: Path) -> None:
    (tmp_path / "ve8_04.json").write_text("{}")
    fault = str(read_annotation(tmp_path / "ve8_01.json", None)[1][0])
    assert "ve8_01.json: no such file" in fault
    assert "There are: ve8_04.json. Type data.annotation=NAME." in fault


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"\xff\xfe\x00")
    assert "not text in UTF-8" in str(read_annotation(tmp_path / "a.json", None)[1][0])
    assert "unreadable (Is a directory)" in str(read_annotation(tmp_path, None)[1][0])


def test_a_file_of_one_line_is_told_by_its_videos(tmp_path: Path) -> None:
    path = tmp_path / "annotation.json"
    path.write_text(json.dumps(changed("label", "Joj")))
    fault = str(read_annotation(path, None)[1][0])
    assert fault.startswith(f"{path}: video a: label")
