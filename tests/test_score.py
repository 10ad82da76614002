"""python -m jack_ray.score"""

import json
from pathlib import Path
from typing import Any

import pytest

from jack_ray import score
from jack_ray.methods.tsl import metric
from jack_ray.score import main

GOLDEN = Path(metric.__file__).parent / "golden" / "tsl_eval.json"


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Predictions and ground truth of the published evaluator's example."""
    golden = json.loads(GOLDEN.read_text())
    predictions, truth = tmp_path / "predictions.json", tmp_path / "gt.json"
    predictions.write_text(json.dumps(golden["predictions"]))
    truth.write_text(json.dumps(golden["ground_truth"]))
    return predictions, truth


def _told(files: tuple[Path, Path], capsys: pytest.CaptureFixture[str], *more: str) -> str:
    """The message of files that cannot be scored."""
    assert main(["tsl", str(files[0]), str(files[1]), *more]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Traceback" not in captured.err
    return captured.err


def test_the_table_has_the_published_evaluators_numbers(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tsl", str(files[0]), str(files[1])]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:7] == [
        "in per cent   tIoU    0.10    0.15    0.20    0.25    0.30     AVG",
        "AP negative          16.67   16.67   16.67   16.67    0.00   13.33",
        "AP positive          42.86   22.22    5.56    5.56    5.56   16.35",
        "mAP                  29.76   19.44   11.11   11.11    2.78   14.84",
        "precision            17.35   15.24    9.71    9.71    3.03   11.01",
        "recall               44.91   39.35   28.24   28.24    7.41   29.63",
        "F2                   34.08   29.89   20.44   20.44    5.75   22.12",
    ]


def test_json_has_the_same_numbers_unrounded(files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tsl", str(files[0]), str(files[1]), "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    golden = json.loads(GOLDEN.read_text())
    assert values["mAP"]["AVG"] == pytest.approx(golden["average_mAP"], abs=1e-9)
    assert list(values["mAP"].values())[:5] == pytest.approx(golden["mAP"], abs=1e-9)
    assert list(values["F2"].values())[:5] == pytest.approx(golden["f2"], abs=1e-9)


def test_a_class_without_true_segments_has_no_row(files: tuple[Path, Path]) -> None:
    content = json.loads(files[1].read_text())
    for video in content["database"].values():
        video["annotations"] = [one for one in video["annotations"] if one["label"] == "p"]
    files[1].write_text(json.dumps(content))
    names = [name for name, _ in score.rows(score.score(*files, "test"))]
    assert names == ["AP positive", "mAP", "precision", "recall", "F2"]


@pytest.mark.parametrize(("index", "name"), [(0, "predictions.json"), (1, "gt.json")])
def test_a_missing_file_or_one_that_is_not_json_is_named(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str], index: int, name: str
) -> None:
    files[index].write_text('{"results": ')
    assert f"{name}: line 1, column 13: not JSON" in _told(files, capsys)
    files[index].write_bytes(b"\xff\xfe")
    assert f"{name}: not JSON (UnicodeDecodeError)" in _told(files, capsys)
    files[index].unlink()
    assert f"{name}: no such file" in _told(files, capsys)
    files[index].mkdir()
    assert f"{name}: unreadable (Is a directory)" in _told(files, capsys)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ([], "no mapping `results`"),
        ({"database": {}}, "no mapping `results`"),
        ({"results": []}, "no mapping `results`"),
        ({"results": {"v1": {}}}, "video v1: {}; expected a list of detections"),
        ({"results": {"v1": ["p"]}}, "video v1: entry 1: 'p'; expected a mapping with"),
        ({"results": {"v9": []}}, "video v9: not in "),
        ({"results": {"v3": []}}, "video v3: of subset train in "),
    ],
)
def test_predictions_of_another_structure_are_told(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str], content: Any, told: str
) -> None:
    files[0].write_text(json.dumps(content))
    assert told in _told(files, capsys)


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("label", "joy", "entry 2: label 'joy'; expected n (negative) or p (positive)"),
        ("label", ["p"], "entry 2: label ['p']"),
        ("score", float("nan"), "entry 2: score nan; expected a finite number"),
        ("score", None, "entry 2: score None"),
        ("score", True, "entry 2: score True"),
        ("segment", [1.0], "entry 2: segment [1.0]; expected [start, end] in seconds"),
        ("segment", [1.0, float("inf")], "entry 2: segment [1.0, inf]"),
        ("segment", [1.0, "two"], "entry 2: segment [1.0, 'two']"),
        ("segment", [1, 2, 3], "entry 2: segment [1, 2, 3]"),
        ("segment", None, "entry 2: segment None"),
        ("segment", [3.0, 1.0], "entry 2: segment [3.0, 1.0]; expected start before end"),
    ],
)
def test_a_wrong_detection_is_told_with_its_place(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str], key: str, value: Any, told: str
) -> None:
    content = json.loads(files[0].read_text())
    content["results"]["v1"][1][key] = value
    files[0].write_text(json.dumps(content))
    assert f"predictions.json: video v1: {told}" in _told(files, capsys)


def test_many_wrong_detections_are_cut_short(files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    content = json.loads(files[0].read_text())
    for entries in content["results"].values():
        for entry in entries:
            entry["label"] = "joy"
    files[0].write_text(json.dumps(content))
    told = _told(files, capsys)
    assert told.count("label 'joy'") == 5
    assert "And 16 more like this." in told


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({}, "no mapping `database`"),
        ({"database": {"v1": []}}, "video v1: []; expected a mapping"),
        (
            {"database": {"v1": {"subset": "test", "annotations": [{"label": "p", "segment": [3]}]}}},
            "video v1: annotation 1: segment [3]",
        ),
        (
            {"database": {"v1": {"subset": "test", "annotations": []}}},
            "no segment in subset test; its subsets are test",
        ),
        ({"database": {}}, "its subsets are none"),
    ],
)
def test_a_wrong_ground_truth_is_told(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str], content: Any, told: str
) -> None:
    files[1].write_text(json.dumps(content))
    assert told in _told(files, capsys)


def test_an_unknown_subset_is_told_with_those_there_are(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert "no segment in subset validation; its subsets are test, train" in _told(
        files, capsys, "--subset", "validation"
    )


def test_help_explains_the_files_and_the_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exited:
        main(["--help"])
    assert exited.value.code == 0
    told = capsys.readouterr().out
    for word in ("PREDICTIONS.json", "GROUND_TRUTH.json", "--subset", "--json", "tIoU", "F2"):
        assert word in told
