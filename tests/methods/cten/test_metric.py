import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jack_ray.methods.cten.metric import Metric
from jack_ray.methods.cten.reference import CLASSES, MODEL
from tests.methods.shared.clip_trees import data_config

# Jittor, where another test imported it before, flushes the smallest numbers to zero, which numpy notices.
pytestmark = pytest.mark.filterwarnings("ignore:The value of the smallest subnormal")

Spans = list[tuple[float, float]]


def seen(gammas: dict[str, list[float]], marked: dict[str, Spans | None]) -> Metric:
    """Videos of 10 s, taken for their class."""
    metric = Metric(MODEL, data_config("/data"))
    batch: dict[str, Any] = {
        "name": list(gammas),
        "label": np.zeros(len(gammas), np.int64),
        "classes": CLASSES,
        "duration_s": [10.0] * len(gammas),
        "segments": [marked[name] for name in gammas],
    }
    logits = np.tile(np.eye(8, dtype=np.float32)[0], (len(gammas), 1))
    metric.update({"logits": logits, "gamma": np.array(list(gammas.values()), np.float32)}, batch)
    return metric


GAMMAS: dict[str, list[float]] = {"a": [0, 0, 9, 0, 0], "b": [8, 0, 0, 0, 0]}
MARKED: dict[str, Spans | None] = {"a": [(4.0, 6.0)], "b": [(1.0, 3.0)]}


def test_key_segments_are_scored_by_overlap_whatever_the_class() -> None:
    # a: 4 s to 6 s found, exactly; b: 0 s to 2 s found, 1 of 3 s shared. The stronger one, a, comes first.
    values = seen(GAMMAS, MARKED).result()
    of_overlap = {name: value for name, value in values.items() if name.startswith("detection_mAP@")}
    assert of_overlap == {
        "detection_mAP@0.10": 1.0,
        "detection_mAP@0.20": 1.0,
        "detection_mAP@0.30": 1.0,
        "detection_mAP@0.40": 0.5,
        "detection_mAP@0.50": 0.5,
    }
    assert values["detection_mAP"] == pytest.approx(0.8)
    assert values["accuracy"] == 1.0


def test_without_marks_there_is_no_such_number() -> None:
    assert not any("detection" in name for name in seen(GAMMAS, {"a": None, "b": None}).result())


def test_videos_without_marks_have_no_part_in_it() -> None:
    half = seen(GAMMAS, {**MARKED, "b": None}).result()
    assert half["detection_mAP"] == 1.0


def test_parts_of_two_ranks_give_what_the_whole_gives() -> None:
    whole, merged = seen(GAMMAS, MARKED), seen({"b": GAMMAS["b"]}, MARKED)
    merged.merge(json.loads(json.dumps(seen({"a": GAMMAS["a"]}, MARKED).state())))
    assert merged.result() == whole.result()


def test_found_and_marked_segments_are_drawn(tmp_path: Path) -> None:
    names = {path.name for path in seen(GAMMAS, MARKED).pictures(tmp_path)}
    of_classes = {"confusion.png", "predictions.csv", "precision_recall.png", "calibration.png"}
    assert names == {*of_classes, "a.png", "b.png", "key_segments.png"}
