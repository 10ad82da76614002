"""One trial of a sweep, as the control loop and the table see it."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from jack_ray.contract.events import Event
from jack_ray.contract.paths import TrialFolder
from jack_ray.contract.state import State, Status
from jack_ray.contract.trial import Trial
from jack_ray.expand import Point
from jack_ray.place.news import Handle

WAITING = "waiting"
"""How the phase of a trial without a place begins."""


@dataclass(frozen=True)
class Goal:
    """The number that a sweep looks at."""

    metric: str
    """`val/average_mAP`: as in the events."""
    mode: str

    def better(self, value: float, than: float | None) -> bool:
        """Whether a value beats another; anything beats nothing."""
        return than is None or (value > than if self.mode == "max" else value < than)


@dataclass
class Entry:
    """A point, its trial, and how it stands."""

    point: Point
    trial: Trial
    folder: TrialFolder
    config: str
    """The composed config as YAML."""
    state: State
    phase: str = "queued"
    handle: Handle | None = None
    best: float | None = None
    latest: dict[str, float] = field(default_factory=dict)
    step: int = 0
    ending: dict[str, float] | None = None
    """The values of the `finished` event."""
    began: float = field(default_factory=time.monotonic)
    failures: Mapping[str, int] = field(default_factory=dict)
    """Kind -> how often an attempt ended so, since the driver began."""
    nodes: tuple[str, ...] = ()
    """The machines it runs on, or ran on last."""
    message: str = ""
    """The last failure, while it goes on after it."""
    first_step: tuple[int, float] | None = None
    """Step and moment of this attempt's first numbers: what the time left is judged by."""

    @property
    def total_steps(self) -> int:
        """The steps of the whole trial."""
        return self.trial.last_step

    def take(self, event: Event, goal: Goal) -> None:
        """Take in what rank 0 told."""
        if event.kind == "finished":
            self.ending = event.values
        if event.kind == "phase" and event.step is not None:
            self.step = event.step  # where it goes on, which may be before what an earlier attempt had told
        if event.kind != "metrics" or event.step is None:
            return
        self.step = max(self.step, event.step)
        self.latest |= event.values
        if self.first_step is None:
            self.first_step = (event.step, event.time)
        value = event.values.get(goal.metric)
        if value is not None and goal.better(value, self.best):
            self.best = value

    @property
    def is_waiting(self) -> bool:
        """Whether it has been handed over and has no place yet."""
        return self.handle is not None and self.phase.startswith(WAITING)

    def seconds(self) -> float:
        """Wall time of all attempts so far, without the time in the queue."""
        runs = self.handle is not None and not self.is_waiting
        return self.state.seconds + (time.monotonic() - self.began if runs else 0.0)

    def ended(self, status: Status, message: str) -> State:
        """How the trial stands if its attempt ends now."""
        attempt = self.handle.order.attempt if self.handle is not None else self.state.attempt
        return State(status, attempt, message, self.step, self.ending or {}, self.seconds())

    def left_s(self) -> float | None:
        """Seconds this attempt will still take, by its pace so far; None while that is unknown."""
        if self.handle is None or self.first_step is None or self.step <= self.first_step[0]:
            return None
        pace_s = (time.time() - self.first_step[1]) / (self.step - self.first_step[0])
        return max(0.0, pace_s * (self.total_steps - self.step))


MakeTrial = Callable[[tuple[str, ...]], tuple[Trial, str]]
"""Overrides -> the trial, and its config as YAML."""


def trial_of(point: Point, make: MakeTrial, entries: Mapping[int, Entry]) -> tuple[Trial, str]:
    """The trial of a point, and its config; in a population a part of a training, from another trial's checkpoint.

    entries: those of all points that this one may go on from. Raises what `make` raises.
    """
    trial, config = make(point.overrides)
    origin = None
    if point.origin is not None:
        number, step = point.origin
        origin = {"trial": entries[number].trial.id, "step": step}
    return replace(trial, origin=origin, until=point.until), config
