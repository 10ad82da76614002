"""The main thread of a server, without Ray."""

import io
import os
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from jack_ray.contract.errors import JackRayError
from jack_ray.serving.kinds import accepts
from jack_ray.serving.question import Standing, Wanted
from jack_ray.serving.run import Stop, _Running, _say, _Says, _take_in
from jack_ray.serving.state import DoorLimits, State
from jack_ray.serving.upload import Pace
from tests.serving.doors import trial_of


def test_sigterm_asks_to_end_although_ray_has_taken_it_for_itself() -> None:
    stop = Stop()
    with stop.caught():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        stop.take_back()
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.asked.is_set()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)


class Full(io.StringIO):
    """A disk."""

    def flush(self) -> None:
        raise OSError("No space left on device")


def test_a_line_that_nobody_can_read_any_more_ends_no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    full = Full()
    monkeypatch.setattr("sys.stdout", full)
    _say("ready")
    assert full.getvalue() == "ready\n"


def standing(version: str, wanted: str = "", trouble: str = "") -> Standing:
    return Standing(version, wanted or version, trouble, True, "node", 1, 2)


def test_what_is_told_of_the_model_is_of_the_version_that_answers(tmp_path: Path) -> None:
    features, videos = (accepts(trial_of(f"model={name}")) for name in ("tsl_small", "vaanet_small"))
    known = {"1": ({"trial": "a"}, features), "2": ({"trial": "b"}, videos)}
    limits = DoorLimits(1, 1, Pace(1.0, 1.0), 1.0)
    state = State("ours", "champion", *known["1"], limits, tmp_path, None)
    _take_in(state, [standing("1", "2")], known)
    assert (state.version, state.about, state.accepts) == ("1", *known["1"])
    _take_in(state, [standing("1", "2"), standing("2")], known)
    assert (state.version, state.about, state.accepts) == ("2", *known["2"])
    assert state.model()["input"] == "video"


class Gone:
    """A Ray that has died."""

    def has_ended(self) -> bool:
        return True

    def want(self, _: Wanted) -> None:
        """Nobody hears it."""


def running_in(folder: Path) -> _Running:
    """A server of version 1."""
    known = {"1": ({"trial": "a"}, accepts(trial_of("model=tsl_small")))}
    state = State("ours", "champion", *known["1"], DoorLimits(1, 1, Pace(1.0, 1.0), 1.0), folder, None, "1", 1)
    settings = SimpleNamespace(alias="champion", model="models:/ours@champion", numbers={"poll_s": 60.0})
    made: Any = _Running
    running: _Running = made(settings, None, Wanted("1", str(folder), ()), state, Stop(), 8000, known)
    return running


def test_a_ray_that_has_died_ends_the_server_with_a_message(tmp_path: Path) -> None:
    with pytest.raises(JackRayError, match="Ray of this machine has ended"):
        running_in(tmp_path)._look_after(cast(Any, Gone()))
    with pytest.raises(JackRayError, match="Ray of this machine has ended"):
        running_in(tmp_path)._is_ready(cast(Any, Gone()))


def test_a_replica_that_could_not_turn_is_told_with_the_version_that_it_goes_on_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    running = running_in(tmp_path)
    running.state.version = "2"
    running._tell(_Says(), [standing("1", "2", "no room\nsecond line")], "")
    assert capsys.readouterr().out == "version 2 cannot be loaded, version 1 goes on: no room\n"


def test_a_trouble_is_said_once_and_again_when_it_has_come_back(capsys: pytest.CaptureFixture[str]) -> None:
    says = _Says()
    for registry in ("away", "away", "", "away"):
        says("version 2 answers")
        says("cannot be loaded", "replicas")
        says(registry, "registry")
    assert capsys.readouterr().out.splitlines() == ["version 2 answers", "cannot be loaded", "away", "away"]
