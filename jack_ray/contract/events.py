"""What rank 0 tells the world: one JSON object a line, appended, never changed.

Every event has `kind`, `time` (seconds since 1970) and `attempt` (1 for the first start of a trial). Kinds:

- `started`     ranks, threads, host, pid, versions: an attempt began to train; host and process of rank 0.
- `phase`       name (`training`, `evaluating`): what the ranks do while no step ends; `step` where training begins.
- `metrics`     step, values {name: number}: after an optimiser step or an evaluation.
- `checkpoint`  step, path, best, value: a checkpoint stands on disk.
- `artifact`    step, path: a file for people stands in the artifacts folder.
- `note`        text: something that the user should read once (which weights were loaded).
- `finished`    step, values: the trial is complete; `values` are its final numbers.

An attempt that goes on from a checkpoint repeats the steps after it with the same numbers, so a reader keeps
the first value of each (metric, step).
"""

import json
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Event:
    """One line of the file."""

    kind: str
    attempt: int
    time: float
    step: int | None = None
    values: dict[str, float] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)
    """Everything that only one kind has: host, name, path, best, value, ..."""


def append(path: Path, event: Event) -> None:
    """Add one event; a single write, so that a reader never sees two half lines mixed."""
    line = json.dumps(event.__dict__, allow_nan=False) + "\n"
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(handle, line.encode())
    finally:
        os.close(handle)


def new(
    kind: str, attempt: int, step: int | None = None, values: dict[str, float] | None = None, **about: Any
) -> Event:
    """An event of this moment."""
    return Event(kind, attempt, time.time(), step, values or {}, about)


def read_from(path: Path, offset: int) -> tuple[list[Event], int]:
    """The events after a byte offset, and the offset to ask for next.

    A last line without its end is left for the next call; a line that is no event (a disk that was full while
    it was written) is passed over. A missing file has no events yet.
    """
    try:
        with path.open("rb") as opened:
            opened.seek(offset)
            content = opened.read()
    except FileNotFoundError:
        return [], offset
    complete = content[: content.rfind(b"\n") + 1]
    events = [event for line in complete.splitlines() if (event := _parse(line)) is not None]
    return events, offset + len(complete)


def _parse(line: bytes) -> Event | None:
    try:
        return Event(**json.loads(line))
    except (ValueError, TypeError):
        return None
