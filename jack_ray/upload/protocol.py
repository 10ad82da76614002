"""What the driver tells the writer: one JSON object a line, through the writer's standard input.

The same lines are kept in the sweep's folder, and a late delivery is made from them.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

Ending = Literal["finished", "stopped", "failed", "killed"]


@dataclass(frozen=True)
class SweepStarted:
    """The first command: the sweep is MLflow's parent run."""

    sweep_id: str
    name: str
    command: str
    """As it was typed."""
    uri: str
    """Absolute: see `uri.absolute_uri`."""
    experiment: str
    metric: str
    mode: Literal["max", "min"]
    flush_s: float
    give_up_s: float
    upload_checkpoints: bool
    repeats: bool = False
    """Whether the parent run gets mean and standard deviation over the trials."""
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class TrialStarted:
    """An attempt of a trial begins; a trial that was finished before is told in the same way, then ended."""

    trial_id: str
    folder: str
    attempt: int
    name: str
    """Of the run, for people: the overrides of its point."""
    overrides: tuple[str, ...] = ()
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class TrialEnded:
    """How a trial ended; `message` is the first cause of a failure."""

    trial_id: str
    status: Ending
    message: str = ""
    numbers: dict[str, float] = field(default_factory=dict)
    """What it took: `hours`, `gpu_hours`, of all attempts together."""


@dataclass(frozen=True)
class Close:
    """The last command: deliver what is left, end the sweep's run, exit."""

    status: Ending
    message: str = ""


Command = SweepStarted | TrialStarted | TrialEnded | Close
_KINDS: dict[str, type[Command]] = {kind.__name__: kind for kind in (SweepStarted, TrialStarted, TrialEnded, Close)}


def encode(command: Command) -> str:
    """One line, with its end."""
    return json.dumps({"kind": type(command).__name__} | asdict(command)) + "\n"


def decode(line: str) -> Command | None:
    """The command of a line; None for a line that a killed driver left half written."""
    try:
        values: dict[str, Any] = json.loads(line)
        if "overrides" in values:
            values["overrides"] = tuple(values["overrides"])
        return _KINDS[values.pop("kind")](**values)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


@dataclass
class Told:
    """Everything that was told so far; only the latest word on each trial counts."""

    sweep: SweepStarted | None = None
    trials: dict[str, TrialStarted] = field(default_factory=dict)
    endings: dict[str, TrialEnded] = field(default_factory=dict)
    closed: Close | None = None

    def take(self, command: Command) -> None:
        """Take in one command."""
        match command:
            case SweepStarted():
                self.sweep = command
                self.closed = None
            case TrialStarted():
                self.trials[command.trial_id] = command
                self.endings.pop(command.trial_id, None)
            case TrialEnded():
                self.endings[command.trial_id] = command
            case Close():
                self.closed = command

    def commands(self) -> Iterable[Command]:
        """The shortest list of commands that says the same."""
        if self.sweep is not None:
            yield self.sweep
        yield from self.trials.values()
        yield from self.endings.values()
        if self.closed is not None:
            yield self.closed


def read_told(path: Path) -> Told:
    """What a sweep's driver told; empty if it never told anything."""
    told = Told()
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            if (command := decode(line)) is not None:
                told.take(command)
    return told
