"""stop, pause and resume: the wish is written where the driver looks, and what it did is told."""

import os

import pytest

from jack_ray.contract.control import load_control
from tests.commands.conftest import Typed
from tests.commands.shelf import RATES, Made, trial_with

FIRST = trial_with(RATES[0]).id


def test_a_paused_sweep_is_told_so_and_goes_on_again(made: Made, typed: Typed) -> None:
    made.change_trial(0, status="running")
    with made.driven():
        assert typed("pause", "grid")[:2] == (0, "grid-1111111111 is paused, 2 of 3 trials done\n")
        assert load_control(made.folder.control).paused
        assert typed("resume", "grid")[:2] == (0, "grid-1111111111 goes on, 2 of 3 trials done\n")
        assert not load_control(made.folder.control).paused


def test_a_stopped_sweep_is_told_with_what_goes_on_with_it(made: Made, typed: Typed) -> None:
    made.change_trial(0, status="running")
    with made.driven():
        code, out, _ = typed("stop", "grid")
    assert code == 0
    assert out.startswith("grid-1111111111 has stopped, 2 of 3 trials done; to go on, type: cd ")
    assert out.endswith("python -m jack_ray.launch model=toy sweep=lr\n")


@pytest.mark.parametrize(("wish", "words"), [("stop", "has stopped"), ("pause", "is paused")])
def test_one_trial_is_named_by_a_beginning_or_by_its_own_id(made: Made, typed: Typed, wish: str, words: str) -> None:
    made.change_trial(0, status="running")
    with made.driven():
        assert typed(wish, "grid", "--trial", FIRST[:8])[:2] == (0, f"{FIRST} {words}\n")
    control = load_control(made.folder.control)
    assert (control.stop, control.paused) == (False, False)
    assert control.stop_trials + control.pause_trials == (FIRST,)


def test_a_paused_trial_that_is_resumed_is_named_no_longer(made: Made, typed: Typed) -> None:
    made.change_trial(0, status="running")
    with made.driven():
        typed("pause", FIRST)
        assert typed("resume", FIRST)[0] == 0
    assert load_control(made.folder.control).pause_trials == ()


def test_a_driver_that_does_not_answer_is_told_after_the_wait(
    made: Made, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.change_trial(0, status="running")
    monkeypatch.setattr(Made, "obey", lambda made: None)
    with made.driven():
        code, out, _ = typed("stop", "grid", "--wait", "0.3")
    assert code == 1
    assert out == "grid-1111111111 was told; it has not happened after 0.3 s. See status grid-1111111111.\n"


@pytest.mark.parametrize("wish", ["stop", "pause"])
def test_a_sweep_without_a_driver_is_not_waited_for(made: Made, typed: Typed, wish: str) -> None:
    code, _, err = typed(wish, "grid")
    assert code == 2
    assert err == f"error: grid-1111111111 is not running (finished), so there is nothing to {wish}\n"
    assert not made.folder.control.exists()


def test_a_trial_that_has_ended_cannot_be_stopped(made: Made, typed: Typed) -> None:
    with made.driven():
        assert typed("stop", FIRST)[2] == f"error: {FIRST} has ended already (finished)\n"


def test_a_sweep_that_ended_is_resumed_by_its_command(made: Made, typed: Typed) -> None:
    made.change(state="killed")
    code, out, _ = typed("resume", "grid")
    assert code == 1
    assert "has no driver (killed). Go on with: cd " in out


def test_resume_with_run_becomes_the_driver_where_it_was_typed(
    made: Made, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.change(state="killed", typed=("model=toy", "fresh=true"))
    told: list[object] = []
    monkeypatch.setattr(os, "chdir", told.append)
    monkeypatch.setattr(os, "execv", lambda python, words: told.append(words[1:]))
    typed("resume", "grid", "--run")
    assert told == [str(made.runs.parent), ["-m", "jack_ray.launch", "model=toy"]]


def test_a_finished_sweep_has_nothing_to_go_on_with(typed: Typed) -> None:
    assert typed("resume", "grid")[:2] == (0, "grid-1111111111 has finished; there is nothing to go on with.\n")
