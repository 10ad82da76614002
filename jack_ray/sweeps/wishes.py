"""Stop, pause, resume: write the wish where the driver looks, and wait until it shows."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from jack_ray.contract.control import Control, change_control
from jack_ray.contract.errors import JackRayError
from jack_ray.sweeps.standing import GOING_ON, OVER, Standing, read_standing

Wish = Literal["stop", "pause", "resume"]
LOOK_S = 0.2

_SHOWN: dict[Wish, tuple[str, ...]] = {
    "stop": ("stopped", "killed", "finished", "failed", "died"),
    "pause": ("paused",),
    "resume": ("running", "finished"),
}
_DONE: dict[Wish, str] = {"stop": "has stopped", "pause": "is paused", "resume": "goes on"}


@dataclass(frozen=True)
class Answer:
    """What became of a wish."""

    is_shown: bool
    """Whether the driver has done it."""
    words: str


def wish(standing: Standing, kind: Wish, trial: str | None, wait_s: float) -> Answer:
    """Tell the driver, and wait at most `wait_s` for it to show. Raises JackRayError without a driver."""
    if not standing.is_alive:
        raise JackRayError(
            f"{standing.id} is not running ({standing.state}), so there is nothing to {kind}{_hint(standing)}"
        )
    if trial is not None and _trial_status(standing, trial) in OVER:
        raise JackRayError(f"{trial} has ended already ({_trial_status(standing, trial)})")
    change_control(standing.folder.control, changes(kind, trial))
    until = time.monotonic() + wait_s
    while not is_shown(standing, kind, trial):
        if time.monotonic() > until:
            return Answer(
                False, f"{standing.id} was told; it has not happened after {wait_s:g} s. See status {standing.id}."
            )
        time.sleep(LOOK_S)
        standing = read_standing(standing.folder)
    if standing.state == "died":
        return Answer(False, f"{standing.id} has lost its driver{_hint(standing)}")
    return Answer(True, _told(standing, kind, trial))


def settled(standing: Standing, wait_s: float) -> Standing:
    """The sweep once its driver is gone, if it has ended; at most `wait_s` later."""
    until = time.monotonic() + wait_s
    while standing.is_alive and standing.state not in GOING_ON and time.monotonic() < until:
        time.sleep(LOOK_S)
        standing = read_standing(standing.folder)
    return standing


def changes(kind: Wish, trial: str | None) -> Callable[[Control], Control]:
    """What a wish changes in those that hold."""
    if trial is None:
        return lambda control: _changed(control, kind)

    def change(control: Control) -> Control:
        stopped = (*_without(control.stop_trials, trial), *((trial,) if kind == "stop" else ()))
        paused = (*_without(control.pause_trials, trial), *((trial,) if kind == "pause" else ()))
        return replace(control, stop_trials=stopped, pause_trials=paused)

    return change


def _changed(control: Control, kind: Wish) -> Control:
    if kind == "resume":
        return replace(control, paused=False, stop=False)
    return replace(control, stop=True) if kind == "stop" else replace(control, paused=True)


def is_shown(standing: Standing, kind: Wish, trial: str | None) -> bool:
    """Whether the driver's last words are what was wished."""
    if trial is None:
        is_quiet = kind == "resume" or (kind == "pause" and all(one.status != "running" for one in standing.trials))
        return (standing.state in _SHOWN[kind] and is_quiet) or not standing.is_alive
    status = _trial_status(standing, trial)
    if not standing.is_alive or status in OVER:
        return True
    return kind == "resume" if kind != "pause" else status != "running"


def _without(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    return tuple(one for one in names if one != name)


def _trial_status(standing: Standing, trial: str) -> str:
    return next((one.status for one in standing.trials if one.id == trial), "waiting")


def _told(standing: Standing, kind: Wish, trial: str | None) -> str:
    if trial is not None:
        words = {"stop": "has stopped", "pause": "is paused", "resume": "may go on when there is room"}
        status = _trial_status(standing, trial)
        return (
            f"{trial} {words[kind]}"
            if status not in OVER or kind == "stop"
            else f"{trial} has ended meanwhile ({status})"
        )
    if standing.state not in _SHOWN[kind]:
        return f"{standing.id} has ended meanwhile ({standing.state})"
    done = f"{standing.done} of {standing.status.total} trials done"
    if kind == "stop":
        return (
            f"{standing.id} {_DONE[kind] if standing.state != 'finished' else 'has finished'}, {done}{_hint(standing)}"
        )
    return f"{standing.id} {_DONE[kind]}, {done}"


def _hint(standing: Standing) -> str:
    return "" if standing.state == "finished" else f"; to go on, type: {standing.again}"
