"""The examples of TSL-Net, as they come from the files."""

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jack_ray.contract.errors import DataError
from jack_ray.methods.roles import Split
from jack_ray.methods.tsl.data import Data, draw_annotators, held_out
from tests.methods.tsl.sample_config import data_config, model_config

REAL = Path(__file__).parents[4] / "shared/data/tsl300/dataset/VideoSenti"


def _data(root: Path, split: Split = "train", seed: int = 1, **changes: Any) -> Data:
    return Data(model_config(), data_config(root, **changes), split, seed)


def _write_points(root: Path, annotator: int, rows: list[tuple[str, str, int]]) -> None:
    lines = ["class,class_index,start_frame,stop_frame,video_id,point"]
    lines += [f"{label},{'np'.index(label)},{frame},{frame},{name},{frame}" for name, label, frame in rows]
    (root / f"point_gaussian/train/point_anno_{annotator}.txt").write_text("\n".join(lines))


def _names(root: Path, split: str = "train") -> list[str]:
    return (root / f"split_{split}.txt").read_text().split()


def test_a_sample_has_the_shapes_and_types_that_the_model_takes(demo: Path) -> None:
    data = _data(demo)
    sample = data[0]
    length = len(sample["rgb"])
    shapes = {key: value.shape for key, value in sample.items() if isinstance(value, np.ndarray)}
    assert shapes == {
        "rgb": (length, 1024),
        "mel": (length, 32, 60),
        "points": (length, 2),
        "video_labels": (2,),
        "label_distribution": (2,),
    }
    assert {value.dtype for value in sample.values() if isinstance(value, np.ndarray)} == {np.dtype(np.float32)}
    assert type(sample["fps"]) is float
    assert sample["name"] == data.names[0]
    assert sample["segments"] == []


def test_collating_adds_a_leading_axis_to_what_the_model_takes(demo: Path) -> None:
    data = _data(demo)
    batches = data.collate([data[2]])
    assert [batch["name"] for batch in batches] == [data.names[2]]
    length = batches[0]["rgb"].shape[1]
    assert batches[0]["rgb"].shape == (1, length, 1024)
    assert batches[0]["mel"].shape == (1, length, 32, 60)
    assert batches[0]["video_labels"].shape == (1, 2)
    assert batches[0]["points"].shape == (length, 2)
    assert batches[0]["label_distribution"].shape == (2,)


def test_short_videos_that_fit_together_are_one_batch_in_their_order(demo: Path) -> None:
    data = _data(demo)
    samples = [data[2], data[0]]
    lengths = [len(sample["rgb"]) for sample in samples]
    (batch,) = data.collate(samples)
    assert batch["name"] == [data.names[2], data.names[0]]
    assert batch["rgb"].shape == (1, sum(lengths) + 1, 1024)
    np.testing.assert_array_equal(batch["rgb"][0, lengths[0] + 1 :], samples[1]["rgb"])
    data.model = replace(data.model, joined_snippets=sum(lengths))
    assert data.fit_together(samples)
    data.model = replace(data.model, joined_snippets=sum(lengths) - 1)
    assert not data.fit_together(samples)


def test_both_streams_end_with_the_shorter_one_and_decibels_are_scaled(own_demo: Path) -> None:
    name = _names(own_demo)[0]
    rgb = np.arange(12 * 1024, dtype=np.float32).reshape(12, 1024)
    mel = np.random.default_rng(0).uniform(-60, 20, (10 * 32 + 31, 60)).astype(np.float32)
    np.save(own_demo / f"features/train/rgb/{name}.npy", rgb)
    np.save(own_demo / f"features/train/logmfcc/{name}.npy", mel)
    _write_points(own_demo, 0, [(one, "p", 20) for one in _names(own_demo)])
    data = _data(own_demo, annotator=0, val_fraction=0.0)
    sample = data[data.names.index(name)]
    np.testing.assert_array_equal(sample["rgb"], rgb[:10])
    np.testing.assert_allclose(sample["mel"][3, 5], (mel[3 * 32 + 5] + 50) / 80, rtol=1e-6)


def test_points_become_soft_targets_of_their_snippets(own_demo: Path) -> None:
    names = _names(own_demo)
    rows = [(name, "p", 5) for name in names[1:]]
    # Frames 15 and 16 are the last of snippet 0 and the first of snippet 1.
    rows += [(names[0], "n", 15), (names[0], "p", 16), (names[0], "p", 100)]
    _write_points(own_demo, 1, rows)
    sample = _data(own_demo, annotator=1, val_fraction=0.0)[0]
    expected = np.zeros_like(sample["points"])
    expected[0], expected[1], expected[6] = (0.9, 0.1), (0.1, 0.9), (0.1, 0.9)
    np.testing.assert_array_equal(sample["points"], expected)
    np.testing.assert_array_equal(sample["video_labels"], [1, 1])
    np.testing.assert_allclose(sample["label_distribution"], [1 / 3, 2 / 3])


def test_a_video_of_one_class_has_one_label(own_demo: Path) -> None:
    _write_points(own_demo, 1, [(name, "p", 5) for name in _names(own_demo)])
    sample = _data(own_demo, annotator=1)[0]
    np.testing.assert_array_equal(sample["video_labels"], [0, 1])
    np.testing.assert_array_equal(sample["label_distribution"], [0, 1])


def test_the_later_of_two_points_in_a_snippet_counts_as_in_the_published_code(own_demo: Path) -> None:
    names = _names(own_demo)
    _write_points(own_demo, 1, [(name, label, 5) for name in names for label in ("p", "n")])
    sample = _data(own_demo, annotator=1)[0]
    np.testing.assert_array_equal(sample["points"][0], np.array([0.9, 0.1], np.float32))
    np.testing.assert_array_equal(sample["label_distribution"], [0.5, 0.5])


def test_all_annotators_points_together(own_demo: Path) -> None:
    names = _names(own_demo)
    for annotator in range(3):
        _write_points(own_demo, annotator, [(name, "p", 16 * annotator) for name in names])
    assert np.flatnonzero(_data(own_demo, annotator="all")[0]["points"][:, 1]).tolist() == [0, 1, 2]
    assert np.flatnonzero(_data(own_demo, annotator=2)[0]["points"][:, 1]).tolist() == [2]


def test_a_random_annotator_is_drawn_for_each_video_by_the_seed(own_demo: Path) -> None:
    names = _names(own_demo)
    for annotator in range(3):
        _write_points(own_demo, annotator, [(name, "p", 16 * annotator) for name in names])

    def drawn(seed: int) -> list[int]:
        data = _data(own_demo, seed=seed, val_fraction=0.0)
        return [int(np.flatnonzero(data[index]["points"][:, 1])[0]) for index in range(len(data))]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)
    assert drawn(1) == [draw_annotators(names, 1)[name] for name in names]


def test_the_draw_of_annotators_is_that_of_the_published_code() -> None:
    names = [f"{index}_video" for index in range(200)]
    random.seed(123)
    # TSL300 senti_features.py: mix_video_points_label, after utils.set_seed.
    published = [(random.randint(0, 3 - 1) + random.randint(0, 0)) % 3 for _ in names]
    assert list(draw_annotators(names[::-1], 123).values()) == published


def test_test_videos_have_their_segments_and_no_points(demo: Path) -> None:
    truth = json.loads((demo / "gt.json").read_text())["database"]
    data = _data(demo, "test")
    assert len(data) == 3
    for sample in (data[index] for index in range(3)):
        annotations = truth[sample["name"]]["annotations"]
        assert sample["segments"] == [(*map(float, one["segment"]), one["label"]) for one in annotations]
        assert not sample["points"].any()
        counts = np.array([sum(one["label"] == label for one in annotations) for label in "np"])
        np.testing.assert_array_equal(sample["video_labels"], counts > 0)
        np.testing.assert_allclose(sample["label_distribution"], counts / counts.sum())


def test_a_test_video_without_segments_has_a_distribution_of_zeros(own_demo: Path) -> None:
    path = own_demo / "gt.json"
    content = json.loads(path.read_text())
    name = _names(own_demo, "test")[0]
    content["database"][name]["annotations"] = []
    path.write_text(json.dumps(content))
    sample = _data(own_demo, "test")[0]
    assert sample["segments"] == []
    np.testing.assert_array_equal(sample["label_distribution"], [0, 0])


def test_val_is_held_out_of_train_and_has_the_dense_segments(demo: Path) -> None:
    train, val = _data(demo, "train", val_fraction=0.3), _data(demo, "val", val_fraction=0.3)
    assert sorted(train.names + val.names) == sorted(_names(demo))
    assert len(val) == 2
    dense = json.loads((demo / "videosenti_gt.json").read_text())["database"]
    sample = val[0]
    assert len(sample["segments"]) == len(dense[sample["name"]]["annotations"]) > 0
    assert sample["points"].any()


def test_without_a_fraction_train_has_all_videos_and_val_none(demo: Path) -> None:
    assert len(_data(demo, "train", val_fraction=0.0)) == 8
    assert len(_data(demo, "val", val_fraction=0.0)) == 0


def test_val_without_dense_annotations_names_the_file_and_the_way_out(own_demo: Path) -> None:
    (own_demo / "videosenti_gt.json").unlink()
    assert len(_data(own_demo, "train")) == 7
    with pytest.raises(DataError, match=r"videosenti_gt.json: no such file(.|\n)*train.select_on=test"):
        _data(own_demo, "val")


def test_val_with_incomplete_dense_annotations_names_the_videos(own_demo: Path) -> None:
    (own_demo / "videosenti_gt.json").write_text('{"database": {}}')
    with pytest.raises(DataError, match="no entry for 1 videos held out from training"):
        _data(own_demo, "val")


def test_the_draw_of_held_out_videos_depends_on_the_seed_alone() -> None:
    names = [f"{index}_video" for index in range(100)]
    kinds = {name: "np"[index % 2] for index, name in enumerate(names)}
    first = held_out(names, kinds, 0.15, 1)
    assert first == held_out(names[::-1], kinds, 0.15, 1)
    assert first != held_out(names, kinds, 0.15, 2)


@pytest.mark.parametrize(("count", "fraction", "expected"), [(100, 0.15, 15), (10, 0.01, 1), (2, 0.9, 1), (3, 0.99, 2)])
def test_as_many_videos_are_held_out_as_asked_for(count: int, fraction: float, expected: int) -> None:
    names = [f"{index}_video" for index in range(count)]
    kinds = {name: ("n", "p", "np")[index % 3] for index, name in enumerate(names)}
    assert len(held_out(names, kinds, fraction, 1)) == expected


def test_a_lone_video_is_left_to_train_on() -> None:
    assert held_out(["1_video"], {}, 0.5, 1) == frozenset()


def test_every_kind_of_video_gives_its_share_to_val() -> None:
    kinds = {f"{index}_video": "n" if index < 20 else "p" for index in range(100)}
    chosen = [kinds[name] for name in held_out(list(kinds), kinds, 0.1, 7)]
    assert (chosen.count("n"), chosen.count("p")) == (2, 8)


def test_faults_of_the_annotations_are_told_at_once(own_demo: Path) -> None:
    (own_demo / "gt.json").write_text("{")
    (own_demo / "split_test.txt").unlink()
    with pytest.raises(DataError) as error:
        _data(own_demo)
    assert "gt.json: line 1" in str(error.value)
    assert "split_test.txt: no such file" in str(error.value)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Notes which streams are read from disk."""
    from jack_ray.methods.tsl import features

    noted: list[str] = []
    load = features.load

    def noting(path: Path, width: int) -> Any:
        noted.append(path.parent.name)
        return load(path, width)

    monkeypatch.setattr(features, "load", noting)
    return noted


def test_a_video_is_read_once_unless_its_files_change(own_demo: Path, read: list[str]) -> None:
    data = _data(own_demo)
    first, again = data[0], data[0]
    assert read == ["rgb", "logmfcc"]
    assert all((first[name] == again[name]).all() for name in ("rgb", "mel"))
    path = own_demo / f"features/train/rgb/{data.names[0]}.npy"
    np.save(path, np.load(path) + 1)
    assert (data[0]["rgb"] == first["rgb"] + 1).all()
    assert read == ["rgb", "logmfcc", "rgb"]


def test_without_memory_for_streams_every_sample_is_read(own_demo: Path, read: list[str]) -> None:
    data = _data(own_demo, stream_cache_mb=0)
    assert (data[0]["rgb"] == data[0]["rgb"]).all()
    assert read == ["rgb", "logmfcc"] * 2


def test_a_file_that_broke_after_the_look_is_named(own_demo: Path) -> None:
    data = _data(own_demo)
    path = own_demo / f"features/train/rgb/{data.names[0]}.npy"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(DataError, match=f"{path}: cut short"):
        data[0]
    path.unlink()
    with pytest.raises(DataError, match=f"{path}: unreadable"):
        data[0]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_not_finite_is_told_with_its_row(own_demo: Path, value: float) -> None:
    data = _data(own_demo)
    path = own_demo / f"features/train/logmfcc/{data.names[0]}.npy"
    values = np.load(path)
    values[17, 4] = values[40, 2] = value
    np.save(path, values)
    with pytest.raises(DataError, match=rf"{path}: {value} in row 17, column 4 \(2 of \d+ rows\)"):
        data[0]


def test_a_video_that_became_too_short_is_named(own_demo: Path) -> None:
    data = _data(own_demo)
    path = own_demo / f"features/train/rgb/{data.names[0]}.npy"
    np.save(path, np.load(path)[:7])
    with pytest.raises(DataError, match=f"{path}: 7 snippets in both streams; expected at least 8"):
        data[0]


def test_a_video_that_is_longer_than_the_positional_code_is_named(demo: Path) -> None:
    data = Data(model_config(max_snippets=8), data_config(demo), "train", 1)
    with pytest.raises(DataError, match=r"snippets; expected at most model.max_snippets=8"):
        [data[index] for index in range(len(data))]


def test_a_point_after_the_end_names_the_video(own_demo: Path) -> None:
    names = _names(own_demo)
    _write_points(own_demo, 0, [(name, "p", 99999) for name in names])
    with pytest.raises(DataError, match=f"{names[0]}: point 99999; expected a frame before "):
        _data(own_demo, annotator=0, val_fraction=0.0)[0]


@pytest.mark.skipif(not REAL.is_dir(), reason="the annotations of TSL-300 are not here")
def test_the_published_annotations_have_their_published_counts() -> None:
    train, val, test = (_data(REAL, split) for split in ("train", "val", "test"))
    assert (len(train), len(val), len(test)) == (170, 30, 100)
    segments = [segment for name in test.names for segment in test.segments[name]]
    assert len(segments) == 584
    assert sum(segment.label == "p" for segment in segments) == 352
    for annotator, count in enumerate((1438, 1254, 840)):
        data = _data(REAL, annotator=annotator, val_fraction=0.0)
        assert sum(len(points) for points in data.points.values()) == count
    present = {label for name in val.names for label in (segment.label for segment in val.segments[name])}
    assert present == {"n", "p"}
