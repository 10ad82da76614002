from dataclasses import replace
from math import cos, pi
from typing import Any

import pytest

from jack_ray.methods.tsl.reference import TRAIN
from jack_ray.train.schedule import rate


def rates(**settings: Any) -> list[float]:
    config = replace(TRAIN, **({"lr": 1.0, "steps": 8} | settings))
    return [rate(config, made) for made in range(config.steps)]


def test_a_constant_rate_stays() -> None:
    assert rates() == [1.0] * 8


def test_a_milestone_lowers_the_rate_after_as_many_updates() -> None:
    # torch.optim.lr_scheduler.MultiStepLR(milestones=[2, 5], gamma=0.1), lr before each step
    expected = [1, 1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.01]
    assert rates(schedule="multistep", milestones=(2, 5), gamma=0.1) == pytest.approx(expected)


def test_cosine_falls_from_the_full_rate_towards_zero() -> None:
    # torch.optim.lr_scheduler.CosineAnnealingLR(T_max=8): (1 + cos(pi t / 8)) / 2
    assert rates(schedule="cosine") == pytest.approx([(1 + cos(pi * made / 8)) / 2 for made in range(8)])
    assert rates(schedule="cosine")[4] == pytest.approx(0.5)


def test_warm_up_rises_in_equal_steps_and_reaches_the_full_rate() -> None:
    assert rates(warmup_steps=4)[:5] == [0.25, 0.5, 0.75, 1.0, 1.0]


def test_cosine_begins_after_the_warm_up() -> None:
    assert rates(schedule="cosine", warmup_steps=4) == pytest.approx(
        [0.25, 0.5, 0.75, 1.0, *((1 + cos(pi * made / 4)) / 2 for made in range(4))]
    )


def test_a_warm_up_longer_than_the_training_is_all_there_is() -> None:
    assert rates(schedule="cosine", warmup_steps=16)[-1] == 0.5
