"""What the control loop needs to know and to talk to, beside the search and the hands."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from jack_ray.contract.schema import MpiConfig, RetryConfig
from jack_ray.place.board import Board
from jack_ray.place.entry import Entry
from jack_ray.place.screen import Screen
from jack_ray.upload.protocol import Ending


class Tracker(Protocol):
    """Where runs are told of; never waits."""

    def begin(self, entry: Entry, attempt: int) -> None:
        """A trial starts, goes on, or is found finished."""
        ...

    def end(self, trial_id: str, status: Ending, message: str, hours: float) -> None:
        """A trial ended after so many hours of all its attempts."""
        ...

    def warning(self) -> str:
        """What the user should know of the tracking now; usually nothing."""
        ...


@dataclass(frozen=True)
class Outlets:
    """Whom the loop tells how things stand."""

    tracker: Tracker
    screen: Screen
    board: Board | None = None


@dataclass(frozen=True)
class Settings:
    """What the loop needs to know of the config."""

    runs: Path
    jittor_home: Path
    mpi: MpiConfig
    retry: RetryConfig
    gpus: float
    """Of one trial."""
    max_concurrent: int | None
    fresh: bool
    operators: int = 0
    """About how many operators Jittor compiles for such a trial the first time."""
    storage: str | None = None
    token: str = ""
    """Name of a file in each trial's folder, by which machines see whether they share the driver's disk."""
    lost_s: float = 30.0
    keep_ranks: bool = False
    most_bytes: int = 0
    """Of Jittor's compiled operators on a machine; 0: no bound."""
    max_hours: float | None = None
    max_gpu_hours: float | None = None
    priority: int = 0
