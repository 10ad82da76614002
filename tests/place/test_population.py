"""A population in the control loop: legs follow each other, and nobody waits for anybody."""

from pathlib import Path

import pytest

from jack_ray.contract import events
from jack_ray.place import run
from jack_ray.place.news import Ended, Order
from tests.place.scene import FakeHands, Story, Sweep, grid, metric

PBT = grid(
    "0.1,0.2,0.3,0.4", strategy="pbt", population=4, interval=2, max_steps=4, quantile=0.25, resample=0.0, seed=3
)


@pytest.fixture(autouse=True)
def _without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "TICK_S", 0.0)


def leg(order: Order) -> Story:
    """Trains from where it begins to where it ends; a larger rate is better."""
    first = order.trial.origin["step"] if order.trial.origin is not None else 0
    steps = range(first + 1, order.trial.last_step + 1)
    told = [metric(order.attempt, step, float(order.trial.train["lr"])) for step in steps]
    last = events.new("finished", order.attempt, order.trial.last_step, {"test/average_mAP": 0.0})
    return [events.new("started", order.attempt), *told, last, Ended("finished")]


def test_a_population_is_trained_to_its_end_with_more_places_than_members(tmp_path: Path) -> None:
    sweep = Sweep(tmp_path, FakeHands(leg, places=9), PBT)
    entries = sweep.run()
    assert {entry.state.status for entry in entries} == {"finished"}
    assert sum(entry.trial.last_step == 4 for entry in entries) == 4
    assert sweep.hands.most <= 4
    known = {entry.trial.id: entry.trial for entry in entries}
    for entry in entries:
        if entry.trial.origin is not None:
            assert known[entry.trial.origin["trial"]].last_step == entry.trial.origin["step"]


def test_the_worst_of_a_population_goes_on_from_the_best(tmp_path: Path) -> None:
    entries = Sweep(tmp_path, FakeHands(leg), PBT).run()
    began = {entry.trial.train["lr"]: entry.trial.id for entry in entries if entry.trial.origin is None}
    origins = [str(entry.trial.origin["trial"]) for entry in entries if entry.trial.origin is not None]
    assert began[max(began)] in origins
    assert len({entry.trial.id for entry in entries}) == len(entries)


def test_a_population_that_was_interrupted_goes_on_to_the_same_trials(tmp_path: Path) -> None:
    straight = [entry.trial.id for entry in Sweep(tmp_path / "straight", FakeHands(leg), PBT).run()]
    for rounds in (3, 14, 25):
        folder = tmp_path / str(rounds)
        interrupted = Sweep(folder, FakeHands(leg), PBT)
        interrupted.step(rounds)
        interrupted.controller._set_aside(interrupted.controller.running(), "stopped by the user")
        assert [entry.trial.id for entry in Sweep(folder, FakeHands(leg), PBT).run()] == straight
