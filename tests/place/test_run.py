"""The control loop: which trial starts when, what is skipped, what goes on, how it ends."""

import os
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from jack_ray.contract.paths import trial_folder
from jack_ray.contract.state import load_state, save_state
from jack_ray.place import run
from jack_ray.place.news import Ended, News, Order
from tests.place.scene import FakeHands, Story, Sweep, failure, grid, make_trial, metric, rates, success


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "TICK_S", 0.0)
    monkeypatch.setattr(run, "BUSY_S", 0.02)


def forever(order: Order) -> Story:
    return [metric(order.attempt, 1, 0.1)]


def folder_of(runs: Path, rate: str) -> Path:
    return trial_folder(runs, make_trial((f"train.lr={rate}",))[0].id).path


def test_every_trial_of_a_grid_is_trained_in_order(tmp_path: Path) -> None:
    sweep = Sweep(tmp_path, FakeHands())
    entries = sweep.run()
    assert rates(sweep.hands.started, tmp_path) == ["0.1", "0.2", "0.3"]
    assert sweep.statuses() == {"0.1": "finished", "0.2": "finished", "0.3": "finished"}
    assert all(entry.best == 0.4 and entry.ending == {"test/average_mAP": 1.0} for entry in entries)
    state = load_state(folder_of(tmp_path, "0.1") / "state.json")
    assert (state.status, state.attempt, state.step, state.values) == ("finished", 1, 4, {"test/average_mAP": 1.0})
    assert (folder_of(tmp_path, "0.1") / "config.yaml").read_text() == "train:\n  lr: 0.1\n"
    assert sweep.tracker.told[:2] == [("begin", "0.1", "1"), ("end", "finished", "")]


def test_the_same_command_again_trains_nothing_and_tells_the_results(tmp_path: Path) -> None:
    Sweep(tmp_path, FakeHands()).run()
    again = Sweep(tmp_path, FakeHands())
    entries = again.run()
    assert again.hands.started == []
    assert [entry.best for entry in entries] == [0.4, 0.4, 0.4]
    assert ("begin", "0.2", "1") in again.tracker.told
    assert again.tracker.told.count(("end", "finished", "")) == 3


def test_a_trial_that_another_sweep_finished_is_not_trained_again(tmp_path: Path) -> None:
    Sweep(tmp_path, FakeHands(), grid("0.2")).run()
    other = Sweep(tmp_path / "other", FakeHands(), grid())
    other.controller.settings = replace(other.controller.settings, runs=tmp_path)
    other.run()
    assert rates(other.hands.started, tmp_path) == ["0.1", "0.3"]
    assert other.statuses()["0.2"] == "finished"


def test_a_failed_trial_does_not_stop_the_others_and_is_tried_again_the_next_time(tmp_path: Path) -> None:
    def second_fails(order: Order) -> Story:
        return failure(order) if rates([order], tmp_path) == ["0.2"] else success(order)

    sweep = Sweep(tmp_path, FakeHands(second_fails))
    sweep.run()
    assert sweep.statuses() == {"0.1": "finished", "0.2": "failed", "0.3": "finished"}
    told = "the loss is not finite at step 2 (diverged, rank 1 on lab1)"
    assert load_state(folder_of(tmp_path, "0.2") / "state.json").message == told
    assert ("end", "failed", told) in sweep.tracker.told
    again = Sweep(tmp_path, FakeHands())
    again.run()
    assert [order.attempt for order in again.hands.started] == [2]
    assert again.statuses()["0.2"] == "finished"
    assert load_state(folder_of(tmp_path, "0.2") / "state.json").message == ""


def test_ranks_that_end_well_without_a_result_are_a_failure(tmp_path: Path) -> None:
    sweep = Sweep(tmp_path, FakeHands(lambda order: [Ended("finished")]), grid("0.1"))
    sweep.run()
    assert load_state(folder_of(tmp_path, "0.1") / "state.json").message == "the ranks ended without a result"
    assert sweep.statuses() == {"0.1": "failed"}


def test_an_interrupted_trial_is_first_in_line_and_goes_on(tmp_path: Path) -> None:
    def second_lasts(order: Order) -> Story:
        return forever(order) if rates([order], tmp_path) == ["0.2"] else success(order)

    sweep = Sweep(tmp_path, FakeHands(second_lasts, places=2))
    sweep.step(15)
    assert sweep.statuses() == {"0.1": "finished", "0.2": "new", "0.3": "finished"}
    sweep.controller.interrupted = True
    sweep.run()
    assert sweep.statuses()["0.2"] == "killed"
    assert ("end", "killed", "stopped by the user") in sweep.tracker.told
    more = grid("0.1,0.2,0.3")
    again = Sweep(tmp_path, FakeHands(lambda order: success(order, first=2)), more)
    again.run()
    assert rates(again.hands.started, tmp_path) == ["0.2"]
    assert again.hands.started[0].attempt == 2
    assert again.statuses() == {"0.1": "finished", "0.2": "finished", "0.3": "finished"}


def test_a_driver_that_was_killed_goes_on_with_what_it_had_asked_for(tmp_path: Path) -> None:
    sweep = Sweep(tmp_path, FakeHands(forever))
    sweep.step(3)  # and then nothing more is heard of it
    again = Sweep(tmp_path, FakeHands())
    again.run()
    assert rates(again.hands.started, tmp_path) == ["0.1", "0.2", "0.3"]


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_every_trial_and_saves_its_state(tmp_path: Path, kind: signal.Signals) -> None:
    sweep = Sweep(tmp_path, FakeHands(forever, places=2))
    before = signal.getsignal(kind)
    timer = threading.Timer(0.2, os.kill, (os.getpid(), kind))
    timer.start()
    entries = sweep.run()
    timer.join()
    assert sweep.controller.interrupted
    assert len(sweep.hands.stopped) == 2
    assert sorted(sweep.statuses().values()) == ["killed", "killed"]
    assert "Stopping the trials; the same command will go on from their last checkpoints" in sweep.out.getvalue()
    assert signal.getsignal(kind) == before
    assert all(load_state(entry.folder.state).message == "stopped by the user" for entry in entries)


@pytest.mark.parametrize(("limit", "places", "most"), [(1, 3, 1), (2, 3, 2), (None, 3, 3), (None, 1, 1), (5, 2, 2)])
def test_no_more_trials_run_than_wanted_and_than_there_is_room_for(
    tmp_path: Path, limit: int | None, places: int, most: int
) -> None:
    sweep = Sweep(tmp_path, FakeHands(places=places), max_concurrent=limit)
    sweep.run()
    assert sweep.hands.most == most
    assert len(sweep.hands.started) == 3


def test_a_trial_that_does_worse_than_the_others_is_stopped_early(tmp_path: Path) -> None:
    def by_rate(order: Order) -> Story:
        return success(order, scale=float(rates([order], tmp_path)[0]))

    config = grid("0.9,0.8,0.2,0.1", strategy="tpe", stopper="asha", num_trials=4)
    sweep = Sweep(tmp_path, FakeHands(by_rate), config)
    entries = sweep.run()
    stopped = {entry.trial.train["lr"]: entry for entry in entries if entry.state.status == "stopped"}
    finished = {entry.trial.train["lr"] for entry in entries if entry.state.status == "finished"}
    assert max(finished) == 0.9
    assert stopped
    assert max(stopped) < 0.9
    assert sorted(sweep.hands.stopped) == sorted(entry.trial.id for entry in stopped.values())
    assert all(entry.state.message == "others did better" and entry.step < 4 for entry in stopped.values())
    again = Sweep(tmp_path, FakeHands(by_rate), config)
    again.run()
    assert again.hands.started == []
    assert sorted(again.statuses().values()) == sorted(sweep.statuses().values())


def test_a_trial_that_another_driver_trains_is_looked_at_again_later(tmp_path: Path) -> None:
    looks: list[Order] = []

    def busy_twice(order: Order) -> Story:
        looks.append(order)
        return [Ended("busy")] if len(looks) < 3 else success(order)

    sweep = Sweep(tmp_path, FakeHands(busy_twice), grid("0.1"))
    sweep.run()
    assert [order.attempt for order in looks] == [1, 1, 1]
    assert sweep.statuses() == {"0.1": "finished"}


def test_a_trial_that_another_driver_finishes_meanwhile_is_taken_over(tmp_path: Path) -> None:
    def busy(order: Order) -> Story:
        state = load_state(Path(order.folder) / "state.json")
        save_state(Path(order.folder) / "state.json", replace(state, status="finished", attempt=1, step=4))
        return [Ended("busy")]

    sweep = Sweep(tmp_path, FakeHands(busy), grid("0.1"))
    sweep.run()
    assert len(sweep.hands.started) == 1
    assert sweep.statuses() == {"0.1": "finished"}


def test_two_points_that_are_the_same_trial_are_trained_once(tmp_path: Path) -> None:
    over = {"train.lr": "0.1", "train.log_every": "1,2"}  # how often is logged changes no number
    sweep = Sweep(tmp_path, FakeHands(places=2), grid(over=over))
    sweep.run()
    assert len(sweep.hands.started) == 1
    assert len(sweep.controller.search.ended()) == 2


def test_a_point_that_the_checks_refuse_is_told_and_the_others_go_on(tmp_path: Path) -> None:
    sweep = Sweep(tmp_path, FakeHands(), grid("0.1,9,0.3"))
    sweep.run()
    assert rates(sweep.hands.started, tmp_path) == ["0.1", "0.3"]
    assert len(sweep.controller.refused) == 1
    assert sweep.controller.refused[0].startswith("train.lr=9: The configuration has faults")


def test_a_trial_keeps_the_threads_that_it_was_started_with(tmp_path: Path) -> None:
    trial = make_trial(("train.lr=0.1",))[0]
    replace(trial, threads=5).save(trial_folder(tmp_path, trial.id).trial)
    sweep = Sweep(tmp_path, FakeHands(), grid("0.1"))
    sweep.run()
    assert sweep.hands.started[0].threads == 5


def test_a_fresh_start_moves_what_was_there_aside(tmp_path: Path) -> None:
    Sweep(tmp_path, FakeHands(), grid("0.1")).run()
    again = Sweep(tmp_path / "anew", FakeHands(), grid("0.1"), fresh=True)
    again.controller.settings = replace(again.controller.settings, runs=tmp_path)
    again.run()
    assert [order.attempt for order in again.hands.started] == [1]
    kept = [path.name for path in (tmp_path / "trials").iterdir() if ".replaced-" in path.name]
    assert len(kept) == 1


def test_numbers_of_earlier_attempts_count_when_a_trial_goes_on(tmp_path: Path) -> None:
    def peak_then_end(order: Order) -> Story:
        return [metric(1, 2, 0.9), Ended("failed")] if order.attempt == 1 else success(order, first=3)

    Sweep(tmp_path, FakeHands(peak_then_end), grid("0.1")).run()
    again = Sweep(tmp_path, FakeHands(peak_then_end), grid("0.1"))
    (entry,) = again.run()
    assert entry.best == 0.9
    study = again.controller.search.study.get_trials()
    assert study[0].intermediate_values == {2: 0.9, 3: 0.3, 4: 0.4}
    assert study[0].value == 0.9


def test_the_time_in_the_queue_is_not_the_trials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    sweep = Sweep(tmp_path, FakeHands(lambda order: []), grid("0.1"))
    news = [
        News(phase="waiting for 2 cores"),
        News(phase="starting"),
        News(phase="training"),
        News(ended=Ended("killed")),
    ]
    monkeypatch.setattr(sweep.hands, "poll", lambda handle: news.pop(0))
    for seconds in (0.0, 50.0, 3.0, 4.0, 0.0):
        sweep.step()
        clock[0] += seconds
    (entry,) = sweep.controller.entries.values()
    assert entry.state.seconds == pytest.approx(7.0)


def test_wall_time_adds_up_over_attempts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])

    def tell(order: Order) -> Story:
        clock[0] += 10.0
        return failure(order)

    for attempt in (1, 2):
        sweep = Sweep(tmp_path, FakeHands(tell), grid("0.1"))
        sweep.step()
        clock[0] += 10.0
        while sweep.step():
            pass
        (entry,) = sweep.controller.entries.values()
        assert entry.state.attempt == attempt
        assert entry.state.seconds == pytest.approx(20.0 * attempt)
