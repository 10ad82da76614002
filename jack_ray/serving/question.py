"""What a replica is asked, and what it replies: plain values, which travel between machines."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Question:
    """Files that an answer is wanted for."""

    folder: str
    """Where they lie, on the machine of the door."""
    main: str
    """The file that is asked about, below the folder."""
    files: tuple[str, ...]
    """All that belong to it, below the folder."""
    shown: str
    """What the client calls it; only shown."""
    timeline: bool


@dataclass(frozen=True)
class Reply:
    """What became of a question."""

    version: str
    """Of the model that has answered."""
    batch: int
    """How many questions were answered together."""
    seconds: float
    """How long that took."""
    answer: Mapping[str, Any] | None
    """None: the file cannot be answered for."""
    error: str = ""
    """Why, in one line."""


@dataclass(frozen=True)
class Wanted:
    """A version of the model, and where its checkpoint lies on the machine of the door."""

    version: str
    checkpoint: str
    files: tuple[str, ...]


@dataclass(frozen=True)
class Standing:
    """How a replica stands, as it tells it every second."""

    version: str
    """Of the model that answers; empty while the first one is loaded."""
    wanted: str
    """The version that it was last told to turn to."""
    trouble: str
    """Why it could not; empty: it could, or is about to."""
    finds_segments: bool
    node: str
    pid: int
    """Of the replica."""
    computing_pid: int
    """Of the process behind the wall; 0: none."""
