import json
from typing import Any

import numpy as np

from jack_ray.methods.vaanet.metric import Metric
from jack_ray.methods.vaanet.reference import CLASSES, MODEL
from tests.methods.shared.clip_trees import data_config


def test_classes_are_counted_over_both_ranks() -> None:
    def seen(names: list[str], right: list[bool]) -> Metric:
        metric = Metric(MODEL, data_config("/data"))
        scores = np.zeros((len(names), 8), np.float32)
        scores[np.arange(len(names)), [2 if hit else 5 for hit in right]] = 1
        batch: dict[str, Any] = {"name": names, "label": np.full(len(names), 2), "classes": CLASSES}
        batch |= {"duration_s": [3.0] * len(names), "segments": [None] * len(names)}
        metric.update({"logits": scores, "gamma": np.ones((len(names), 12))}, batch)
        return metric

    metric = seen(["a", "b", "c"], [True, False, True])
    metric.merge(json.loads(json.dumps(seen(["d"], [True]).state())))
    assert metric.result()["accuracy"] == 0.75
    assert metric.result()["accuracy_Disgust"] == 0.75
