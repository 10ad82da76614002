"""What passes between the control loop and whoever runs a trial."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from jack_ray.contract.events import Event
from jack_ray.contract.failure import Failure
from jack_ray.contract.schema import MpiConfig
from jack_ray.contract.trial import Trial
from jack_ray.spawn.mirror import Piece


@dataclass(frozen=True)
class Need:
    """What one trial takes: a gang of ranks on one machine or several."""

    ranks: int
    cpus_per_rank: int = 1
    gpus: float = 0.0
    """Of the whole trial: one a rank, or a part of one."""
    nodes: int | None = 1
    """Machines; None: as `placement` says."""
    placement: Literal["pack", "spread"] = "pack"
    memory: int = 0
    """Bytes a rank; 0: whatever there is."""

    @property
    def cpus(self) -> int:
        """Cores of the whole trial."""
        return self.ranks * self.cpus_per_rank

    def __str__(self) -> str:
        text = f"{self.cpus} core{'s' if self.cpus > 1 else ''}"
        if self.gpus:
            text += f" and {self.gpus:g} GPU{'s' if self.gpus > 1 else ''}"
        if self.memory:
            text += f" and {self.memory * self.ranks / 1e9:.1f} GB of memory"
        return text

    def where(self) -> str:
        """On how many machines, in words."""
        if self.nodes is None:
            return "on machines of the cluster" if self.placement == "pack" else "spread over the cluster"
        return "on one machine" if self.nodes == 1 else f"on {self.nodes} machines"


@dataclass(frozen=True)
class Order:
    """One attempt of one trial. The folder holds trial.json already, on the driver's machine."""

    trial: Trial
    folder: Path
    attempt: int
    gpu: bool
    jittor_home: Path
    mpi: MpiConfig
    operators: int = 0
    """About how many operators Jittor compiles for it the first time; 0 if nobody counted them."""
    avoid: frozenset[str] = frozenset()
    """Names of machines that it is not to run on."""
    memory: int = 0
    """Bytes that a rank must have, after it ran out of them; 0: whatever there is."""
    storage: str | None = None
    """Where checkpoints pass between machines that share no disk."""
    token: str = ""
    """Name of a file in the folder: whoever sees it shares the driver's disk. Empty: nobody else is asked."""
    lost_s: float = 30.0
    """Silence after which those who run it take each other for lost."""
    most_bytes: int = 0
    """Of compiled operators on each machine; 0: no bound."""
    keep_ranks: bool = False
    """Whether its ranks stay for the next trial when it has ended well."""

    @property
    def trial_id(self) -> str:
        """The trial's id."""
        return self.trial.id

    @property
    def ranks(self) -> int:
        """Its ranks, on all machines together."""
        return self.trial.ranks

    @property
    def threads(self) -> int:
        """Threads that a rank computes with."""
        return self.trial.threads


@dataclass(frozen=True)
class News:
    """What happened since the last call."""

    events: tuple[Event, ...] = ()
    phase: str = ""
    """What goes on, in words: `waiting for 2 cores`, `compiling Jittor (42 %)`."""
    ended: "Ended | None" = None
    pieces: tuple[Piece, ...] = ()
    """What grew in the trial's folder there, where it is not the driver's."""
    nodes: tuple[str, ...] = ()
    """The machines it runs on, that of rank 0 first; empty while unknown."""


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

    def wait(self, seconds: float) -> None:
        """Let so much time pass; less where one of the attempts has something to tell."""
        ...

    def stop(self, handle: Handle) -> None:
        """End an attempt; its ranks are gone when this returns."""
        ...

    def close(self) -> None:
        """End everything that is left."""
        ...
