"""How a sweep stands, judged from its files: what its driver told last, and whether that driver is alive."""

import fcntl
import json
import shlex
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from jack_ray.contract.pace import Pace
from jack_ray.contract.paths import SweepFolder, TrialFolder, trial_folder
from jack_ray.contract.status import SweepStatus, TrialStatus, load_status

FRESH_S = 2.0
"""A driver that told something so lately is alive: it tells once a second."""
SILENT_S = 30.0
"""A driver on another machine that told nothing for so long is dead."""

OVER = frozenset({"finished", "stopped", "failed"})
"""States of a trial that has ended for good."""
GOING_ON = frozenset({"running", "paused"})
"""States that a sweep has only while its driver lives."""

NOT_AGAIN = ("fresh=", "more=")
"""Words that are not typed again to go on: they would throw results away, or add trials twice."""


@dataclass(frozen=True)
class Standing:
    """A sweep as far as its files tell. In a notebook it shows itself as a table."""

    folder: SweepFolder
    status: SweepStatus
    is_alive: bool
    """Whether a driver works on it now."""

    @property
    def id(self) -> str:
        """The sweep's id."""
        return self.status.id

    @property
    def state(self) -> str:
        """As the driver told it, or `died`: it told that it was running, and is gone."""
        return "died" if self.status.state in GOING_ON and not self.is_alive else self.status.state

    @property
    def trials(self) -> tuple[TrialStatus, ...]:
        """All trials so far."""
        return self.status.trials

    @property
    def runs(self) -> Path:
        """The folder of all trials and sweeps."""
        return self.folder.path.parent.parent

    @property
    def done(self) -> int:
        """Trials that have ended for good."""
        return sum(trial.status in OVER for trial in self.trials)

    @cached_property
    def ranked(self) -> list[TrialStatus]:
        """Best first; trials without a number last."""
        sign = -1.0 if self.status.mode == "max" else 1.0
        order = {trial.id: place for place, trial in enumerate(self.trials)}
        return sorted(self.trials, key=lambda one: (one.best is None, sign * (one.best or 0.0), order[one.id]))

    @property
    def best(self) -> TrialStatus | None:
        """The trial with the best value so far; None before the first evaluation."""
        first = self.ranked[0] if self.trials else None
        return first if first is not None and first.best is not None else None

    @property
    def gpu_hours(self) -> float:
        """GPUs times hours, of all attempts of all trials."""
        return sum(gpu_hours(trial) for trial in self.trials)

    @property
    def core_hours(self) -> float:
        """Processor cores times hours, of all attempts of all trials."""
        return sum(core_hours(trial) for trial in self.trials)

    @property
    def left_s(self) -> float | None:
        """Seconds until the last trial ends, at the pace of now; None while it is unknown."""
        running = [trial for trial in self.trials if trial.status == "running"]
        finished_s = [trial.seconds for trial in self.trials if trial.status == "finished"]
        waiting = max(0, self.status.total - self.done - len(running))
        pace = Pace([(trial.seconds, trial.left_s) for trial in running], finished_s, waiting)
        return pace.left_s if self.is_alive else None

    @property
    def again(self) -> str:
        """The command that goes on with it."""
        return again(self.status)

    def trial_folder(self, trial_id: str) -> TrialFolder:
        """Where a trial lies."""
        return trial_folder(self.runs, trial_id)

    def plain(self) -> dict[str, Any]:
        """All of it as JSON values."""
        best = self.best
        return {
            "id": self.id, "name": self.status.name, "state": self.state, "done": self.done, "total": self.status.total,
            "metric": self.status.metric, "best": best.best if best else None, "best_trial": best.id if best else None,
            "gpu_hours": self.gpu_hours, "core_hours": self.core_hours, "left_s": self.left_s,
            "began": self.status.began, "changed": self.status.changed, "driver_host": self.status.driver_host,
            "driver_pid": self.status.driver_pid, "message": self.status.message, "folder": str(self.folder.path),
            "typed": list(self.status.typed),
        }  # fmt: skip

    def __repr__(self) -> str:
        from jack_ray.sweeps.table import as_text  # it loads rich, which reading needs not

        return as_text(self)

    def _repr_html_(self) -> str:
        from jack_ray.sweeps.table import as_html

        return as_html(self)


def gpu_hours(trial: TrialStatus) -> float:
    """GPUs times hours of a trial, without waiting."""
    return trial.gpus * trial.seconds / 3600


def core_hours(trial: TrialStatus) -> float:
    """Processor cores times hours of a trial, without waiting."""
    return trial.cpus * trial.seconds / 3600


def words_again(typed: Sequence[str]) -> list[str]:
    """What to type after `python -m jack_ray.launch` to go on."""
    return [word for word in typed if not word.startswith(NOT_AGAIN)]


def again(status: SweepStatus) -> str:
    """The whole command, with the folder that it belongs in."""
    command = shlex.join(["python", "-m", "jack_ray.launch", *words_again(status.typed)])
    return f"cd {shlex.quote(status.folder)} && {command}" if status.folder else command


def driver_of(folder: SweepFolder) -> int | None:
    """The process id that holds the sweep's lock on this machine; None where nobody does."""
    try:
        with folder.lock.open("rb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(lock.read() or 0)
    except (OSError, ValueError):
        return None
    return None


def is_alive(folder: SweepFolder, status: SweepStatus) -> bool:
    """Whether the driver works, by its words if they are fresh, by its lock on its own machine, else by its silence."""
    silent_s = time.time() - status.changed
    if status.state in GOING_ON and silent_s < FRESH_S:
        return True
    if status.driver_host == socket.gethostname():
        return driver_of(folder) is not None
    return status.state in GOING_ON and silent_s < SILENT_S


def read_standing(folder: SweepFolder) -> Standing:
    """How a sweep stands now. A sweep that has told nothing yet has no trials."""
    status = load_status(folder.status) or _untold(folder)
    return Standing(folder, status, is_alive(folder, status))


def _untold(folder: SweepFolder) -> SweepStatus:
    try:
        said = json.loads(folder.sweep.read_text(encoding="utf-8"))
        typed, where = tuple(map(str, said["typed"])), str(said["folder"])
        began = folder.sweep.stat().st_mtime
    except (OSError, ValueError, TypeError, KeyError):
        typed, where, began = (), "", 0.0
    return SweepStatus(
        id=folder.path.name, name=folder.path.name.partition("-")[0], state="running", typed=typed, folder=where,
        metric="", mode="max", driver_host=socket.gethostname(), driver_pid=driver_of(folder) or 0, total=0,
        began=began, changed=began, message="Its driver has told nothing yet.",
    )  # fmt: skip
