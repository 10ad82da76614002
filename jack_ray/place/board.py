"""Tells in the sweep's folder how the sweep stands, and looks at how more important sweeps stand."""

import json
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from jack_ray.contract.paths import SweepFolder
from jack_ray.contract.status import SweepState, SweepStatus, TrialStatus, load_status, save_status
from jack_ray.place.entry import Entry

TELL_S = 1.0
MANY = 100
"""Of more trials than these it is told less often."""

LOOK_S = 2.0
STALE_S = 15.0
"""A sweep whose driver has told nothing for so long does not hold others back."""

_TAIL_BYTES = 4096


@dataclass
class Board:
    """The status file of one sweep. `about`: everything in it that stays; `gpus`: of a trial."""

    folder: SweepFolder
    about: SweepStatus
    gpus: float
    _told: float = float("-inf")
    _looked: float = float("-inf")
    _outranked: str = ""

    def tell(self, state: SweepState, entries: Sequence[Entry], message: str = "", now: bool = False) -> None:
        """Write the status if the last one is a second old, or `now`. A full disk is not this file's business."""
        if not now and time.monotonic() - self._told < TELL_S * max(1.0, len(entries) / MANY):
            return
        self._told = time.monotonic()
        trials = tuple(trial_status(entry, self.gpus) for entry in entries)
        status = replace(self.about, state=state, changed=time.time(), message=message, trials=trials)
        with suppress(OSError):
            save_status(self.folder.status, status)

    def outranked(self, priority: int) -> str:
        """The sweep of the same runs folder that goes first: it has a higher priority and a trial without a place."""
        if time.monotonic() - self._looked > LOOK_S:
            self._looked = time.monotonic()
            self._outranked = self._look(priority)
        return self._outranked

    def _look(self, priority: int) -> str:
        for path in self.folder.path.parent.glob("*/status.json"):
            if path.parent == self.folder.path or time.time() - _changed(path) > STALE_S:
                continue
            other = load_status(path)
            if other is not None and other.state == "running" and other.priority > priority and _wants_place(other):
                return other.id
        return ""


def _wants_place(sweep: SweepStatus) -> bool:
    """Whether a trial of it waits for a place, or is yet to be handed over."""
    in_hands = sum(trial.status not in ("finished", "stopped", "failed") for trial in sweep.trials)
    has_waiting = any(trial.phase.startswith("waiting") for trial in sweep.trials)
    ended = len(sweep.trials) - in_hands
    return has_waiting or (in_hands == 0 and ended < sweep.total)


def _changed(path: Path) -> float:
    with suppress(OSError):
        return path.stat().st_mtime
    return 0.0


def trial_status(entry: Entry, gpus: float) -> TrialStatus:
    """One trial, as the commands show it."""
    state = entry.state
    in_hands = entry.handle is not None
    attempt = entry.handle.order.attempt if entry.handle is not None else state.attempt
    epoch = entry.latest.get("train/epoch")
    return TrialStatus(
        id=entry.trial.id,
        overrides=entry.point.overrides,
        status="waiting" if entry.is_waiting else "running" if in_hands else state.status,
        phase=entry.phase,
        step=entry.step,
        steps=entry.total_steps,
        epoch=epoch,
        best=entry.best,
        latest=dict(entry.latest) if in_hands else {},
        attempt=attempt,
        failures=dict(entry.failures),
        nodes=entry.nodes,
        cpus=entry.trial.ranks * entry.trial.threads,
        gpus=gpus,
        memory_mb=_memory_mb(entry.folder.system) if in_hands else None,
        seconds=entry.seconds(),
        left_s=entry.left_s(),
        message=entry.message or state.message,
    )


def _memory_mb(system: Path) -> float | None:
    """The last sample of what the ranks on rank 0's machine hold."""
    try:
        with system.open("rb") as opened:
            opened.seek(max(0, system.stat().st_size - _TAIL_BYTES))
            values = json.loads(opened.read().splitlines()[-1])["values"]
        return float(values["system/trial_memory_megabytes"])
    except (OSError, ValueError, KeyError, IndexError):
        return None


def peak_memory_bytes(system: Path) -> int:
    """The largest sample of them; 0 if there is none."""
    peak = 0.0
    with suppress(OSError, ValueError, KeyError):
        for line in system.read_text(encoding="utf-8").splitlines():
            peak = max(peak, float(json.loads(line)["values"]["system/trial_memory_megabytes"]))
    return int(peak * 1e6)
