"""The writer's loop: take commands, deliver, wait; give up or clean up when the time has come."""

import os
import queue
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO

from jack_ray.contract.paths import SweepFolder
from jack_ray.upload.notice import Notice, write_notice
from jack_ray.upload.painter import Painter
from jack_ray.upload.protocol import Close, Command, Told, decode
from jack_ray.upload.provenance import source_tags
from jack_ray.upload.store import RefusedError, Store, UnreachableError
from jack_ray.upload.sweep import SweepDelivery
from jack_ray.upload.trial import undelivered
from jack_ray.upload.uri import without_password

OpenStore = Callable[[str, str], Store]
"""(uri, experiment) -> store; raises UnreachableError or RefusedError."""

ABANDON_S = 5.0
"""How long a writer without a driver goes on delivering."""
_HARD_END_S = 60.0
"""When it ends whatever it waits for; MLflow itself waits up to an hour for some databases."""
_LONGEST_DELAY_S = 30.0
_CLOSING_DELAY_S = 1.0
_SHARE = 20
"""Between two deliveries lies so many times the processor time that the first one took: the cores are for the ranks."""
_FIRST_COMMAND_S = 1.0


class Inbox:
    """Commands on their way to the loop; `None` says that no more will come."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Command | None] = queue.SimpleQueue()

    def put(self, command: Command | None) -> None:
        """Add a command; safe from threads and signal handlers."""
        self._queue.put(command)

    def listen(self, lines: IO[str]) -> None:
        """Fill from the driver's pipe, whose end is the driver's end; and from SIGTERM, which means the same."""
        threading.Thread(target=self._read, args=(lines,), daemon=True).start()
        for name in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(name, lambda *_: self._end())

    def _read(self, lines: IO[str]) -> None:
        for line in lines:
            if (command := decode(line)) is not None:
                self.put(command)
        self._end()

    def _end(self) -> None:
        self.put(None)
        watchdog = threading.Timer(_HARD_END_S, os._exit, args=(1,))
        watchdog.daemon = True
        watchdog.start()

    def take(self, told: Told, wait_s: float) -> bool:
        """Collect what comes within the time, at once when the sweep closes; False if no more will come."""
        until = time.monotonic() + wait_s
        while True:
            try:
                command = self._queue.get(timeout=max(until - time.monotonic(), 0.001))
            except queue.Empty:
                return True
            if command is None:
                return told.closed is not None
            told.take(command)
            if isinstance(command, Close):
                return True


@dataclass
class Service:
    """One sweep's writer."""

    folder: SweepFolder
    inbox: Inbox
    open_store: OpenStore
    told: Told = field(default_factory=Told)
    delivery: SweepDelivery | None = None
    last_error: str = ""
    _failures: int = 0
    _took_s: float = 0.0
    _closing_since: float | None = None
    _driver: int = field(default_factory=os.getppid)

    def run(self) -> bool:
        """Serve until the sweep is closed, or the driver is gone. True if everything was delivered."""
        while True:
            if not self.inbox.take(self.told, self._wait_s()) or os.getppid() != self._driver:
                return self._abandon()
            if self.told.sweep is None:
                continue
            if self.told.closed is not None and self._closing_since is None:
                self._closing_since = time.monotonic()
            try:
                self._deliver()
            except (UnreachableError, RefusedError, OSError) as error:  # OSError: our own disk is full
                self._failed(str(error))
            if self.delivery is not None and self.delivery.is_done:
                return self._finish()
            if self._gives_up():
                return self._finish()

    def _wait_s(self) -> float:
        if self.told.sweep is None:
            return _FIRST_COMMAND_S
        if self._closing_since is not None:
            return _CLOSING_DELAY_S if self._failures else 0.0
        wanted_s = max(self.told.sweep.flush_s, _SHARE * self._took_s) * 2 ** min(self._failures, 10)
        return float(min(wanted_s, _LONGEST_DELAY_S))

    def _deliver(self) -> None:
        sweep = self.told.sweep
        assert sweep is not None
        if self.delivery is None:
            store = self.open_store(sweep.uri, sweep.experiment)
            self.delivery = SweepDelivery(store, self.folder, sweep, self.told, source_tags(), Painter(self.folder))
        began = time.process_time()
        self.delivery.deliver()
        self._took_s = time.process_time() - began
        for problem in self.delivery.problems:
            print(problem, flush=True)
            self.last_error = problem
        self.delivery.problems.clear()
        if self._failures:
            self._failures = 0
            self._notice(True, f"MLflow at {without_password(sweep.uri)} answers again")

    def _failed(self, message: str) -> None:
        self._failures += 1
        self.last_error = message
        print(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {message}", flush=True)
        if self._failures == 1 and self.told.sweep is not None:
            kept = "the numbers are kept and delivered later"
            self._notice(
                False, f"MLflow at {without_password(self.told.sweep.uri)} does not answer ({message}); {kept}"
            )

    def _gives_up(self) -> bool:
        if self._closing_since is None or self.told.sweep is None or not self._failures:
            return False
        return time.monotonic() - self._closing_since >= self.told.sweep.give_up_s

    def _finish(self) -> bool:
        is_whole = self.delivery is not None and self.delivery.is_done and not self._undelivered()
        self._notice(not self._failures, "" if is_whole else self.last_error)
        return is_whole

    def _abandon(self) -> bool:
        """No driver any more: be quick, leave no run that counts as running, and end in any case."""
        os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] = "3"
        try:
            if self.delivery is not None:
                self.delivery.abandon(time.monotonic() + ABANDON_S)
        except (UnreachableError, RefusedError, OSError) as error:
            self.last_error = str(error)
            print(f"the driver is gone, and {error}", flush=True)
        self._notice(not self.last_error, "the driver ended without a word")
        return False

    def _undelivered(self) -> int:
        if self.told.sweep is None:
            return 0
        sweep, endings = self.told.sweep, self.told.endings
        return sum(undelivered(sweep, trial, endings.get(trial_id)) for trial_id, trial in self.told.trials.items())

    def _notice(self, is_reachable: bool, message: str) -> None:
        with suppress(OSError):
            write_notice(self.folder.tracking, Notice(os.getpid(), is_reachable, self._undelivered(), message))
