"""Places whose ranks stayed go to trials that fit them, or back."""

import time
from pathlib import Path
from typing import Any

import pytest

from jack_ray.contract.schema import MpiConfig
from jack_ray.contract.trial import Trial
from jack_ray.place import idle
from jack_ray.place.idle import IdlePlaces
from jack_ray.place.news import Need, Order

NEED = Need(ranks=2)


def order(avoid: frozenset[str] = frozenset()) -> Order:
    trial = Trial("tsl", {"name": "tsl"}, {"root": "/data"}, {"steps": 4}, "0123", 2, 1)
    return Order(trial, Path("/runs"), 1, False, Path("/jittor"), MpiConfig("openmpi", 600.0, None, 5.0), avoid=avoid)


def held(name: str = "lab1", need: Need = NEED) -> dict[str, Any]:
    """What the handle of a trial holds that has ended."""
    return {"actor": name, "group": f"group of {name}", "layout": (2,), "need": need, "known": set(), "nodes": (name,)}


def test_a_trial_that_needs_the_same_gets_the_place() -> None:
    places = IdlePlaces()
    places.keep(held())
    found = places.take(order(), NEED)
    assert found is not None
    assert (found["actor"], found["group"], found["layout"]) == ("lab1", "group of lab1", (2,))
    assert places.take(order(), NEED) is None


@pytest.mark.parametrize("need", [Need(ranks=1), Need(ranks=2, gpus=2.0), Need(ranks=2, memory=1 << 30)])
def test_a_trial_that_needs_something_else_does_not_get_it(need: Need) -> None:
    places = IdlePlaces()
    places.keep(held())
    assert places.take(order(), need) is None
    assert len(places) == 1


def test_a_trial_does_not_get_a_machine_that_it_avoids() -> None:
    places = IdlePlaces()
    places.keep(held("lab1"))
    places.keep(held("lab2"))
    found = places.take(order(frozenset({"lab1"})), NEED)
    assert found is not None
    assert found["actor"] == "lab2"


def test_a_place_that_no_trial_comes_for_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    places = IdlePlaces()
    places.keep(held("lab1"))
    clock[0] += idle.IDLE_S - 1
    assert places.give_up(idle.IDLE_S) == []
    clock[0] += 2
    assert [place.actor for place in places.give_up(idle.IDLE_S)] == ["lab1"]
    assert len(places) == 0


def test_all_places_are_given_back_at_once_at_the_end() -> None:
    places = IdlePlaces()
    places.keep(held("lab1"))
    places.keep(held("lab2"))
    assert [place.actor for place in places.give_up(0.0)] == ["lab1", "lab2"]
