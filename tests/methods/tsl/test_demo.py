"""Generated data in TSL-300's layout."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jack_ray.contract.errors import ConfigError, DataError, JackRayError
from jack_ray.methods.tsl import demo as demo_module
from jack_ray.methods.tsl import demo_signal
from jack_ray.methods.tsl.data import Data
from jack_ray.methods.tsl.demo import Report, generate
from tests.methods.tsl.looking import look
from tests.methods.tsl.sample_config import data_config, model_config

REAL = Path(__file__).parents[4] / "shared/data/tsl300/dataset/VideoSenti"


def _generate(root: Path, **changes: Any) -> Report:
    arguments: dict[str, Any] = {"train": 3, "test": 2, "seed": 1, "snippets": (8, 10), "annotations": None}
    return generate(root, **(arguments | changes))


def _digests(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def test_the_layout_is_that_of_tsl_300(tmp_path: Path) -> None:
    root = tmp_path / "deep" / "VideoSenti"
    report = _generate(root)
    assert (report.videos, report.was_there) == ({"train": 3, "test": 2}, False)
    found = look(root)
    assert found.faults == ()
    assert (found.summary["train videos"], found.summary["test videos"]) == (3, 2)
    name = (root / "split_train.txt").read_text().split()[0]
    truth = json.loads((root / "gt.json").read_text())["database"]
    dense = json.loads((root / "videosenti_gt.json").read_text())["database"]
    assert truth[name] == {"subset": "train", "annotations": []}
    assert all(isinstance(second, str) for second in dense[name]["annotations"][0]["segment"])
    rgb = np.load(root / f"features/train/rgb/{name}.npy")
    mel = np.load(root / f"features/train/logmfcc/{name}.npy")
    assert (rgb.dtype, rgb.shape[1], mel.dtype, mel.shape[1]) == (np.float32, 1024, np.float32, 60)
    assert 8 <= min(len(rgb), len(mel) // 32) <= 10


def test_decibels_lie_where_those_of_real_sound_do(demo: Path) -> None:
    data = Data(model_config(), data_config(demo), "train", 1)
    mel = data[0]["mel"]
    assert 0.2 < mel.mean() < 0.6
    assert mel.min() > -0.5
    assert mel.max() < 1.5


def test_the_same_seed_gives_the_same_files(tmp_path: Path) -> None:
    _generate(tmp_path / "one")
    _generate(tmp_path / "two")
    _generate(tmp_path / "three", seed=2)
    assert _digests(tmp_path / "one") == _digests(tmp_path / "two")
    features = [name for name in _digests(tmp_path / "one") if name.endswith(".npy")]
    other = _digests(tmp_path / "three")
    assert all(_digests(tmp_path / "one")[name] != other.get(name) for name in features)


def test_what_is_there_already_is_left_alone(tmp_path: Path) -> None:
    first = _generate(tmp_path / "demo")
    before = (tmp_path / "demo" / "demo.json").stat().st_mtime_ns
    second = _generate(tmp_path / "demo")
    assert (first.was_there, second.was_there) == (False, True)
    assert (second.videos, second.num_bytes) == (first.videos, first.num_bytes)
    assert (tmp_path / "demo" / "demo.json").stat().st_mtime_ns == before
    assert "is there already" in str(second)


def test_other_arguments_replace_earlier_demo_data(tmp_path: Path) -> None:
    _generate(tmp_path / "demo")
    assert _generate(tmp_path / "demo", train=4).videos["train"] == 4
    assert look(tmp_path / "demo").faults == ()


def test_demo_data_with_a_file_missing_is_generated_anew(tmp_path: Path) -> None:
    _generate(tmp_path / "demo")
    next((tmp_path / "demo/features/train/rgb").iterdir()).unlink()
    assert not _generate(tmp_path / "demo").was_there
    assert look(tmp_path / "demo").faults == ()


def test_an_interrupted_generation_leaves_no_data_set_and_is_redone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = demo_signal.features
    calls = []

    def interrupted(*arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(demo_module, "features", interrupted)
    with pytest.raises(KeyboardInterrupt):
        _generate(tmp_path / "demo")
    assert not (tmp_path / "demo").exists()
    monkeypatch.undo()
    _generate(tmp_path / "demo")
    assert look(tmp_path / "demo").faults == ()
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]


def test_a_full_disk_is_told_with_the_size_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(JackRayError, match=r"Cannot write demo data to .*No space left on device. About \d+ MB"):
        _generate(tmp_path / "demo")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_demo_data_is_refused(tmp_path: Path) -> None:
    (tmp_path / "gt.json").write_text("{}")
    with pytest.raises(DataError, match=r"not demo data: it has no demo.json"):
        _generate(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["gt.json"]


def test_demo_data_with_somebodys_files_in_it_is_refused(tmp_path: Path) -> None:
    _generate(tmp_path / "demo")
    (tmp_path / "demo" / "notes.txt").write_text("mine")
    with pytest.raises(DataError, match=r"files that are not demo data: notes.txt"):
        _generate(tmp_path / "demo", train=4)
    assert (tmp_path / "demo" / "notes.txt").read_text() == "mine"


def test_a_file_in_the_folders_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "demo").write_text("")
    with pytest.raises(DataError, match="a file; expected a folder for demo data"):
        _generate(tmp_path / "demo")


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    assert not _generate(tmp_path / "demo").was_there


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"train": 1}, "--train: 1; expected at least 2 videos"),
        ({"test": 0}, "--test: 0; expected at least 1 video"),
        ({"seed": -1}, "--seed: -1; expected 0 or more"),
        ({"snippets": (7, 9)}, "--snippets: 7 9; expected 8 <= MIN <= MAX"),
        ({"snippets": (9, 8)}, "--snippets: 9 8"),
        ({"train": 1, "annotations": Path("somewhere")}, "--limit: 1; expected at least 2 videos"),
    ],
)
def test_impossible_numbers_are_told(tmp_path: Path, changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError) as error:
        _generate(tmp_path / "demo", **changes)
    assert told in str(error.value)
    assert list(tmp_path.iterdir()) == []


def _snippets(root: Path, split: str, truth: str) -> tuple[Any, Any]:
    """Visual features and classes (n 0, p 1, background 2) of all snippets."""
    database = json.loads((root / truth).read_text())["database"]
    rates = json.loads((root / "fps_dict.json").read_text())
    features, classes = [], []
    for name in (root / f"split_{split}.txt").read_text().split():
        rgb = np.load(root / f"features/{split}/rgb/{name}.npy")
        mel = np.load(root / f"features/{split}/logmfcc/{name}.npy")
        rgb = rgb[: min(len(rgb), len(mel) // 32)]
        middle = (np.arange(len(rgb)) + 0.5) * 16 / rates[name]
        of_snippet = np.full(len(rgb), 2)
        for one in database[name]["annotations"]:
            start, end = map(float, one["segment"])
            of_snippet[(middle >= start) & (middle <= end)] = "np".index(one["label"])
        features.append(rgb)
        classes.append(of_snippet)
    return np.concatenate(features), np.concatenate(classes)


def test_sentiment_can_be_learnt_from_the_pictures_but_not_without_error(tmp_path: Path) -> None:
    root = tmp_path / "demo"
    _generate(root, train=24, test=8, snippets=(24, 48))
    features, classes = _snippets(root, "train", "videosenti_gt.json")
    unseen, answers = _snippets(root, "test", "gt.json")
    mean, spread = features.mean(0), features.std(0)
    inputs, targets = (features - mean) / spread, np.eye(3)[classes]
    weights, offset = np.zeros((1024, 3)), np.zeros(3)
    for _ in range(100):
        scores = np.exp(inputs @ weights + offset)
        wrong = scores / scores.sum(axis=1, keepdims=True) - targets
        weights -= 0.01 * inputs.T @ wrong / len(inputs)
        offset -= 0.1 * wrong.mean(0)
    right = (((unseen - mean) / spread @ weights + offset).argmax(axis=1) == answers).mean()
    majority = np.bincount(answers).max() / len(answers)
    assert right > majority + 0.2
    assert right < 0.97


@pytest.mark.skipif(not REAL.is_dir(), reason="the annotations of TSL-300 are not here")
def test_features_can_be_generated_for_the_published_annotations(tmp_path: Path) -> None:
    root = tmp_path / "demo"
    _generate(root, train=3, test=2, annotations=REAL)
    assert look(root).faults == ()
    names = (root / "split_train.txt").read_text().split()
    assert names == ["1_Ekman6_disgust_3", "2_Ekman6_joy_1308", "3_Ekman6_fear_699"]
    published = json.loads((REAL / "videosenti_gt.json").read_text())["database"]
    generated = json.loads((root / "videosenti_gt.json").read_text())["database"]
    assert [[list(map(float, one["segment"])) for one in generated[name]["annotations"]] for name in names] == [
        [list(map(float, one["segment"])) for one in published[name]["annotations"]] for name in names
    ]
    rows = (root / "point_gaussian/train/point_anno_2.txt").read_text().splitlines()
    published_rows = (REAL / "point_gaussian/train/point_anno_2.txt").read_text().splitlines()
    assert rows == [row for row in published_rows if row.startswith("class,") or row.split(",")[4] in names]
    seconds = json.loads((REAL / "len_duration_dict.json").read_text())
    rates = json.loads((REAL / "fps_dict.json").read_text())
    data = Data(model_config(), data_config(root, val_fraction=0.0), "train", 1)
    for index, name in enumerate(data.names):
        assert len(data[index]["rgb"]) == int(seconds[name] * rates[name]) // 16


def test_broken_annotations_are_told_before_anything_is_written(demo: Path, own_demo: Path, tmp_path: Path) -> None:
    (own_demo / "videosenti_gt.json").write_text("{")
    (own_demo / "len_duration_dict.json").unlink()
    with pytest.raises(DataError) as error:
        _generate(tmp_path / "new", annotations=own_demo)
    assert "videosenti_gt.json: line 1" in str(error.value)
    assert "len_duration_dict.json: no such file" in str(error.value)
    assert not (tmp_path / "new").exists()


def test_a_name_that_is_not_in_all_annotation_files_is_told(own_demo: Path, tmp_path: Path) -> None:
    path = own_demo / "len_duration_dict.json"
    content = json.loads(path.read_text())
    name = (own_demo / "split_test.txt").read_text().split()[0]
    del content[name]
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match=f"split_test.txt: {name}: not in all of videosenti_gt.json, fps_dict.json"):
        _generate(tmp_path / "new", annotations=own_demo)
