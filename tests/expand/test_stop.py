"""Early stopping: each rule against its definition, worked by hand."""

from pathlib import Path

import pytest

from jack_ray.expand import Search, open_search
from jack_ray.expand.stop import is_stuck
from tests.sweeps import sweep_config

LR = {"train.lr": "tag(log, interval(1e-6,1e-3))"}


def begin(folder: Path, stopper: str, *, strategy: str = "random", num_trials: int = 6, **changes: int) -> Search:
    over = LR if strategy != "grid" else {"train.seed": f"range(0,{num_trials})"}
    sweep = sweep_config(strategy=strategy, over=over, stopper=stopper, num_trials=num_trials, **changes)
    return open_search(sweep, folder / "journal.log", "val/mAP", "max")


def ask_all(search: Search) -> Search:
    assert len(list(iter(search.ask, None))) == search.total()
    return search


def follow(search: Search, number: int, values: dict[int, float]) -> int | None:
    """Report a trial's values to the end; the step at which it was stopped."""
    for step, value in values.items():
        search.report(number, step, value)
        if not search.keep(number):
            search.tell(number, "stopped", None)
            return step
    search.tell(number, "finished", max(values.values()))
    return None


def level(value: float) -> dict[int, float]:
    return {step: value for step in (10, 20, 30, 40)}


def test_median_stops_what_is_below_the_median_of_the_finished_at_the_same_step(tmp_path: Path) -> None:
    search = ask_all(begin(tmp_path, "median", warmup_trials=3, min_steps=20))
    assert [follow(search, number, level(value)) for number, value in enumerate((1.0, 2.0, 3.0))] == [None] * 3
    assert follow(search, 3, level(1.9)) == 20, "below the median 2, not before min_steps"
    assert follow(search, 4, level(2.0)) is None, "at the median"
    assert follow(search, 5, {10: 2.5, 20: 0.0, 30: 0.0}) is None, "its best number so far counts"


def test_median_waits_for_enough_finished_trials(tmp_path: Path) -> None:
    search = ask_all(begin(tmp_path, "median", warmup_trials=3))
    assert [follow(search, number, level(value)) for number, value in enumerate((3.0, 2.0, 1.0))] == [None] * 3
    assert follow(search, 3, level(0.5)) == 10


@pytest.mark.parametrize("strategy", ["grid", "random", "qmc", "tpe", "gp", "cmaes"])
def test_a_stopper_goes_with_any_search(tmp_path: Path, strategy: str) -> None:
    search = ask_all(begin(tmp_path, "median", strategy=strategy))
    assert follow(search, 0, level(1.0)) is None
    assert follow(search, 1, level(0.5)) == 10


def test_patience_ends_after_so_many_steps_without_a_better_evaluation() -> None:
    rising = {10: 1.0, 20: 2.0, 30: 3.0}
    assert not is_stuck(rising, 10, 1)
    assert not is_stuck(rising | {40: 2.0}, 20, 1)
    assert is_stuck(rising | {40: 2.0, 50: 1.0}, 20, 1)
    assert is_stuck(rising | {40: 3.0, 50: 3.0}, 20, 1), "as good is not better"
    assert not is_stuck(rising | {40: 2.0, 50: 3.1}, 20, 1)
    assert not is_stuck(rising | {40: 2.0, 50: 1.0}, 20, 60), "not before min_steps"
    assert not is_stuck({}, 20, 1)
    assert not is_stuck({10: float("nan")}, 1, 1)
    assert is_stuck({10: 1.0, 20: float("nan"), 30: float("nan")}, 20, 1)


def test_patience_looks_at_no_other_trial_and_goes_with_a_single_one(tmp_path: Path) -> None:
    sweep = sweep_config(stopper="patient", patience=20)
    search = open_search(sweep, tmp_path / "journal.log", "val/loss", "min")
    ask_all(search)
    assert follow(search, 0, {10: 3.0, 20: 1.0, 30: 1.5, 40: 2.0, 50: 0.5}) == 40


def test_patience_is_a_fifth_of_a_trial_unless_it_is_typed(tmp_path: Path) -> None:
    search = ask_all(begin(tmp_path, "patient", max_steps=100))
    assert follow(search, 0, {10: 1.0, 20: 0.0, 29: 0.0, 30: 0.0}) == 30


def test_hyperband_splits_trials_into_brackets_that_stop_at_different_steps(tmp_path: Path) -> None:
    """min 1, max 9, factor 3: three brackets, whose first rungs are at the steps 1, 3 and 9.

    Values fall from trial to trial, so that in each bracket all but the first are stopped at their first rung.
    """
    search = ask_all(begin(tmp_path, "hyperband", num_trials=40, max_steps=9, reduction_factor=3))
    stopped = [follow(search, number, {step: -float(number) for step in range(1, 10)}) for number in range(40)]
    assert set(stopped) == {None, 1, 3, 9}
    assert stopped.count(None) == 3
    assert stopped.count(1) > stopped.count(9), "the bracket that stops early takes more trials"
    again = ask_all(begin(tmp_path / "again", "hyperband", num_trials=40, max_steps=9, reduction_factor=3))
    assert [follow(again, number, {step: -float(number) for step in range(1, 10)}) for number in range(40)] == stopped


def test_a_decision_to_stop_outlives_the_driver(tmp_path: Path) -> None:
    search = ask_all(begin(tmp_path, "median"))
    follow(search, 0, level(1.0))
    search.report(1, 10, 0.5)
    assert not search.keep(1)
    again = begin(tmp_path, "median")
    again.report(1, 20, 5.0)
    assert not again.keep(1)
