"""Why a trial could not go on: the first cause, not the echo of the other ranks."""

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from jack_ray.contract.files import write_json

Kind = Literal["error", "crash", "killed", "hang", "diverged", "disk", "data", "memory", "start", "lost"]
"""error: the code raised. crash: a signal from its own fault. killed: SIGKILL or SIGTERM from outside.
hang: no sign of life. diverged: NaN loss. disk: no space left. data: an unreadable file. memory: out of memory.
start: mpirun or a rank did not come up. lost: the actor or its machine is gone."""

DISK_FULL = 28
"""The exit code of a rank that met a full disk, on which it may not be able to leave its reason: Linux's ENOSPC."""


@dataclass(frozen=True)
class Failure:
    """One rank's reason, or the gang's when no rank could write one."""

    kind: Kind
    message: str
    rank: int | None
    host: str
    time: float
    trace: str = ""
    """The traceback, for the log and for MLflow; never shown on the terminal by itself."""

    def __str__(self) -> str:
        who = f"rank {self.rank} on {self.host}" if self.rank is not None else self.host
        return f"{self.message} ({self.kind}{', ' if who else ''}{who})"


def write_failure(path: Path, failure: Failure) -> None:
    """Leave a rank's reason where `earliest` finds it."""
    write_json(path, asdict(failure))


def earliest(folder: Path, since: float) -> Failure | None:
    """The first reason that any rank of this attempt left; the others' are usually its echo."""
    found = []
    for path in sorted(folder.glob("*.failed.json")):
        try:
            failure = Failure(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            continue
        if failure.time >= since:
            found.append(failure)
    return min(found, key=lambda failure: failure.time, default=None)


def now(kind: Kind, message: str, host: str, rank: int | None = None, trace: str = "") -> Failure:
    """A failure of this moment."""
    return Failure(kind, message, rank, host, time.time(), trace)
