"""The control loop of a sweep: asks the search, hands trials over, listens, tells the search and the tracker."""

import signal
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import FrameType

from jack_ray.contract import events
from jack_ray.contract.errors import FaultsError
from jack_ray.contract.failure import Failure
from jack_ray.contract.paths import trial_folder
from jack_ray.contract.state import State, load_state, save_state
from jack_ray.contract.status import SweepState
from jack_ray.expand import Point, Search
from jack_ray.place.budget import used_up
from jack_ray.place.durable import durably
from jack_ray.place.entry import WAITING, Entry, MakeTrial, trial_of
from jack_ray.place.failures import Failures
from jack_ray.place.hand_over import order_of, write_files
from jack_ray.place.loop_settings import Outlets, Settings
from jack_ray.place.news import Ended, Hands, News
from jack_ray.place.retire import retire
from jack_ray.place.wishes import Wishes

TICK_S = 0.2
BUSY_S = 5.0
"""Before a trial that another driver trains is looked at again."""


class Controller:
    """One sweep, from its first trial to its last."""

    def __init__(
        self,
        search: Search,
        hands: Hands,
        make_trial: MakeTrial,
        settings: Settings,
        outlets: Outlets,
    ) -> None:
        self.search = search
        self.hands = hands
        self.make_trial = make_trial
        self.settings = settings
        self.tracker = outlets.tracker
        self.screen = outlets.screen
        self.board = outlets.board
        self.goal = outlets.screen.goal
        self.wishes = Wishes(self.board.folder.control if self.board is not None else None)
        self.entries: dict[int, Entry] = {}
        self.waiting: deque[Point] = deque([*search.ended(), *search.unfinished(), *search.failed()])
        self.is_exhausted = False
        self.later: list[tuple[float, Point]] = []
        self.held: list[Point] = []
        self.failures = Failures(settings.retry)
        self.refused: list[str] = []
        self.refreshed: set[str] = set()
        self.began = time.monotonic()
        self.interrupted = False
        self.stopped = ""
        """Why the sweep ends early: a command, or a budget."""

    def run(self) -> list[Entry]:
        """Until every trial has ended, or Ctrl-C; then nothing runs any more and every state is saved."""
        kinds = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        previous = {kind: signal.signal(kind, self._interrupt) for kind in kinds}
        try:
            while not self.interrupted and not self.stopped and self._advance():
                self._show()
                self.hands.wait(TICK_S)
        finally:
            self._set_aside(self.running(), self.stopped or "stopped by the user")
            self._show(ended=True)
            for kind, handler in previous.items():
                signal.signal(kind, handler)
        return list(self.entries.values())

    def _show(self, ended: bool = False) -> None:
        entries = list(self.entries.values())
        self.screen.show(entries, self.tracker.warning() if not ended else "")
        if self.board is not None:
            self.board.tell(self.state(ended), entries, self.stopped, now=ended)

    def state(self, ended: bool) -> SweepState:
        """How the sweep stands as a whole."""
        if not ended:
            return "paused" if self.wishes.now().paused else "running"
        if self.interrupted:
            return "killed"
        if self.stopped:
            return "stopped"
        failed = any(entry.state.status == "failed" for entry in self.entries.values())
        return "failed" if failed or self.refused else "finished"

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
        self._obey()
        for entry in self.running():
            assert entry.handle is not None
            self._listen(entry, self.hands.poll(entry.handle))
        while not self.interrupted and self._has_room() and (point := self._next()) is not None:
            self._begin(point)
        return bool(self.running() or self.waiting or self.later or self.held or not self.is_exhausted)

    def _obey(self) -> None:
        """Do what commands wish, and what the budgets say."""
        wishes = self.wishes.now()
        self.stopped = "stopped by a command" if wishes.stop else self._over_budget()
        aside = [entry for entry in self.running() if wishes.paused or entry.trial.id in wishes.pause_trials]
        self._set_aside(aside, "paused")
        self.held += [entry.point for entry in aside]
        for entry in self.running():
            if entry.trial.id in wishes.stop_trials:
                self._stop_early(entry, "stopped by a command")
        if not wishes.paused:
            paused = {*wishes.pause_trials} - {*wishes.stop_trials}
            ready = [point for point in self.held if self.entries[point.number].trial.id not in paused]
            self.waiting.extendleft(reversed(ready))
            self.held = [point for point in self.held if point not in ready]

    def _over_budget(self) -> str:
        hours = (time.monotonic() - self.began) / 3600
        gpu_hours = sum(entry.seconds() for entry in self.entries.values()) * self.settings.gpus / 3600
        return used_up(self.settings, hours, gpu_hours)

    def _has_room(self) -> bool:
        wishes = self.wishes.now()
        has_room = self.hands.room()  # asked in any case: places that nobody takes are given back on the way
        if wishes.paused or self.stopped:
            return False
        priority = self.settings.priority if wishes.priority is None else wishes.priority
        if self.board is not None and self.board.outranked(priority):
            return False
        limit = self.settings.max_concurrent
        return (limit is None or len(self.running()) < limit) and has_room

    def _next(self) -> Point | None:
        now = time.monotonic()
        for due in [entry for entry in self.later if entry[0] <= now]:
            self.later.remove(due)
            self.waiting.append(due[1])
        if self.waiting:
            return self.waiting.popleft()
        point = durably(self.search.ask, self.screen.say)
        self.is_exhausted = point is None and self.search.is_over()
        return point

    def _begin(self, point: Point) -> None:
        """Hand a trial over, unless it is finished, or runs already under another point."""
        try:
            trial, config = trial_of(point, self.make_trial, self.entries)
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
        entry.failures = self.failures.of(entry).kinds
        self.entries[point.number] = entry
        self._replay(entry)
        was_stopped = entry.state.status == "stopped" and not self.search.keep(point.number)
        if trial.id in self.wishes.now().stop_trials and entry.state.status != "finished":
            entry.state = entry.ended("stopped", "stopped by a command")
            was_stopped = True
        if entry.state.status == "finished" or was_stopped:
            self.tracker.begin(entry, entry.state.attempt)
            self._end(entry, entry.state)
            return
        durably(lambda: self._hand_over(entry), self.screen.say)

    def _replay(self, entry: Entry) -> None:
        """Take in what earlier attempts told, so that the search judges a resumed trial as it would have."""
        told, _ = events.read_from(entry.folder.events, 0)
        for event in told:
            entry.take(event, self.goal)
            self._report(entry, event)
        entry.first_step = None

    def _report(self, entry: Entry, event: events.Event) -> bool:
        """Pass a number of the sweep's metric on to the search; whether it was one."""
        if event.kind != "metrics" or event.step is None or self.goal.metric not in event.values:
            return False
        number, step, value = entry.point.number, event.step, event.values[self.goal.metric]
        durably(lambda: self.search.report(number, step, value), self.screen.say)
        return True

    def _hand_over(self, entry: Entry) -> None:
        write_files(entry, self.settings)
        order = order_of(entry, self.settings, self.failures.bad_nodes(), self.failures.of(entry).memory)
        entry.began = time.monotonic()
        entry.handle = self.hands.start(order)
        entry.handle.offset = entry.folder.events.stat().st_size if entry.folder.events.exists() else 0
        entry.phase = "starting"
        self.tracker.begin(entry, order.attempt)

    def _listen(self, entry: Entry, news: News) -> None:
        if entry.is_waiting and news.phase and not news.phase.startswith(WAITING):
            entry.began = time.monotonic()  # the time in the queue is not the trial's
        entry.phase = news.phase or entry.phase
        entry.nodes = news.nodes or entry.nodes
        for event in news.events:
            entry.take(event, self.goal)
            if event.kind == "note":
                self.screen.say(f"{entry.trial.id}: {event.about['text']}")
            if event.kind == "started":
                entry.state = replace(entry.state, status="running", attempt=event.attempt, message="")
                self._save(entry)
            is_number = self._report(entry, event)
            if is_number and (event.step or 0) < entry.total_steps and not self.search.keep(entry.point.number):
                self._stop_early(entry, "others did better")
                return
        if news.ended is not None:
            self._ended(entry, news.ended)

    def _stop_early(self, entry: Entry, words: str) -> None:
        assert entry.handle is not None
        self.hands.stop(entry.handle)
        self._end(entry, entry.ended("stopped", words))

    def _ended(self, entry: Entry, ended: Ended) -> None:
        if ended.status == "busy":
            del self.entries[entry.point.number]
            self.later.append((time.monotonic() + BUSY_S, entry.point))
            return
        if ended.status == "finished" and entry.ending is None:
            self._end(entry, entry.ended("failed", "the ranks ended without a result"))
            return
        if ended.failure is not None and self._tries_again(entry, ended.failure):
            return
        tried = self.failures.of(entry).attempts
        message = str(ended.failure) if ended.failure is not None else ""
        self._end(entry, entry.ended(ended.status, message + (f", {tried} times" if tried > 1 else "")))

    def _tries_again(self, entry: Entry, failure: Failure) -> bool:
        """Whether a failed trial gets another attempt; then it is put by for it."""
        wait_s, told = self.failures.add(entry, failure)
        if told:
            self.screen.say(told)
        if wait_s is None:
            return False
        self._put_by(entry, entry.ended("failed", str(failure)))
        entry.message = str(failure)
        self.later.append((time.monotonic() + wait_s, entry.point))
        self.screen.say(f"{entry.trial.id}: {failure}; it goes on from its last checkpoint in {wait_s:.0f} s.")
        return True

    def _put_by(self, entry: Entry, state: State) -> None:
        entry.state = state
        entry.handle = None
        if self.settings.token:
            (entry.folder.path / self.settings.token).unlink(missing_ok=True)
        self._save(entry)

    def _save(self, entry: Entry) -> None:
        durably(lambda: save_state(entry.folder.state, entry.state), self.screen.say)

    def _end(self, entry: Entry, state: State) -> None:
        self._put_by(entry, state)
        hours = state.seconds / 3600
        if state.status in ("finished", "stopped", "failed"):
            status = state.status
            durably(lambda: self.search.tell(entry.point.number, status, entry.best), self.screen.say)
            self.tracker.end(entry.trial.id, status, state.message, hours)
        else:
            self.search.forget(entry.point.number)
            self.tracker.end(entry.trial.id, "killed", state.message, hours)

    def _set_aside(self, running: Sequence[Entry], words: str) -> None:
        """End attempts that go on later, all at the same time."""
        if not running:
            return
        with ThreadPoolExecutor(max_workers=len(running)) as pool:
            handles = [entry.handle for entry in running if entry.handle is not None]
            list(pool.map(self.hands.stop, handles))
        for entry in running:
            self._end(entry, entry.ended("killed", words))
