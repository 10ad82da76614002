"""What the door knows of its server; the main thread writes it, the door's thread reads it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from jack_ray.serving.kinds import Accepts
from jack_ray.serving.metrics import Metrics
from jack_ray.serving.question import Question, Reply
from jack_ray.serving.upload import Pace


@dataclass(frozen=True)
class DoorLimits:
    """What a client may send."""

    max_bytes: int
    max_waiting: int
    """Requests that are received or answered at once."""
    pace: Pace
    answer_s: float
    """For a question, from its upload to its reply."""


class Asks(Protocol):
    """Whoever gets an answer from a replica."""

    async def answer(self, question: Question) -> Reply:
        """What a replica replies. Raises RequestError."""
        ...


@dataclass
class State:
    """Of one server."""

    name: str
    alias: str
    about: dict[str, Any]
    """method, trial, labels, window_s, max_s."""
    accepts: Accepts
    limits: DoorLimits
    folder: Path
    """For uploads."""
    inputs: Path | None
    """Whose files may be named; None: no file may be."""
    version: str = ""
    replicas: int = 0
    """Those that can answer."""
    finds_segments: bool = False
    asks: Asks | None = None
    is_ending: bool = False
    in_flight: int = 0
    metrics: Metrics = field(default_factory=Metrics)

    @property
    def status(self) -> str:
        """ok, starting or ending."""
        if self.is_ending:
            return "ending"
        return "ok" if self.replicas else "starting"

    def health(self) -> dict[str, Any]:
        """For /health."""
        return {"status": self.status, "model": self.name, "version": self.version, "replicas": self.replicas}

    def model(self) -> dict[str, Any]:
        """For /v1/model."""
        return {
            "name": self.name, "alias": self.alias, "version": self.version, **self.about,
            "accepts": list(self.accepts.suffixes), "input": self.accepts.input,
            "max_mb": self.limits.max_bytes / 1e6, "finds_segments": self.finds_segments,
            "paths": self.inputs is not None,
        }  # fmt: skip
