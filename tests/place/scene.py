"""A sweep whose trials are told instead of trained: fake hands, a real search, a real control loop."""

import io
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from jack_ray.contract import events
from jack_ray.contract.errors import ConfigError, Fault
from jack_ray.contract.events import Event
from jack_ray.contract.failure import Failure
from jack_ray.contract.paths import TrialFolder
from jack_ray.contract.schema import MpiConfig, RetryConfig, SweepConfig
from jack_ray.contract.trial import Trial
from jack_ray.expand import open_search
from jack_ray.place.entry import Entry, Goal
from jack_ray.place.loop_settings import Outlets, Settings
from jack_ray.place.news import Ended, Handle, News, Order
from jack_ray.place.run import Controller
from jack_ray.place.screen import Screen
from jack_ray.upload.protocol import Ending
from tests.sweeps import sweep_config

STEPS = 4
METRIC = "val/average_mAP"
GOAL = Goal(METRIC, "max")
RATES = "0.1,0.2,0.3"
NO_RETRY = RetryConfig(infra=0, user=0, memory=0, wait_s=0.0, bad_node=2)

Story = list[Event | Ended]
"""What an attempt does, one entry a look at it."""


def make_trial(overrides: tuple[str, ...]) -> tuple[Trial, str]:
    """A trial of 4 steps; a rate of 9 cannot be."""
    values = dict(word.split("=") for word in overrides)
    rate = float(values.get("train.lr", "0.1"))
    if rate == 9.0:
        raise ConfigError([Fault("train.lr", "9.0", "a number < 9")])
    train = {"steps": STEPS, "lr": rate}
    return Trial(
        "tsl", {"name": "tsl"}, {"name": "tsl300", "root": "/d"}, train, "0123", 2, 1
    ), f"train:\n  lr: {rate}\n"


def grid(rates: str = RATES, **changes: Any) -> SweepConfig:
    """A sweep over the learning rate."""
    values: dict[str, Any] = {"strategy": "grid", "over": {"train.lr": rates}, "num_trials": 9}
    return sweep_config(**(values | changes))


def metric(attempt: int, step: int, value: float) -> Event:
    """A step and its evaluation."""
    return events.new("metrics", attempt, step, {"train/total": 1.0 / step, METRIC: value})


def success(order: Order, first: int = 1, scale: float = 1.0) -> Story:
    """Trains to its end: the metric is the step times `scale`, divided by 10."""
    steps = [metric(order.attempt, step, scale * step / 10) for step in range(first, STEPS + 1)]
    last = events.new("finished", order.attempt, STEPS, {"test/average_mAP": scale})
    return [events.new("started", order.attempt), *steps, last, Ended("finished")]


def failure(order: Order) -> Story:
    """Starts and diverges."""
    why = Failure("diverged", "the loss is not finite at step 2", 1, "lab1", 1.0)
    return [events.new("started", order.attempt), metric(order.attempt, 1, 0.1), Ended("failed", why)]


class FakeHands:
    """Attempts that do what `tell` says; events go through the trial's file, as ranks' do."""

    def __init__(self, tell: Callable[[Order], Story] = success, places: int = 1) -> None:
        self.tell = tell
        self.places = places
        self.stories: dict[str, Story] = {}
        self.started: list[Order] = []
        self.stopped: list[str] = []
        self.most = 0

    def room(self) -> bool:
        return len(self.stories) < self.places

    def start(self, order: Order) -> Handle:
        assert order.trial_id not in self.stories
        self.started.append(order)
        self.stories[order.trial_id] = self.tell(order)
        self.most = max(self.most, len(self.stories))
        return Handle(order)

    def poll(self, handle: Handle) -> News:
        story = self.stories[handle.order.trial_id]
        if not story:
            return News(phase="training")
        entry = story.pop(0)
        if isinstance(entry, Ended):
            del self.stories[handle.order.trial_id]
            return News(ended=entry)
        events.append(TrialFolder(handle.order.folder).events, entry)
        return News((entry,), "training")

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)

    def stop(self, handle: Handle) -> None:
        self.stopped.append(handle.order.trial_id)
        self.stories.pop(handle.order.trial_id, None)

    def close(self) -> None:
        assert not self.stories


@dataclass
class FakeTracker:
    """Remembers what it was told."""

    told: list[tuple[str, ...]] = field(default_factory=list)

    def begin(self, entry: Entry, attempt: int) -> None:
        self.told.append(("begin", rate_of(entry), str(attempt)))

    def end(self, trial_id: str, status: Ending, message: str, hours: float) -> None:
        self.told.append(("end", status, message))

    def warning(self) -> str:
        return ""


def rate_of(entry: Entry) -> str:
    """The learning rate of an entry, as text."""
    return str(entry.trial.train["lr"])


class Sweep:
    """One start of a sweep's driver in a folder; a second one goes on from there."""

    def __init__(self, folder: Path, hands: FakeHands, config: SweepConfig | None = None, **changes: Any) -> None:
        self.hands = hands
        self.tracker = FakeTracker()
        self.out = io.StringIO()
        screen = Screen(GOAL, 3, 15.0, plain=True)
        screen.console = Console(file=self.out, width=120)
        self.screen = screen
        search = open_search(config or grid(), folder / "sweep" / "journal.log", "average_mAP", "max")
        values: dict[str, Any] = {"max_concurrent": None, "fresh": False, "retry": NO_RETRY, "gpus": 0.0} | changes
        mpi = MpiConfig("openmpi", 600.0, None, 10.0)
        settings = Settings(runs=folder, jittor_home=folder / "jittor", mpi=mpi, **values)
        self.controller = Controller(search, hands, make_trial, settings, Outlets(self.tracker, screen))

    def run(self) -> list[Entry]:
        """To its end."""
        return self.controller.run()

    def step(self, count: int = 1) -> bool:
        """A few rounds of the loop; whether anything is left to do."""
        return all([self.controller._advance() for _ in range(count)])

    def statuses(self) -> dict[str, str]:
        """Rate -> how its trial stands."""
        return {rate_of(entry): entry.state.status for entry in self.controller.entries.values()}


def rates(orders: Sequence[Order], folder: Path) -> list[str]:
    """The learning rates of orders, from the trial files that ranks would read."""
    from jack_ray.contract.trial import load_trial

    return [str(load_trial(TrialFolder(order.folder).trial).train["lr"]) for order in orders]
