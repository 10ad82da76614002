"""What a user wants of a running sweep: `sweeps/<sweep id>/control.json`, written by commands, read by the driver."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from jack_ray.contract.files import write_json


@dataclass(frozen=True)
class Control:
    """The wishes that hold now."""

    paused: bool = False
    """No trial is started, and those that run are stopped after their last checkpoint; nothing is lost."""
    stop: bool = False
    """The driver ends as after Ctrl-C."""
    stop_trials: tuple[str, ...] = ()
    """Trials that are not to go on; the search is told that they were stopped."""
    pause_trials: tuple[str, ...] = ()
    """Trials that wait until they are no longer named here."""
    priority: int | None = None
    """In place of sweep.priority."""


def load_control(path: Path) -> Control:
    """The wishes on disk; a missing or unreadable file wishes nothing."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        lists = {name: tuple(values.get(name, ())) for name in ("stop_trials", "pause_trials")}
        return Control(**(values | lists))
    except (OSError, ValueError, TypeError, AttributeError):
        return Control()


def change_control(path: Path, change: Callable[[Control], Control]) -> Control:
    """Apply a change to the wishes on disk and write them whole."""
    changed = change(load_control(path))
    write_json(path, asdict(changed))
    return changed
