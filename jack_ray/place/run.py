"""The control loop of a sweep: asks the search, hands trials over, listens, tells the search and the tracker."""

import signal
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Literal, Protocol

from jack_ray.contract import events
from jack_ray.contract.errors import FaultsError
from jack_ray.contract.files import write_text
from jack_ray.contract.paths import trial_folder
from jack_ray.contract.schema import MpiConfig
from jack_ray.contract.state import State, load_state, save_state
from jack_ray.contract.trial import Trial, load_trial
from jack_ray.expand import Point, Search
from jack_ray.place.entry import WAITING, Entry
from jack_ray.place.news import Ended, Hands, News, Order
from jack_ray.place.retire import retire
from jack_ray.place.screen import Screen

TICK_S = 0.2
BUSY_S = 5.0
"""Before a trial that another driver trains is looked at again."""

MakeTrial = Callable[[tuple[str, ...]], tuple[Trial, str]]


class Tracker(Protocol):
    """Where runs are told of; never waits."""

    def begin(self, entry: Entry, attempt: int) -> None:
        """A trial starts, goes on, or is found finished."""
        ...

    def end(self, trial_id: str, status: Literal["finished", "stopped", "failed", "killed"], message: str) -> None:
        """A trial ended."""
        ...

    def warning(self) -> str:
        """What the user should know of the tracking now; usually nothing."""
        ...


@dataclass(frozen=True)
class Settings:
    """What the loop needs to know of the config."""

    runs: Path
    jittor_home: Path
    mpi: MpiConfig
    gpu: bool
    max_concurrent: int | None
    fresh: bool
    operators: int = 0
    """About how many operators Jittor compiles for such a trial the first time."""


class Controller:
    """One sweep, from its first trial to its last."""

    def __init__(
        self,
        search: Search,
        hands: Hands,
        make_trial: MakeTrial,
        settings: Settings,
        *,
        tracker: Tracker,
        screen: Screen,
    ) -> None:
        self.search = search
        self.hands = hands
        self.make_trial = make_trial
        self.settings = settings
        self.tracker = tracker
        self.screen = screen
        self.goal = screen.goal
        self.entries: dict[int, Entry] = {}
        self.waiting: deque[Point] = deque([*search.ended(), *search.unfinished(), *search.failed()])
        self.is_exhausted = False
        self.later: list[tuple[float, Point]] = []
        self.refused: list[str] = []
        self.refreshed: set[str] = set()
        self.interrupted = False

    def run(self) -> list[Entry]:
        """Until every trial has ended, or Ctrl-C; then nothing runs any more and every state is saved."""
        kinds = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        previous = {kind: signal.signal(kind, self._interrupt) for kind in kinds}
        try:
            while not self.interrupted and self._advance():
                self.screen.show(list(self.entries.values()), self.tracker.warning())
                time.sleep(TICK_S)
        finally:
            self._stop_all()
            self.screen.show(list(self.entries.values()))
            for kind, handler in previous.items():
                signal.signal(kind, handler)
        return list(self.entries.values())

    def _interrupt(self, kind: int, frame: FrameType | None) -> None:
        if self.interrupted:
            return
        self.interrupted = True  # before the words: a second signal may come while they are written
        self.screen.say("Stopping the trials; the same command will go on from their last checkpoints ...")

    def running(self) -> list[Entry]:
        """The trials in hands."""
        return [entry for entry in self.entries.values() if entry.handle is not None]

    def _advance(self) -> bool:
        """One round; False when nothing is left to do."""
        while not self.interrupted and self._has_room() and (point := self._next()) is not None:
            self._begin(point)
        for entry in self.running():
            assert entry.handle is not None
            self._listen(entry, self.hands.poll(entry.handle))
        return bool(self.running() or self.waiting or self.later or not self.is_exhausted)

    def _has_room(self) -> bool:
        limit = self.settings.max_concurrent
        return (limit is None or len(self.running()) < limit) and self.hands.room()

    def _next(self) -> Point | None:
        now = time.monotonic()
        for due in [entry for entry in self.later if entry[0] <= now]:
            self.later.remove(due)
            self.waiting.append(due[1])
        if self.waiting:
            return self.waiting.popleft()
        point = self.search.ask()
        self.is_exhausted = point is None
        return point

    def _begin(self, point: Point) -> None:
        """Hand a trial over, unless it is finished, or runs already under another point."""
        try:
            trial, config = self.make_trial(point.overrides)
        except FaultsError as error:  # a drawn value that the checks refuse
            self.refused.append(f"{' '.join(point.overrides)}: {error}")
            self.search.tell(point.number, "failed", None)
            return
        if any(entry.trial.id == trial.id for entry in self.running()):
            self.later.append((time.monotonic() + BUSY_S, point))
            return
        folder = trial_folder(self.settings.runs, trial.id)
        if self.settings.fresh and trial.id not in self.refreshed:
            retire(folder.path, folder.lock)
            self.refreshed.add(trial.id)
        entry = Entry(point, trial, folder, config, load_state(folder.state))
        self.entries[point.number] = entry
        self._replay(entry)
        was_stopped = entry.state.status == "stopped" and not self.search.keep(point.number)
        if entry.state.status == "finished" or was_stopped:
            self.tracker.begin(entry, entry.state.attempt)
            self._end(entry, entry.state)
            return
        self._hand_over(entry)

    def _replay(self, entry: Entry) -> None:
        """Take in what earlier attempts told, so that the search judges a resumed trial as it would have."""
        told, _ = events.read_from(entry.folder.events, 0)
        for event in told:
            entry.take(event, self.goal)
            if event.kind == "metrics" and event.step is not None and self.goal.metric in event.values:
                self.search.report(entry.point.number, event.step, event.values[self.goal.metric])
        entry.first_step = None

    def _hand_over(self, entry: Entry) -> None:
        trial = entry.trial
        if entry.folder.trial.exists():
            trial = entry.trial = replace(trial, threads=load_trial(entry.folder.trial).threads)
        trial.save(entry.folder.trial)
        write_text(entry.folder.config, entry.config)
        attempt = entry.state.attempt + 1
        order = Order(
            trial_id=trial.id,
            folder=entry.folder.path,
            attempt=attempt,
            ranks=trial.ranks,
            threads=trial.threads,
            gpu=self.settings.gpu,
            jittor_home=self.settings.jittor_home,
            mpi=self.settings.mpi,
            operators=self.settings.operators,
        )
        entry.began = time.monotonic()
        entry.handle = self.hands.start(order)
        entry.handle.offset = entry.folder.events.stat().st_size if entry.folder.events.exists() else 0
        entry.phase = "starting"
        self.tracker.begin(entry, attempt)

    def _listen(self, entry: Entry, news: News) -> None:
        if entry.is_waiting and news.phase and not news.phase.startswith(WAITING):
            entry.began = time.monotonic()  # the time in the queue is not the trial's
        entry.phase = news.phase or entry.phase
        for event in news.events:
            entry.take(event, self.goal)
            if event.kind == "note":
                self.screen.say(f"{entry.trial.id}: {event.about['text']}")
            if event.kind == "started":
                entry.state = replace(entry.state, status="running", attempt=event.attempt, message="")
                save_state(entry.folder.state, entry.state)
            if event.kind == "metrics" and event.step is not None and self.goal.metric in event.values:
                self.search.report(entry.point.number, event.step, event.values[self.goal.metric])
                if event.step < entry.total_steps and not self.search.keep(entry.point.number):
                    self._stop_early(entry)
                    return
        if news.ended is not None:
            self._ended(entry, news.ended)

    def _stop_early(self, entry: Entry) -> None:
        assert entry.handle is not None
        self.hands.stop(entry.handle)
        self._end(entry, self._state(entry, "stopped", "others did better"))

    def _ended(self, entry: Entry, ended: Ended) -> None:
        if ended.status == "busy":
            del self.entries[entry.point.number]
            self.later.append((time.monotonic() + BUSY_S, entry.point))
            return
        if ended.status == "finished" and entry.ending is None:
            self._end(entry, self._state(entry, "failed", "the ranks ended without a result"))
            return
        message = str(ended.failure) if ended.failure is not None else ""
        self._end(entry, self._state(entry, ended.status, message))

    def _state(self, entry: Entry, status: Literal["finished", "stopped", "failed", "killed"], message: str) -> State:
        attempt = entry.handle.order.attempt if entry.handle is not None else entry.state.attempt
        return State(status, attempt, message, entry.step, entry.ending or {}, entry.seconds())

    def _end(self, entry: Entry, state: State) -> None:
        entry.state = state
        entry.handle = None
        save_state(entry.folder.state, state)
        if state.status in ("finished", "stopped", "failed"):
            self.search.tell(entry.point.number, state.status, entry.best)
            self.tracker.end(entry.trial.id, state.status, state.message)
        else:
            self.search.forget(entry.point.number)
            self.tracker.end(entry.trial.id, "killed", state.message)

    def _stop_all(self) -> None:
        """End what runs, all at the same time."""
        running = self.running()
        if not running:
            return
        with ThreadPoolExecutor(max_workers=len(running)) as pool:
            handles = [entry.handle for entry in running if entry.handle is not None]
            list(pool.map(self.hands.stop, handles))
        for entry in running:
            self._end(entry, self._state(entry, "killed", "stopped by the user"))
