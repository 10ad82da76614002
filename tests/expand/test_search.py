"""The search: order, resume after a kill at any moment, early stopping."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import optuna
import pytest

from jack_ray.contract.errors import ConfigError, JackRayError
from jack_ray.contract.schema import SweepConfig
from jack_ray.expand import Point, Search, open_search, preview
from tests.sweeps import sweep_config

ROOT = Path(__file__).parents[2]
LR = {"train.lr": "tag(log, interval(1e-6,1e-3))"}


def config(strategy: str, over: dict[str, str] | None = None, **changes: object) -> SweepConfig:
    return sweep_config(strategy=strategy, over=over or {}, **changes)


def begin(folder: Path, sweep: SweepConfig) -> Search:
    return open_search(sweep, folder / "journal.log", "average_mAP", "max")


def ask_all(search: Search) -> list[Point]:
    return list(iter(search.ask, None))


def test_no_sweep_is_one_point_that_changes_nothing(tmp_path: Path) -> None:
    search = begin(tmp_path, config("none"))
    assert ask_all(search) == search.points() == [Point(0, ())]
    assert search.total() == 1


def test_a_grid_is_asked_in_its_natural_order(tmp_path: Path) -> None:
    search = begin(tmp_path, config("grid", {"model": "choice(tsl,vaanet)", "train.seed": "range(1,3)"}))
    expected = [
        ("model=tsl", "train.seed=1"),
        ("model=tsl", "train.seed=2"),
        ("model=vaanet", "train.seed=1"),
        ("model=vaanet", "train.seed=2"),
    ]
    assert [point.overrides for point in search.points()] == expected
    assert [point.overrides for point in ask_all(search)] == expected
    assert search.total() == 4
    assert [point.number for point in search.unfinished()] == [0, 1, 2, 3]


@pytest.mark.parametrize("strategy", ["random", "qmc", "tpe", "gp", "cmaes"])
def test_the_same_history_gives_the_same_points_with_or_without_a_restart(tmp_path: Path, strategy: str) -> None:
    sweep = config(strategy, LR | {"train.batch": "choice(8,16)"}, num_trials=14)
    straight, restarted = [], []
    search = begin(tmp_path / "straight", sweep)
    for number in range(14):
        straight.append(search.ask())
        search.tell(number, "finished", -abs(number - 5.0))
    for number in range(14):
        search = begin(tmp_path / "restarted", sweep)
        restarted.append(search.ask())
        begin(tmp_path / "restarted", sweep).tell(number, "finished", -abs(number - 5.0))
    assert restarted == straight
    assert len(set(straight)) == 14


def test_tpe_draws_near_what_did_well(tmp_path: Path) -> None:
    search = begin(tmp_path, config("tpe", {"x": "interval(0,1)"}, num_trials=40))
    drawn = []
    for point in iter(search.ask, None):
        x = float(point.overrides[0].partition("=")[2])
        drawn.append(abs(x - 0.3))
        search.tell(point.number, "finished", -drawn[-1])
    assert sum(drawn[25:]) / 15 < sum(drawn[:10]) / 10 / 2


def test_another_seed_draws_other_points(tmp_path: Path) -> None:
    points = {begin(tmp_path / str(seed), config("random", LR, seed=seed)).ask() for seed in range(3)}
    assert len(points) == 3


def test_a_finite_space_is_never_drawn_twice_and_ends_by_itself(tmp_path: Path) -> None:
    sweep = config("random", {"a": "range(1,4)", "b": "choice(x,y)", "c": "int(interval(1,2))"}, num_trials=100)
    search = begin(tmp_path, sweep)
    points = ask_all(search)
    assert search.total() == len(points) == len({point.overrides for point in points}) == 12


def test_a_dry_run_shows_the_points_without_asking_for_them(tmp_path: Path) -> None:
    search = begin(tmp_path, config("random", LR))
    shown = search.points()
    assert preview(config("random", LR), "max") == shown
    assert search.unfinished() == []
    assert ask_all(search) == shown
    assert search.points() == shown


def test_more_trials_can_be_asked_for_later(tmp_path: Path) -> None:
    first = ask_all(begin(tmp_path, config("random", LR, num_trials=3)))
    assert begin(tmp_path, config("random", LR, num_trials=3)).ask() is None
    more = ask_all(begin(tmp_path, config("random", LR, num_trials=5)))
    assert [point.number for point in more] == [3, 4]
    assert begin(tmp_path / "other", config("random", LR, num_trials=5)).points() == first + more


def test_what_was_never_told_is_continued_and_not_asked_again(tmp_path: Path) -> None:
    search = begin(tmp_path, config("random", LR, num_trials=4))
    points = ask_all(search)
    search.tell(0, "finished", 0.5)
    search.tell(1, "stopped", None)
    search.tell(2, "failed", None)
    search.forget(3)
    again = begin(tmp_path, config("random", LR, num_trials=4))
    assert again.unfinished() == [points[3]]
    assert again.failed() == [points[2]]
    assert again.ask() is None


def test_a_failed_trial_may_end_better_when_it_is_tried_again(tmp_path: Path) -> None:
    begin(tmp_path, config("none")).ask()
    begin(tmp_path, config("none")).tell(0, "failed", None)
    begin(tmp_path, config("none")).tell(0, "finished", 0.5)
    assert begin(tmp_path, config("none")).failed() == []


def test_telling_twice_and_telling_no_number_is_harmless(tmp_path: Path) -> None:
    search = begin(tmp_path, config("random", LR))
    ask_all(search)
    search.tell(0, "finished", 0.5)
    search.tell(0, "finished", 0.7)
    search.tell(1, "finished", None)
    search.tell(2, "finished", float("nan"))
    trials = search.study.get_trials()
    assert trials[0].value == 0.5
    assert [point.number for point in begin(tmp_path, config("random", LR)).unfinished()] == [3, 4, 5]


def run_rungs(search: Search, values: dict[int, float], steps: range) -> dict[int, int]:
    """Let all trials report their value step by step, in order; the step at which each was stopped."""
    stopped: dict[int, int] = {}
    for step in steps:
        for number, value in values.items():
            if number in stopped:
                continue
            search.report(number, step, value)
            if not search.keep(number):
                stopped[number] = step
                search.tell(number, "stopped", None)
    return stopped


def test_asha_stops_the_trials_that_the_published_rule_stops(tmp_path: Path) -> None:
    """Successive halving with min_steps 1 and factor 2, worked by hand (Li et al. 2020, algorithm 2).

    Rung 0 (step 1), values in order of arrival 1, 2, 3, 0: a trial goes on if it is among the best half
    (at least one) of those that arrived before it and itself, so 0, 1 and 2 go on and 3 is stopped.
    Rung 1 (step 2) sees 1, 2, 3: again each newcomer is the best. Rung 2 (step 4) likewise.
    """
    search = begin(tmp_path, config("tpe", LR, stopper="asha", num_trials=4))
    ask_all(search)
    assert run_rungs(search, {0: 1.0, 1: 2.0, 2: 3.0, 3: 0.0}, range(1, 6)) == {3: 1}


def test_asha_with_falling_values_keeps_only_the_first(tmp_path: Path) -> None:
    search = begin(tmp_path, config("tpe", LR, stopper="asha", num_trials=4))
    ask_all(search)
    assert run_rungs(search, {0: 3.0, 1: 2.0, 2: 1.0, 3: 0.0}, range(1, 6)) == {1: 1, 2: 1, 3: 1}


def test_asha_does_not_stop_before_the_first_rung_and_min_turns_the_order_round(tmp_path: Path) -> None:
    search = open_search(
        config("tpe", LR, stopper="asha", num_trials=3, min_steps=10), tmp_path / "journal.log", "loss", "min"
    )
    ask_all(search)
    assert run_rungs(search, {0: 1.0, 1: 2.0, 2: 0.5}, range(1, 12)) == {1: 10}


def test_replayed_reports_change_no_decision(tmp_path: Path) -> None:
    sweep = config("tpe", LR, stopper="asha", num_trials=3)
    search = begin(tmp_path, sweep)
    ask_all(search)
    for number, value in enumerate((1.0, 2.0, 0.5)):
        search.report(number, 1, value)
        assert search.keep(number) == (number != 2)
    again = begin(tmp_path, sweep)
    for number, value in enumerate((1.0, 2.0, 0.5)):
        again.report(number, 1, value + 100)
        assert again.keep(number) == (number != 2)
    assert [trial.intermediate_values for trial in again.study.get_trials()] == [{1: 1.0}, {1: 2.0}, {1: 0.5}]


def test_the_other_strategies_keep_everything(tmp_path: Path) -> None:
    search = begin(tmp_path, config("random", LR))
    ask_all(search)
    for number in range(6):
        search.report(number, 1000, -float(number))
        assert search.keep(number)


def test_a_journal_cut_at_any_byte_opens_again_and_goes_on(tmp_path: Path) -> None:
    sweep = config("tpe", LR, stopper="asha", num_trials=3)
    search = begin(tmp_path / "whole", sweep)
    expected = ask_all(search)
    search.report(0, 1, 0.5)
    search.keep(0)
    search.tell(0, "finished", 0.5)
    written = (tmp_path / "whole" / "journal.log").read_bytes()
    for length in range(0, len(written) + 1, 7):
        folder = tmp_path / str(length)
        folder.mkdir()
        (folder / "journal.log").write_bytes(written[:length])
        resumed = begin(folder, sweep)
        ask_all(resumed)
        assert resumed.points() == expected


def test_zeros_at_the_end_of_the_journal_after_a_power_cut_are_dropped(tmp_path: Path) -> None:
    begin(tmp_path, config("random", LR)).ask()
    with (tmp_path / "journal.log").open("ab") as journal:
        journal.write(b"\0" * 100)
    assert len(begin(tmp_path, config("random", LR)).unfinished()) == 1


def test_damage_in_the_middle_of_the_journal_is_named(tmp_path: Path) -> None:
    begin(tmp_path, config("random", LR)).ask()
    journal = tmp_path / "journal.log"
    lines = journal.read_text().splitlines()
    journal.write_text("\n".join([lines[0], "{half", *lines[1:]]) + "\n")
    with pytest.raises(JackRayError, match=r"journal.log, line 2 is not an entry"):
        begin(tmp_path, config("random", LR))


def test_a_journal_of_another_search_is_refused(tmp_path: Path) -> None:
    begin(tmp_path, config("grid", {"a": "1,2"}))
    with pytest.raises(ConfigError, match="was written for other values"):
        begin(tmp_path, config("grid", {"a": "1,3"}))
    with pytest.raises(ConfigError, match="another kind of strategy"):
        begin(tmp_path, config("random", {"a": "1,2"}))


def test_a_strategy_without_values_and_values_without_a_strategy_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"sweep.over names a; expected a strategy\n.*sweep.strategy=grid"):
        begin(tmp_path, config("none", {"a": "1,2"}))
    with pytest.raises(ConfigError, match="nothing to sweep over"):
        begin(tmp_path, config("tpe"))


def test_optunas_lock_left_by_a_killed_driver_does_not_hold_up_the_next(tmp_path: Path) -> None:
    begin(tmp_path, config("random", LR)).ask()
    (tmp_path / "journal.log.lock").symlink_to(tmp_path / "journal.log")
    started = time.monotonic()
    begin(tmp_path, config("random", LR)).ask()
    assert time.monotonic() - started < 5


def test_optuna_itself_can_read_the_journal(tmp_path: Path) -> None:
    ask_all(begin(tmp_path, config("random", LR)))
    backend = optuna.storages.journal.JournalFileBackend(str(tmp_path / "journal.log"))
    study = optuna.load_study(study_name="sweep", storage=optuna.storages.JournalStorage(backend))
    assert len(study.trials) == 6


DRIVER = """
import json, sys
from pathlib import Path
from jack_ray.expand import open_search
from tests.sweeps import sweep_config
config = sweep_config(strategy="tpe", stopper="asha", over={"x": "interval(0,1)"}, num_trials=10**6)
search = open_search(config, Path(sys.argv[1]), "m", "max")
for point in iter(search.ask, None):
    print(json.dumps([point.number, point.overrides]), flush=True)
    search.report(point.number, 1, float(point.number))
    search.keep(point.number)
    search.tell(point.number, "finished", float(point.number))
"""


def test_a_driver_killed_while_it_writes_loses_no_point(tmp_path: Path) -> None:
    journal = tmp_path / "journal.log"
    seen: list[object] = []
    for _ in range(2):
        command = [sys.executable, "-c", DRIVER, str(journal)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as driver:
            assert driver.stdout is not None
            seen += [json.loads(driver.stdout.readline()) for _ in range(5)]
            os.kill(driver.pid, signal.SIGKILL)
            seen += [json.loads(line) for line in driver.stdout if line.endswith("\n")]
    sweep = config("tpe", {"x": "interval(0,1)"}, stopper="asha", num_trials=10**6)
    search = open_search(sweep, journal, "m", "max")
    known = [[trial.number, [f"x={trial.params['x']!r}"]] for trial in search.study.get_trials()]
    assert known[: len(known) - 1] == [point for point in known if point in seen][: len(known) - 1]
    assert all(point in known for point in seen)


def finish_all(search: Search) -> int:
    """Ask and tell to the end; how many were asked for."""
    count = 0
    for point in iter(search.ask, None):
        search.tell(point.number, "finished", 0.5)
        count += 1
    return count


def more(folder: Path, sweep: SweepConfig, count: int) -> Search:
    return open_search(sweep, folder / "journal.log", "average_mAP", "max", count)


@pytest.mark.parametrize("strategy", ["random", "qmc", "tpe", "gp", "cmaes"])
def test_a_finished_sweep_takes_more_trials_and_keeps_them(tmp_path: Path, strategy: str) -> None:
    sweep = config(strategy, LR, num_trials=4)
    assert finish_all(begin(tmp_path, sweep)) == 4
    extended = more(tmp_path, sweep, 3)
    assert (extended.total(), extended.notice) == (7, "3 trials are added to the 4 there are.")
    assert finish_all(extended) == 3
    assert begin(tmp_path, sweep).total() == 7, "also without `more`"
    assert more(tmp_path, sweep, 2).total() == 9
    longer = config(strategy, LR, num_trials=9)
    finish_all(begin(tmp_path / "at once", longer))
    finish_all(begin(tmp_path, sweep))
    assert begin(tmp_path, sweep).points() == begin(tmp_path / "at once", longer).points()


def test_an_interrupted_extension_is_completed_before_another_is_added(tmp_path: Path) -> None:
    sweep = config("random", LR, num_trials=2)
    assert more(tmp_path, sweep, 5).total() == 2, "a sweep that has not begun is completed first"
    finish_all(begin(tmp_path, sweep))
    first = more(tmp_path, sweep, 2)
    first.ask()
    again = more(tmp_path, sweep, 2)
    assert again.total() == 4
    assert again.notice.startswith("The sweep's 4 trials are completed first")
    again.ask()
    assert more(tmp_path, sweep, 2).total() == 4, "two were asked for and have not ended"
    for number in (2, 3):
        again.tell(number, "finished", 0.1)
    assert more(tmp_path, sweep, 2).total() == 6


def test_nothing_can_be_added_when_all_combinations_were_tried(tmp_path: Path) -> None:
    sweep = config("random", {"a": "1,2,3"}, num_trials=2)
    finish_all(begin(tmp_path, sweep))
    extended = more(tmp_path, sweep, 20)
    assert extended.notice == "1 trial is added to the 2 there are."
    finish_all(extended)
    with pytest.raises(ConfigError, match=r"more: 20, but all 3 combinations of sweep.over have been tried"):
        more(tmp_path, sweep, 20)


def test_a_preview_shows_the_added_trials() -> None:
    assert len(preview(config("random", LR, num_trials=3), "max", 2)) == 5
