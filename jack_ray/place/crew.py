"""The other machines of a gang, as its lead sees them: who is there, are they alive, start this there."""

from dataclasses import dataclass
from typing import Protocol

from jack_ray.contract.errors import JackRayError
from jack_ray.spawn.mirror import Piece
from jack_ray.spawn.mpirun import Host


@dataclass(frozen=True)
class Present:
    """What a machine says of itself when it is called up."""

    host: Host
    shares: bool
    """Whether the trial's folder there is the driver's."""
    problems: tuple[str, ...] = ()
    """Why no rank can run there."""


@dataclass(frozen=True)
class Beat:
    """What a machine tells about once a second."""

    host: str
    phase: str
    """What it does before ranks can run, in words; empty when it is ready."""
    problem: str = ""
    silent_s: float = 0.0
    """Of its most silent rank; 0 while a compiler works."""
    rank: int = 0
    """That rank."""
    oom_kills: int = 0
    pieces: tuple[Piece, ...] = ()


class LostError(Exception):
    """A machine of the gang is gone, or was not heard of for too long."""

    def __init__(self, host: str, why: str) -> None:
        super().__init__(f"{host} {why}")
        self.host = host


class UnfitError(JackRayError):
    """No rank can run on a machine of the gang, which is alive."""

    def __init__(self, host: str, why: str) -> None:
        super().__init__(why)
        self.host = host


class Crew(Protocol):
    """All machines of a gang but the lead's."""

    def muster(self) -> list[Present]:
        """Call them up; they begin to get ready. Raises LostError."""
        ...

    def beats(self) -> list[Beat]:
        """What was told since the last call; also tells them that the lead lives. Raises LostError."""
        ...

    def run(self, address: str, command: str) -> int:
        """Run a shell command on the machine with that address until it ends; its exit code. Raises LostError."""
        ...

    def stop(self) -> None:
        """End what runs there."""
        ...


class Alone:
    """No other machines: a gang on the lead's own."""

    def muster(self) -> list[Present]:
        """Nobody."""
        return []

    def beats(self) -> list[Beat]:
        """Nothing."""
        return []

    def run(self, address: str, command: str) -> int:
        """Refuse: there is nobody."""
        raise LostError(address, "is not a machine of this trial")

    def stop(self) -> None:
        """Nothing to end."""
