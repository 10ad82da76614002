"""How a sweep stands, told by its driver once a second: `sweeps/<sweep id>/status.json`, read by commands."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from jack_ray.contract.files import write_json

SweepState = Literal["running", "paused", "finished", "failed", "stopped", "killed"]
"""stopped: by a command or a budget. killed: Ctrl-C. A driver that died leaves `running` with an old `changed`."""


@dataclass(frozen=True)
class TrialStatus:
    """One trial of a sweep."""

    id: str
    overrides: tuple[str, ...]
    """The point: `train.lr=0.0001`."""
    status: str
    """As in contract/state.py, or `waiting`: asked for, not started."""
    phase: str
    """What goes on, in words, while it is in hands."""
    step: int
    steps: int
    """Of the whole trial."""
    epoch: float | None = None
    best: float | None = None
    """Of the sweep's metric."""
    latest: dict[str, float] = field(default_factory=dict)
    attempt: int = 0
    failures: dict[str, int] = field(default_factory=dict)
    """Kind (contract/failure.py) -> how often an attempt ended so."""
    nodes: tuple[str, ...] = ()
    """Host names, that of rank 0 first."""
    cpus: int = 0
    gpus: float = 0.0
    memory_mb: float | None = None
    """Of the ranks on rank 0's node."""
    seconds: float = 0.0
    """Wall time of all attempts, without waiting."""
    left_s: float | None = None
    message: str = ""
    """Why it failed or was stopped; the last failure while it goes on."""


@dataclass(frozen=True)
class SweepStatus:
    """A sweep and all of its trials so far."""

    id: str
    name: str
    state: SweepState
    typed: tuple[str, ...]
    """What was typed after `python -m jack_ray.launch`."""
    folder: str
    """The folder in which it was typed."""
    metric: str
    """`val/average_mAP`."""
    mode: str
    driver_host: str
    driver_pid: int
    total: int
    """Trials that there will be."""
    began: float
    changed: float
    """Seconds since 1970."""
    need: str = ""
    """What a trial takes, in words."""
    priority: int = 0
    experiment: str = ""
    uri: str = ""
    message: str = ""
    trials: tuple[TrialStatus, ...] = ()


def save_status(path: Path, status: SweepStatus) -> None:
    """Write it whole."""
    write_json(path, asdict(status))


def load_status(path: Path) -> SweepStatus | None:
    """How the sweep stood when its driver last told; None if it never did, or the file is damaged."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        trials = tuple(_trial(entry) for entry in values.pop("trials"))
        return SweepStatus(**(values | {"typed": tuple(values["typed"])}), trials=trials)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _trial(values: dict[str, Any]) -> TrialStatus:
    lists = {name: tuple(values[name]) for name in ("overrides", "nodes")}
    return TrialStatus(**(values | lists))
