import io
import time
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from jack_ray.contract import events
from jack_ray.contract.paths import TrialFolder
from jack_ray.contract.state import State
from jack_ray.expand import Point
from jack_ray.place import entry as entry_module
from jack_ray.place.entry import Entry, Goal
from jack_ray.place.live_table import View, live, summary
from jack_ray.place.news import Handle
from jack_ray.place.screen import Screen, ranked
from jack_ray.place.words import duration, number, short
from tests.place.scene import GOAL, METRIC, make_trial


def entry(number: int = 0, rate: str = "0.1", **changes: Any) -> Entry:
    overrides = (f"train.lr={rate}",)
    trial, config = make_trial(overrides)
    made = Entry(Point(number, overrides), trial, TrialFolder(Path("/runs/trials") / trial.id), config, State())
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def running(**changes: Any) -> Entry:
    return entry(handle=Handle(None), **changes)  # type: ignore[arg-type]


@pytest.fixture
def screen() -> Screen:
    made = Screen(GOAL, 3, 15.0, plain=True)
    made.console = Console(file=io.StringIO(), width=120)
    return made


def text(screen: Screen) -> str:
    file = screen.console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


@pytest.mark.parametrize(
    ("seconds", "words"), [(None, "-"), (0.4, "0:00"), (59.6, "1:00"), (125, "2:05"), (3723, "1:02:03")]
)
def test_a_duration_reads_like_a_clock(seconds: float | None, words: str) -> None:
    assert duration(seconds) == words


def test_a_number_has_four_digits() -> None:
    assert [number(value) for value in (None, 0.123456, 12345.6, 1e-5)] == ["-", "0.1235", "1.235e+04", "1e-05"]


def test_one_line_is_said_for_each_change_and_none_without(screen: Screen) -> None:
    one = running(phase="starting")
    screen.show([one])
    screen.show([one])
    one.phase = "training"
    screen.show([one])
    one.latest = {METRIC: 0.25, "train/total": 3.0}
    one.step = 2
    screen.show([one])
    one.latest["train/total"] = 2.0
    screen.show([one])
    lines = text(screen).splitlines()
    assert len(lines) == 3
    assert lines[0].endswith(f"{one.trial.id} train.lr=0.1: starting")
    assert lines[1].endswith(": training")
    assert lines[2].endswith(f": training step 2/4 {METRIC}=0.25")


def test_progress_of_a_compilation_is_said_now_and_then(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    one = running()
    for percent in (1, 2, 3, 4):
        one.phase = f"compiling Jittor (once on this machine), {percent}%"
        screen.show([one])
        clock[0] += 8.0
    assert [line.rpartition(", ")[2] for line in text(screen).splitlines()] == ["1%", "3%"]


def test_a_trial_that_still_waits_says_so_again_and_its_queue_is_not_its_time(
    screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    one = running(phase="waiting for 2 cores", began=1000.0)
    for _ in range(4):
        screen.show([one])
        clock[0] += 8.0
    assert text(screen).count("waiting for 2 cores") == 2
    assert one.seconds() == 0.0


def test_a_warning_of_the_tracker_is_said_once(screen: Screen) -> None:
    for warning in ("MLflow is away", "MLflow is away", ""):
        screen.show([], warning)
    assert text(screen).splitlines() == ["MLflow is away"]


def test_drawn_numbers_are_shown_with_four_digits(screen: Screen) -> None:
    screen.show([running(rate="0.00079353951857")])
    assert " train.lr=0.0007935: " in text(screen)


def test_a_resumed_trial_shows_the_step_it_goes_on_from() -> None:
    one = running(step=31)
    one.take(events.new("phase", 2, 25, name="training"), GOAL)
    assert one.step == 25


def test_the_last_table_puts_the_best_first_and_tells_why_others_failed(screen: Screen) -> None:
    best = entry(0, "0.1", best=0.5, step=4, state=State("finished", values={"test/average_mAP": 0.45}))
    worse = entry(1, "0.2", best=0.3, step=4, state=State("finished", values={"test/average_mAP": 0.25}))
    failed = entry(2, "0.3", state=State("failed", message="the loss is not finite at step 1"))
    screen.result([failed, worse, best])
    shown = text(screen)
    assert [shown.index(f"train.lr=0.{rate}") for rate in (1, 2, 3)] == sorted(
        shown.index(f"train.lr=0.{rate}") for rate in (1, 2, 3)
    )
    for part in ("Trials, best first", "best val average_mAP", "test average_mAP", "0.45", "finished", "4/4"):
        assert part in shown
    assert f"{failed.trial.id} failed: the loss is not finite at step 1\n    Logs of its ranks: " in shown
    assert str(failed.folder.path / "ranks") in shown


def test_words_in_brackets_are_shown_as_they_are(screen: Screen) -> None:
    screen.say("model.tious=[0.1,0.2] [bold]x")
    assert text(screen) == "model.tious=[0.1,0.2] [bold]x\n"


def test_less_is_better_when_the_goal_says_so() -> None:
    entries = [entry(0, best=0.5), entry(1, best=None), entry(2, best=0.1)]
    assert [one.point.number for one in ranked(entries, Goal("val/loss", "min"))] == [2, 0, 1]
    assert [one.point.number for one in ranked(entries, GOAL)] == [0, 2, 1]


def drawn(entries: list[Entry], view: View, warning: str = "", **console: Any) -> str:
    file = io.StringIO()
    Console(file=file, width=view.width, **console).print(live(entries, GOAL, 3, view, warning))
    return file.getvalue()


WIDE, NARROW = View(120, 30), View(60, 30)


def test_the_live_table_shows_phases_progress_and_time_left() -> None:
    one = running(phase="training", step=3, first_step=(1, time.time() - 20.0))
    shown = drawn([one, entry(1, "0.2", state=State("finished"), step=4, best=0.5)], WIDE)
    for part in ("1 of 3 trials done", "58%", "▶ ", "training", "3/4", "0:10", "✔ ", "finished", "0.5 ★"):
        assert part in shown


def test_a_trial_that_waits_says_for_what_in_a_few_words() -> None:
    shown = drawn([running(phase="waiting for 2 cores: the largest free place is 0 cores on vm")], WIDE)
    assert "waiting for 2 cores" in shown
    assert "largest" not in shown


@pytest.mark.parametrize("view", [WIDE, View(80, 24), NARROW])
def test_no_line_is_longer_than_the_terminal_and_no_trial_takes_two(view: View) -> None:
    some = [running(phase="training", step=2, best=0.3), entry(1, "0.2"), entry(2, "0.3", state=State("failed"))]
    lines = drawn(some, view).splitlines()
    assert max(map(len, lines)) <= view.width
    for one in some:
        (line,) = [line for line in lines if one.trial.id in line]
        assert f"lr={one.point.overrides[0].partition('=')[2]}" in line


def test_more_trials_than_fit_are_counted_and_those_that_run_are_shown() -> None:
    some = [entry(number, f"0.{number}") for number in range(1, 20)] + [
        running(number=20, rate="0.5", phase="training")
    ]
    shown = drawn(some, View(120, 14))
    assert some[-1].trial.id in shown
    assert "13 more trials" in shown


def test_a_terminal_without_unicode_gets_signs_of_ascii() -> None:
    shown = drawn([entry(1, "0.2", state=State("failed"), best=0.5)], View(120, 30, is_plain=True))
    assert "x tsl-" in shown
    assert "0.5 *" in shown


def test_colours_are_left_out_where_nobody_wants_them(monkeypatch: pytest.MonkeyPatch) -> None:
    some = [entry(1, "0.2", state=State("failed")), running(phase="training", step=2)]
    coloured = drawn(some, WIDE, force_terminal=True, color_system="truecolor")
    assert "213;94;0" in coloured  # Okabe and Ito's vermilion
    monkeypatch.setenv("NO_COLOR", "1")
    plain = drawn(some, WIDE, force_terminal=True, color_system="truecolor")
    assert "38;2" not in plain
    assert "failed" in plain


def test_a_warning_stands_above_the_live_table() -> None:
    assert "MLflow is away" in drawn([running(phase="training")], WIDE, "MLflow is away")


def test_the_time_left_of_the_sweep_counts_trials_to_come(monkeypatch: pytest.MonkeyPatch) -> None:
    now, today = time.monotonic(), time.time()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    monkeypatch.setattr(time, "time", lambda: today)
    one = running(step=2, first_step=(1, time.time() - 10.0), began=now - 20.0)
    # 20 s so far and 20 s to come; two more trials of 40 s each
    assert summary([one], 3) == "0 of 3 trials done, about 1:40 left"
    assert summary([entry(state=State("failed"))], 3) == "1 of 3 trials done, 1 failed"


def test_settings_lose_their_groups_where_room_is_scarce() -> None:
    assert short("train.lr=0.1 model.a.b=[1.5,2.5]") == "lr=0.1 b=[1.5,2.5]"


def test_the_end_of_a_trial_is_said_with_the_state_of_the_sweep(screen: Screen) -> None:
    screen.show([entry(state=State("finished"), step=4)])
    assert text(screen).rstrip().endswith(": finished; 1 of 3 trials done")


def test_the_time_left_follows_from_the_pace_of_this_attempt() -> None:
    one = running()
    assert one.left_s() is None
    now = time.time()
    one.take(events.Event("metrics", 2, now - 10.0, 2, {METRIC: 0.1}), GOAL)
    assert one.left_s() is None
    one.take(events.Event("metrics", 2, now, 3, {METRIC: 0.1}), GOAL)
    assert one.left_s() == pytest.approx(10.0, abs=1.0)
    one.handle = None
    assert one.left_s() is None


def test_an_entry_keeps_its_best_and_its_furthest_step() -> None:
    one = entry()
    for step, value in ((1, 0.2), (3, 0.5), (2, 0.4)):
        one.take(events.new("metrics", 1, step, {METRIC: value, "train/total": 1.0}), GOAL)
    one.take(events.new("metrics", 1, 4, {"train/total": 0.5}), GOAL)
    one.take(events.new("finished", 1, 4, {"best_step": 3.0}), GOAL)
    assert (one.best, one.step, one.latest["train/total"], one.ending) == (0.5, 4, 0.5, {"best_step": 3.0})


def test_a_trial_in_the_queue_takes_no_time() -> None:
    waiting = running(phase=f"{entry_module.WAITING} for 2 cores", began=time.monotonic() - 50.0)
    assert waiting.seconds() == 0.0
    assert running(phase="training", began=time.monotonic() - 50.0).seconds() == pytest.approx(50.0, abs=1.0)


def test_repeats_are_shown_as_mean_and_deviation(screen: Screen) -> None:
    ended = [
        entry(number=place, state=State(status, values={"best_step": 5.0, "test/accuracy": value}))  # type: ignore[arg-type]
        for place, (status, value) in enumerate([("finished", 0.25), ("finished", 0.75), ("failed", 0.0)])
    ]
    screen.spreads(ended)
    (row,) = [line.split() for line in text(screen).splitlines() if "accuracy" in line]
    assert row == ["test", "accuracy", "0.5", "0.3536"]
    assert "Mean of 2 trials" in text(screen)
    assert "best_step" not in text(screen)
