"""Hands without Ray, before any rank is started."""

import time
from pathlib import Path

from jack_ray.contract.schema import MpiConfig
from jack_ray.contract.trial import Trial
from jack_ray.place.inline import InlineHands
from jack_ray.place.news import Order

LONG_S = 60.0


def test_the_end_of_a_trial_is_not_waited_past(tmp_path: Path) -> None:
    data = {"name": "tsl300", "root": str(tmp_path / "missing")}
    trial = Trial("tsl", {"name": "tsl"}, data, {"steps": 4}, "0123", 1, 1)
    mpi = MpiConfig("none", 600.0, None, 5.0)
    hands = InlineHands()
    began = time.monotonic()
    handle = hands.start(Order(trial, tmp_path / trial.id, 1, False, tmp_path, mpi))
    while (ended := hands.poll(handle).ended) is None:
        hands.wait(LONG_S)
    assert time.monotonic() - began < LONG_S
    assert ended.failure is not None
    assert "missing is not there" in ended.failure.message


def test_the_time_is_over_where_nothing_runs() -> None:
    began = time.monotonic()
    InlineHands().wait(0.05)
    assert time.monotonic() - began >= 0.05
