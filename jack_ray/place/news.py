"""What passes between the control loop and whoever runs a trial."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from jack_ray.contract.events import Event
from jack_ray.contract.failure import Failure
from jack_ray.contract.schema import MpiConfig


@dataclass(frozen=True)
class Need:
    """What one trial takes: a gang on one machine."""

    cpus: int
    gpus: int

    def __str__(self) -> str:
        cores = f"{self.cpus} core{'s' if self.cpus > 1 else ''}"
        return cores + (f" and {self.gpus} GPU{'s' if self.gpus > 1 else ''}" if self.gpus else "")


@dataclass(frozen=True)
class Order:
    """One attempt of one trial. The folder holds trial.json already."""

    trial_id: str
    folder: Path
    attempt: int
    ranks: int
    threads: int
    gpu: bool
    jittor_home: Path
    mpi: MpiConfig
    operators: int = 0
    """About how many operators Jittor compiles for it the first time; 0 if nobody counted them."""


@dataclass(frozen=True)
class News:
    """What happened since the last call."""

    events: tuple[Event, ...] = ()
    phase: str = ""
    """What goes on, in words: `waiting for 2 cores`, `compiling Jittor (42 %)`."""
    ended: "Ended | None" = None


@dataclass(frozen=True)
class Ended:
    """How an attempt ended. busy: another driver trains the same trial at this moment."""

    status: Literal["finished", "failed", "killed", "busy"]
    failure: Failure | None = None


@dataclass
class Handle:
    """One attempt in somebody's hands."""

    order: Order
    offset: int = 0
    """Bytes of the events file that were passed on."""
    inner: dict[str, object] = field(default_factory=dict)
    """Whatever the hands need to find it again."""


class Hands(Protocol):
    """Starts, watches and stops attempts. One implementation without Ray, one with it."""

    def room(self) -> bool:
        """Whether it is worth handing over another trial now."""
        ...

    def start(self, order: Order) -> Handle:
        """Begin an attempt; returns at once."""
        ...

    def poll(self, handle: Handle) -> News:
        """What happened; never waits long."""
        ...

    def stop(self, handle: Handle) -> None:
        """End an attempt; its ranks are gone when this returns."""
        ...

    def close(self) -> None:
        """End everything that is left."""
        ...
