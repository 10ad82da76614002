"""Answers for people's own videos, given as features."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jack_ray.contract.errors import DataError
from jack_ray.methods.roles import Sample
from jack_ray.methods.tsl.predict import Predictor
from tests.methods.tsl.sample_config import data_config, model_config


def no_question(_: object) -> Iterator[dict[str, Any]]:
    raise AssertionError


def test_the_timeline_has_the_scores_of_each_snippet() -> None:
    mine = Predictor(model_config(), data_config("/"), ("n", "p"))
    scores = np.array([[0.125, 0.5, 0.25], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
    outputs = {"scores": scores[None], "video_scores": np.array([[0.25, 0.75]])}
    (answer,) = mine.answers(outputs, {"name": "a", "fps": 32.0})
    assert answer["duration_s"] == 1.5
    assert mine.over_time(Path("a.npy"), answer, no_question, 10.0) == {
        "timeline": [
            {"start_s": 0.0, "end_s": 0.5, "probabilities": {"n": 0.125, "p": 0.5}},
            {"start_s": 0.5, "end_s": 1.0, "probabilities": {"n": 0.0, "p": 0.0}},
            {"start_s": 1.0, "end_s": 1.5, "probabilities": {"n": 1.0, "p": 0.0}},
        ]
    }


def test_an_hour_is_answered_for_though_training_took_no_longer_videos(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = Predictor(model_config(max_snippets=10), data_config("/"), ("n", "p"))
    assert mine.model.max_snippets * 16 / 60 >= 4 * 3600 * 0.99
    hour: Sample = {"rgb": np.zeros((5625, 1), np.float32), "fps": 25.0}
    monkeypatch.setattr(mine, "_read_features", lambda _: hour)
    assert mine.read(Path("features/test/rgb/a.npy"), max_s=3600) is hour
    with pytest.raises(DataError, match=r"a\.npy: 3600 s long; expected at most 3599 s"):
        mine.read(Path("features/test/rgb/a.npy"), max_s=3599)
