import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jack_ray.contract.errors import TrainError
from jack_ray.methods.shared.video_metric import NUM_PICTURES, VideoMetric, chosen

# Jittor, where another test imported it before, flushes the smallest numbers to zero, which numpy notices.
pytestmark = pytest.mark.filterwarnings("ignore:The value of the smallest subnormal")

LABELS = ("Anger", "Joy", "Trust")


def part(names: list[str], seed: int = 1) -> tuple[dict[str, Any], dict[str, Any]]:
    """Outputs and batch of some videos."""
    generator = np.random.default_rng([seed, len(names)])
    outputs = {
        "logits": np.stack([np.random.default_rng(len(name)).random(3) for name in names]),
        "gamma": generator.random((len(names), 4)),
    }
    batch = {
        "name": names,
        "label": np.arange(len(names)) % 3,
        "classes": LABELS,
        "duration_s": [2.0] * len(names),
        "segments": [None] * len(names),
    }
    return outputs, batch


def seen(*parts: tuple[dict[str, Any], dict[str, Any]]) -> VideoMetric:
    metric = VideoMetric()
    for outputs, batch in parts:
        metric.update(outputs, batch)
    return metric


def test_parts_of_two_ranks_give_what_the_whole_gives() -> None:
    first, second = part(["a", "bb", "ccc"]), part(["dddd", "eeeee"])
    merged = VideoMetric()
    for one in (second, first):
        merged.merge(json.loads(json.dumps(seen(one).state())))
    assert merged.result() == seen(first, second).result()


def test_a_rank_without_videos_has_a_part() -> None:
    merged = seen(part(["a"]))
    merged.merge(json.loads(json.dumps(VideoMetric().state())))
    assert merged.result()["accuracy"] in (0.0, 1.0)


def test_a_split_without_videos_has_no_numbers() -> None:
    with pytest.raises(TrainError, match="Not one sample was scored"):
        VideoMetric().result()


def test_every_video_is_left_with_its_class_and_probabilities() -> None:
    metric = seen(part(["a", "bb"]), part(["ccc"]))
    found = json.loads(json.dumps(metric.scored()))
    assert metric.classes is not None
    assert (found["kind"], tuple(found["labels"])) == ("classes", metric.classes.labels)
    assert list(found["samples"]) == ["a", "bb", "ccc"]
    for name, sample in found["samples"].items():
        number, scores = metric.classes.scored[name]
        shares = np.exp(scores) / np.exp(scores).sum()
        assert sample["truth"] == number
        assert sample["probabilities"] == pytest.approx(shares.tolist())


def test_every_video_counts_also_those_of_a_last_smaller_batch() -> None:
    metric = seen(part(["a", "bb"]), part(["ccc"]))
    assert metric.classes is not None
    assert sorted(metric.classes.scored) == ["a", "bb", "ccc"]


def test_attention_that_is_no_number_is_told_with_the_video() -> None:
    outputs, batch = part(["a"])
    outputs["gamma"][0, 1] = np.nan
    with pytest.raises(TrainError, match="The attention of a is not made of finite numbers"):
        VideoMetric().update(outputs, batch)


def test_pictures_are_of_the_same_videos_in_any_order(tmp_path: Path) -> None:
    names = [f"video {number}" for number in range(9)]
    metric = seen(part(names))
    paths = metric.pictures(tmp_path)
    of_classes = {"confusion.png", "predictions.csv", "precision_recall.png", "calibration.png"}
    assert {path.name for path in paths} >= of_classes
    assert len(paths) == NUM_PICTURES + len(of_classes)
    assert all(path.stat().st_size > 0 for path in paths)
    assert chosen(dict.fromkeys(names)) == chosen(dict.fromkeys(reversed(names)))
