"""What commands ask of a running sweep, what budgets say, and what becomes of trials that failed."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jack_ray.contract import events
from jack_ray.contract.control import Control, change_control
from jack_ray.contract.failure import Failure, Kind
from jack_ray.contract.paths import SweepFolder, trial_folder
from jack_ray.contract.schema import RetryConfig
from jack_ray.contract.status import SweepStatus, load_status, save_status
from jack_ray.place import board as boards
from jack_ray.place import durable, run
from jack_ray.place.board import Board
from jack_ray.place.loop_settings import Outlets
from jack_ray.place.news import Ended, Order
from jack_ray.place.run import Controller
from tests.place.scene import FakeHands, Story, Sweep, grid, make_trial, metric, rates, success

PATIENT = RetryConfig(infra=2, user=1, memory=1, wait_s=0.0, bad_node=2)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "TICK_S", 0.0)
    monkeypatch.setattr(boards, "TELL_S", 0.0)
    monkeypatch.setattr(boards, "LOOK_S", 0.0)


def forever(order: Order) -> Story:
    return [metric(order.attempt, 1, 0.1)]


def id_of(rate: str) -> str:
    return make_trial((f"train.lr={rate}",))[0].id


class Told(Sweep):
    """A sweep that commands can speak to."""

    def __init__(self, folder: Path, hands: FakeHands, rates_: str = "0.1,0.2,0.3", **changes: Any) -> None:
        super().__init__(folder, hands, grid(rates_), **changes)
        self.folder = SweepFolder(folder / "sweep")
        about = status("grid-1", 0)
        self.controller = Controller(
            self.controller.search, hands, make_trial, self.controller.settings,
            Outlets(self.tracker, self.screen, Board(self.folder, about, gpus=2.0)),
        )  # fmt: skip

    def wish(self, **changes: Any) -> None:
        change_control(self.folder.control, lambda now: replace(now, **changes))


def status(name: str, priority: int, **changes: Any) -> SweepStatus:
    now = time.time()
    made = SweepStatus(
        name, "tsl grid", "running", (), "/", "val/average_mAP", "max", "lab", 1, 3, now, now, priority=priority
    )
    return replace(made, **changes)


def test_a_paused_sweep_starts_nothing_and_goes_on_where_it_was(tmp_path: Path) -> None:
    sweep = Told(tmp_path, FakeHands(forever))
    sweep.step(2)
    sweep.wish(paused=True)
    sweep.step(3)
    assert sweep.hands.stopped == [id_of("0.1")]
    assert sweep.statuses() == {"0.1": "killed"}
    assert sweep.controller.state(ended=False) == "paused"
    sweep.hands.tell = success
    sweep.wish(paused=False)
    sweep.run()
    assert rates(sweep.hands.started, tmp_path) == ["0.1", "0.1", "0.2", "0.3"]
    assert set(sweep.statuses().values()) == {"finished"}


def test_a_paused_trial_lets_the_others_pass(tmp_path: Path) -> None:
    sweep = Told(tmp_path, FakeHands(forever))
    sweep.step(2)
    sweep.hands.tell = success
    sweep.wish(pause_trials=(id_of("0.1"),))
    sweep.step(30)
    assert sweep.statuses() == {"0.1": "killed", "0.2": "finished", "0.3": "finished"}
    sweep.wish(pause_trials=())
    sweep.run()
    assert sweep.statuses()["0.1"] == "finished"


def test_a_stopped_trial_is_told_to_the_search_and_not_trained_again(tmp_path: Path) -> None:
    sweep = Told(tmp_path, FakeHands(forever))
    sweep.step(2)
    sweep.hands.tell = success
    sweep.wish(stop_trials=(id_of("0.1"), id_of("0.3")))
    entries = {entry.trial.id: entry.state for entry in sweep.run()}
    assert entries[id_of("0.1")].message == "stopped by a command"
    assert sweep.statuses() == {"0.1": "stopped", "0.2": "finished", "0.3": "stopped"}
    assert rates(sweep.hands.started, tmp_path) == ["0.1", "0.2"]


def test_a_stopped_sweep_ends_and_can_go_on_later(tmp_path: Path) -> None:
    sweep = Told(tmp_path, FakeHands(forever))
    sweep.step(2)
    sweep.wish(stop=True)
    sweep.run()
    assert sweep.hands.stopped == [id_of("0.1")]
    found = load_status(sweep.folder.status)
    assert found is not None
    assert (found.state, found.message) == ("stopped", "stopped by a command")
    again = Told(tmp_path, FakeHands())
    again.run()
    assert set(again.statuses().values()) == {"finished"}


def test_a_budget_that_is_used_up_ends_the_sweep(tmp_path: Path) -> None:
    sweep = Told(tmp_path, FakeHands(forever), max_hours=0.01 / 3600)
    sweep.run()
    assert sweep.controller.stopped == "sweep.max_hours=2.77778e-06 is used up"
    sweep = Told(tmp_path / "other", FakeHands(forever), gpus=8.0, max_gpu_hours=0.01 / 3600)
    sweep.run()
    assert sweep.controller.stopped.startswith("sweep.max_gpu_hours")


def test_a_sweep_with_a_higher_priority_goes_first(tmp_path: Path) -> None:
    other = SweepFolder(tmp_path / "tpe-2")
    save_status(other.status, status("tpe-2", 5))
    sweep = Told(tmp_path, FakeHands())
    sweep.step(3)
    assert sweep.hands.started == []
    save_status(other.status, status("tpe-2", 5, state="finished"))
    sweep.step(3)
    assert len(sweep.hands.started) == 1


def test_a_priority_can_be_changed_while_the_sweep_runs(tmp_path: Path) -> None:
    save_status(SweepFolder(tmp_path / "tpe-2").status, status("tpe-2", 5))
    sweep = Told(tmp_path, FakeHands())
    sweep.step(2)
    sweep.wish(priority=6)
    sweep.step(1)
    assert len(sweep.hands.started) == 1


def test_how_a_sweep_stands_can_be_read_while_it_runs(tmp_path: Path) -> None:
    sweep = Told(tmp_path, FakeHands(forever))
    sweep.step(3)
    sweep.controller._show()
    found = load_status(sweep.folder.status)
    assert found is not None
    assert found.state == "running"
    (trial,) = found.trials
    assert (trial.id, trial.status, trial.step, trial.steps, trial.best) == (id_of("0.1"), "running", 1, 4, 0.1)
    assert (trial.overrides, trial.attempt, trial.gpus) == (("train.lr=0.1",), 1, 2.0)


def fails_first(kind: Kind, times: int, host: str = "lab1") -> Any:
    def tell(order: Order) -> Story:
        if order.attempt > times:
            return success(order)
        started = events.new("started", order.attempt)
        return [started, metric(order.attempt, 1, 0.1), Ended("failed", Failure(kind, "why", 1, host, 1.0))]

    return tell


@pytest.mark.parametrize(("kind", "times"), [("lost", 2), ("killed", 1), ("hang", 1), ("disk", 2), ("error", 1)])
def test_a_trial_goes_on_after_what_passes(tmp_path: Path, kind: Kind, times: int) -> None:
    sweep = Told(tmp_path, FakeHands(fails_first(kind, times)), "0.1", retry=PATIENT)
    (entry,) = sweep.run()
    assert [order.attempt for order in sweep.hands.started] == list(range(1, times + 2))
    assert entry.state.status == "finished"
    assert dict(entry.failures) == {kind: times}
    assert "goes on from its last checkpoint" in sweep.out.getvalue()


@pytest.mark.parametrize(("kind", "attempts"), [("lost", 3), ("error", 2), ("memory", 2), ("data", 1), ("diverged", 1)])
def test_a_trial_fails_when_its_attempts_are_used_up(tmp_path: Path, kind: Kind, attempts: int) -> None:
    sweep = Told(tmp_path, FakeHands(fails_first(kind, 9)), "0.1", retry=PATIENT)
    (entry,) = sweep.run()
    assert len(sweep.hands.started) == attempts
    assert entry.state.status == "failed"
    assert entry.state.message == f"why ({kind}, rank 1 on lab1)" + (f", {attempts} times" if attempts > 1 else "")


def test_the_attempts_of_one_command_do_not_count_in_the_next(tmp_path: Path) -> None:
    Told(tmp_path, FakeHands(fails_first("lost", 3)), "0.1", retry=PATIENT).run()
    again = Told(tmp_path, FakeHands(fails_first("lost", 4)), "0.1", retry=PATIENT)
    again.run()
    assert again.statuses() == {"0.1": "finished"}


def test_a_machine_that_lost_two_attempts_is_left_out(tmp_path: Path) -> None:
    sweep = Told(tmp_path, FakeHands(fails_first("killed", 2)), "0.1,0.2", retry=PATIENT)
    sweep.run()
    assert [order.avoid for order in sweep.hands.started[:3]] == [frozenset(), frozenset(), {"lab1"}]
    assert sweep.hands.started[-1].avoid == {"lab1"}
    assert "lab1 is left out from now on: it lost 2 attempts." in sweep.out.getvalue()


def test_a_trial_that_ran_out_of_memory_asks_for_twice_as_much(tmp_path: Path) -> None:
    system = trial_folder(tmp_path, id_of("0.1")).system
    system.parent.mkdir(parents=True)
    system.write_text('{"time": 1, "values": {"system/trial_memory_megabytes": 500.0}}\n')
    sweep = Told(tmp_path, FakeHands(fails_first("memory", 1)), "0.1", retry=PATIENT)
    sweep.run()
    assert [order.memory for order in sweep.hands.started] == [0, 500_000_000]  # twice half of it: it has two ranks


def test_wishes_of_an_earlier_driver_do_not_hold(tmp_path: Path) -> None:
    change_control(SweepFolder(tmp_path / "sweep").control, lambda now: Control(stop=True, paused=True))
    sweep = Told(tmp_path, FakeHands())
    sweep.run()
    assert set(sweep.statuses().values()) == {"finished"}


def test_a_full_disk_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durable, "AGAIN_S", 0.0)
    left = [3]

    def save(path: Path, state: Any) -> None:
        if left[0]:
            left[0] -= 1
            raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(run, "save_state", save)
    sweep = Told(tmp_path, FakeHands())
    sweep.run()
    assert set(sweep.statuses().values()) == {"finished"}
    assert sweep.out.getvalue().count("waiting until some is freed") == 1
