"""Population-based training: who is replaced by whom, and how settings change, also beside Ray Tune's own functions."""

import math
import random
from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from jack_ray.contract.errors import ConfigError
from jack_ray.contract.schema import SweepConfig
from jack_ray.expand import Point, Search, open_search, preview
from jack_ray.expand.members import leg_of
from jack_ray.expand.population import FACTORS, Leg, Result, Rules, anew, explore, first, follow, quantiles
from jack_ray.expand.space import Axis, read_space
from tests.sweeps import sweep_config

OVER = {
    "lr": "tag(log, interval(1e-6,1e-1))",
    "decay": "interval(0.0,1e3)",
    "width": "int(interval(1,1000))",
    "optimizer": "choice(adam,sgd,lion)",
    "warmup": "range(0,50,10)",
}
AXES = read_space(OVER, every_value=False, seed=0)
RULES = Rules(size=4, interval=10, steps=40, quantile=0.25, resample=0.25, seed=0)
PARAMS = {"lr": 1e-3, "decay": 1.0, "width": 100, "optimizer": "sgd", "warmup": 20}


def axis(key: str) -> Axis:
    return next(axis for axis in AXES if axis.key == key)


def ended(member: int, score: float, *, generation: int = 0, until: int = 10, lr: float = 1e-3) -> Result:
    leg = Leg(member, generation, None, until - 10, until)
    return Result(100 * generation + member, leg, PARAMS | {"lr": lr}, score)


def test_a_member_that_is_not_among_the_worst_goes_on_unchanged() -> None:
    assert follow(RULES, AXES, [ended(0, 0.5)]) == (Leg(0, 1, 0, 10, 20), PARAMS)
    results = [ended(1, 0.1), ended(2, 0.2), ended(3, 0.3), ended(0, 0.15)]
    assert follow(RULES, AXES, results) == (Leg(0, 1, 0, 10, 20), PARAMS)


def test_the_worst_goes_on_from_the_best_with_changed_settings() -> None:
    results = [ended(1, 0.1), ended(2, 0.2), ended(3, 0.9, lr=1e-2), ended(0, 0.05)]
    rules = replace(RULES, resample=0.0)
    after = follow(rules, AXES, results)
    assert after is not None
    leg, params = after
    assert leg == Leg(0, 1, 3, 10, 20)
    assert params != PARAMS
    assert params["lr"] in (1e-2 * 1.2, 1e-2 * 0.8)
    assert follow(rules, AXES, results) == after, "the same whenever it is asked"


def test_nobody_waits_the_last_known_score_of_each_counts_and_steps_may_be_jumped() -> None:
    ahead = ended(2, 0.9, generation=2, until=30)
    results = [ended(1, 0.5), ended(2, 0.1), ended(3, 0.6), ahead, ended(0, 0.2)]
    after = follow(RULES, AXES, results)
    assert after is not None
    assert after[0] == Leg(0, 1, ahead.number, 30, 40)


def test_members_that_have_ended_are_neither_copied_nor_counted() -> None:
    done = ended(1, 0.9, generation=3, until=40)
    assert follow(RULES, AXES, [done]) is None
    after = follow(RULES, AXES, [done, ended(2, 0.4), ended(3, 0.3), ended(0, 0.1)])
    assert after is not None
    assert after[0].origin == 2


def test_the_last_leg_ends_with_the_training() -> None:
    rules = Rules(size=2, interval=30, steps=40, quantile=0.5, resample=0.25, seed=0)
    assert first(rules, 1) == Leg(1, 0, None, 0, 30)
    after = follow(rules, AXES, [Result(0, first(rules, 0), PARAMS, 0.1)])
    assert after is not None
    assert after[0] == Leg(0, 1, 0, 30, 40)
    assert first(Rules(2, 30, 20, 0.5, 0.25, 0), 0).until == 20


def test_changed_settings_stay_within_their_values() -> None:
    draws = random.Random(0)
    params: dict[str, Any] = dict(PARAMS)
    seen = set()
    for _ in range(2000):
        params = explore(params, AXES, draws, 0.1)
        assert 1e-6 <= params["lr"] <= 1e-1
        assert 0 <= params["decay"] <= 1e3
        assert type(params["width"]) is int
        assert 1 <= params["width"] <= 1000
        seen.add((params["optimizer"], params["warmup"]))
    assert seen == set(product(("adam", "sgd", "lion"), (0, 10, 20, 30, 40)))


@pytest.mark.ray
def test_the_worst_and_the_best_are_those_of_ray_tune() -> None:
    from ray.tune.schedulers.pbt import PopulationBasedTraining

    draws = random.Random(1)
    for size, fraction, missing in product(range(12), (0.0, 0.1, 0.25, 0.4, 0.5), (0, 1)):
        scores = {member: draws.choice([0.1, 0.2, 0.3, draws.random()]) for member in range(size)}
        if missing and size:
            scores[draws.randrange(size)] = math.nan
        theirs = PopulationBasedTraining(
            metric="m", mode="max", hyperparam_mutations={"x": [1]}, quantile_fraction=fraction
        )
        members = [SimpleNamespace(number=member, is_finished=lambda: False) for member in scores]
        theirs._trial_state = {_Hashed(m): SimpleNamespace(last_score=scores[m.number]) for m in members}
        expected = tuple([trial.number for trial in part] for part in theirs._quantiles())
        assert quantiles(scores, fraction) == expected


class _Hashed:
    def __init__(self, member: SimpleNamespace) -> None:
        self.number = member.number
        self.is_finished = member.is_finished


@pytest.mark.ray
@pytest.mark.parametrize("resample", [0.0, 0.25, 1.0])
def test_settings_change_as_in_ray_tune(resample: float) -> None:
    """Both draw from the same stream in the same order, so the results are equal, not only alike."""
    from ray.tune.schedulers.pbt import _explore

    mutations: Mapping[str, Any] = {
        "lr": lambda: anew(axis("lr").distribution, random),  # type: ignore[arg-type]
        "decay": lambda: anew(axis("decay").distribution, random),  # type: ignore[arg-type]
        "width": lambda: anew(axis("width").distribution, random),  # type: ignore[arg-type]
        "optimizer": ["adam", "sgd", "lion"],
        "warmup": [0, 10, 20, 30, 40],
    }
    for seed in range(300):
        random.seed(seed)
        expected, _ = _explore(PARAMS, mutations, resample, FACTORS, None)
        assert explore(PARAMS, AXES, random.Random(seed), resample) == expected


def sweep(**changes: Any) -> SweepConfig:
    over = {"train.lr": "tag(log, interval(1e-6,1e-1))"}
    return sweep_config(strategy="pbt", over=over, max_steps=40, interval=10, **changes)


def begin(folder: Path, **changes: Any) -> Search:
    return open_search(sweep(**changes), folder / "journal.log", "val/mAP", "max")


def rate(point: Point) -> float:
    return float(point.overrides[0].partition("=")[2])


def end(search: Search, point: Point, value: float) -> None:
    assert point.until is not None
    search.report(point.number, point.until, value)
    search.tell(point.number, "finished", value + 1.0)


def train_all(search: Search) -> list[Point]:
    """One member after the other: a larger rate is better."""
    points = []
    while point := next(iter(search.unfinished()), None) or search.ask():
        points.append(point)
        end(search, point, rate(point))
    assert search.is_over()
    return points


def test_members_begin_with_their_own_settings_and_wait_while_all_train(tmp_path: Path) -> None:
    search = begin(tmp_path)
    assert search.total() == 16
    points = list(iter(search.ask, None))
    assert [(point.number, point.origin, point.until) for point in points] == [(n, None, 10) for n in range(4)]
    assert len({point.overrides for point in points}) == 4
    assert search.points() == points == preview(sweep(), "max")
    assert not search.is_over()
    end(search, points[2], 0.5)
    after = search.ask()
    assert after == Point(4, points[2].overrides, (2, 10), 20)
    assert search.ask() is None


def test_the_worst_member_is_given_the_checkpoint_of_the_best(tmp_path: Path) -> None:
    search = begin(tmp_path, resample=0.0)
    points = list(iter(search.ask, None))
    for point, value in zip(points, (0.3, 0.9, 0.5, 0.1), strict=True):
        end(search, point, value)
    after = list(iter(search.ask, None))
    assert [point.origin for point in after] == [(0, 10), (1, 10), (2, 10), (1, 10)]
    assert [point.until for point in after] == [20] * 4
    assert rate(after[3]) in (pytest.approx(rate(points[1]) * 1.2), pytest.approx(rate(points[1]) * 0.8))


def test_decisions_follow_the_order_of_the_results_whenever_they_are_asked_for(tmp_path: Path) -> None:
    """The first that ends knows of no other, so it goes on, though at the time of asking it is the worst."""
    search = begin(tmp_path)
    points = list(iter(search.ask, None))
    for point, value in zip(points, (0.1, 0.9, 0.5, 0.4), strict=True):
        end(search, point, value)
    after = list(iter(search.ask, None))
    assert after[0].origin == (0, 10)


def test_the_score_is_that_of_the_last_step_not_the_best(tmp_path: Path) -> None:
    search = begin(tmp_path, population=2, quantile=0.5)
    first_point, second = iter(search.ask, None)
    search.report(first_point.number, 5, 0.9)
    search.report(first_point.number, 10, 0.2)
    search.tell(first_point.number, "finished", 0.9)
    end(search, second, 0.3)
    assert [point.origin for point in iter(search.ask, None)] == [(0, 10), (1, 10)]
    assert legs(search)[3].origin == 1


def legs(search: Search) -> list[Leg]:
    return [leg_of(trial) for trial in search.study.get_trials(deepcopy=False)]


def test_a_population_trains_to_the_end_and_improves(tmp_path: Path) -> None:
    search = begin(tmp_path, num_trials=2)
    points = train_all(search)
    assert 16 <= len(points) == search.total() < 20, "a copy of a member that is behind trains a part again"
    ended = {leg.member for leg in legs(search) if leg.until == 40}
    assert ended == {0, 1, 2, 3}
    starts = [(leg.origin, leg.start) for leg in legs(search) if leg.origin is not None]
    assert all(legs(search)[origin].until == start for origin, start in starts)
    assert any(legs(search)[origin].member != leg.member for leg in legs(search) if (origin := leg.origin))
    assert min(map(rate, points[12:])) > min(map(rate, points[:4]))


def test_a_driver_started_anew_at_any_moment_goes_on_to_the_same_population(tmp_path: Path) -> None:
    straight = train_all(begin(tmp_path / "straight"))
    journal = (tmp_path / "straight" / "journal.log").read_bytes()
    for length in range(0, len(journal), len(journal) // 40):
        folder = tmp_path / str(length)
        folder.mkdir()
        (folder / "journal.log").write_bytes(journal[:length])
        train_all(begin(folder))
        assert begin(folder).points() == straight


def test_a_failed_member_holds_up_nobody_and_may_be_tried_again(tmp_path: Path) -> None:
    search = begin(tmp_path)
    for point in list(iter(search.ask, None)):
        if point.number == 1:
            search.tell(1, "failed", None)
        else:
            end(search, point, 0.5)
    train_all(search)
    assert {leg.member for leg in legs(search) if leg.until == 40} == {0, 2, 3}
    again = begin(tmp_path)
    assert [point.number for point in again.failed()] == [1]
    end(again, again.failed()[0], 0.5)
    train_all(again)
    assert {leg.member for leg in legs(again) if leg.until == 40} == {0, 1, 2, 3}


def test_a_member_that_is_stopped_is_not_trained_on(tmp_path: Path) -> None:
    search = begin(tmp_path)
    for point in list(iter(search.ask, None)):
        search.tell(point.number, "stopped", None) if point.number == 1 else end(search, point, 0.5)
    train_all(search)
    assert {leg.member for leg in legs(search) if leg.start > 0} == {0, 2, 3}


@pytest.mark.parametrize("key", ["model.width", "train.optimizer", "train.steps", "data"])
def test_settings_that_a_copy_cannot_change_are_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(ConfigError, match=f"sweep.over.{key}: sweep.strategy=pbt copies weights"):
        open_search(replace(sweep(), over={key: "1,2"}), tmp_path / "journal.log", "val/mAP", "max")


def test_nothing_is_added_to_a_population() -> None:
    with pytest.raises(ConfigError, match=r"more: 3 with sweep.strategy=pbt(.|\n)*sweep.population"):
        preview(sweep(), "max", 3)
