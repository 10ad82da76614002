"""The driver's end of the MLflow writer: starts it, tells it things, never waits for it until the sweep ends."""

import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from jack_ray.contract.environment import PACKAGE_PARENT
from jack_ray.contract.paths import SweepFolder
from jack_ray.upload.notice import Notice, read_notice
from jack_ray.upload.protocol import Close, Command, Ending, SweepStarted, Told, TrialEnded, TrialStarted, encode
from jack_ray.upload.uri import without_password

_RESTARTS = 2
_GRACE_S = 120.0
"""A writer that is closing, and has been silent for `give_up_s` and this long (one large file), is ended."""


@dataclass(frozen=True)
class Delivery:
    """What became of a sweep's events."""

    undelivered: int
    message: str
    """Empty if everything was delivered, else one or two lines for the terminal."""


class Writer:
    """The MLflow writer of one sweep. A writer that dies or cannot deliver never fails the sweep."""

    def __init__(self, folder: SweepFolder) -> None:
        self.folder = folder
        self._told = Told()
        self._process: subprocess.Popen[str] | None = None
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._starts = 0
        self._warning = ""

    def warm(self) -> None:
        """Start the process before there is a sweep to tell of: it imports MLflow meanwhile, which takes seconds."""
        self.folder.path.mkdir(parents=True, exist_ok=True)
        self._launch()

    def discard(self) -> None:
        """End a process that was told of no sweep, since there will be none."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def start(self, sweep: SweepStarted) -> None:
        """Name the sweep, to a process that is started now unless it is warm; returns at once."""
        self.folder.path.mkdir(parents=True, exist_ok=True)
        self._tell(sweep)
        if self._process is None:
            self._launch()

    def trial_started(self, trial: TrialStarted) -> None:
        """An attempt begins; also told of a trial that needs no training any more, before its end."""
        self._tell(trial)

    def trial_ended(
        self, trial_id: str, status: Ending, message: str = "", numbers: Mapping[str, float] | None = None
    ) -> None:
        """A trial ended; its checkpoints stand on disk by now. numbers: what it took."""
        self._tell(TrialEnded(trial_id, status, message, dict(numbers or {})))

    def warning(self) -> str:
        """What the user should know now, usually nothing; also starts a writer anew that has died."""
        if self._process is None:
            return self._warning
        code = self._process.poll()
        if code is not None and self._starts <= _RESTARTS and self._running() is not None:
            self._warning = f"The MLflow writer ended ({code}) and was started anew; see {self.folder.tracking_log}"
        elif code is not None:
            self._process = None
            self._warning = f"The MLflow writer ended ({code}) again. Nothing is lost. {self._later()}"
        else:
            latest = self._latest()
            if latest is not None:
                self._warning = "" if latest.is_reachable else latest.message
        return self._warning

    def close(self, status: Ending, message: str = "", meanwhile: Callable[[], None] = lambda: None) -> Delivery:
        """Deliver the rest, end all runs, and wait for it: `give_up_s` at most while MLflow does not answer.

        meanwhile: what else is to be done in that time.
        """
        self._tell(Close(status, message))
        meanwhile()
        latest = None
        for _ in range(2):  # a writer that dies now is given one more chance
            process = self._running()
            if process is None:
                break
            self._wait(process)
            self._lines.put(None)
            latest = self._latest()
            if process.returncode == 0:
                return Delivery(0, "")
            if latest is not None and process.returncode == 1:
                uri = without_password(self._told.sweep.uri) if self._told.sweep is not None else ""
                waiting = f"{latest.undelivered} events are not yet in MLflow at {uri} ({latest.message})"
                return Delivery(latest.undelivered, f"{waiting}. Nothing is lost. {self._later()}")
        return Delivery(
            0, f"The MLflow writer ended before it was done; see {self.folder.tracking_log}. {self._later()}"
        )

    def _running(self) -> "subprocess.Popen[str] | None":
        """The process, started anew if it has died; None if the machine has no room for one."""
        if self._process is None or self._process.poll() is not None:
            try:
                self._launch()
            except OSError:
                return None
        return self._process

    def _latest(self) -> Notice | None:
        """What the present process wrote; what one before it wrote is past."""
        latest = read_notice(self.folder.tracking)
        return latest if latest is not None and self._process is not None and latest.pid == self._process.pid else None

    def _later(self) -> str:
        return f"Deliver it later with\n    python -m jack_ray.upload {self.folder.path}"

    def _tell(self, command: Command) -> None:
        self._told.take(command)
        line = encode(command)
        with suppress(OSError), self.folder.commands.open("a", encoding="utf-8") as kept:  # a full disk
            kept.write(line)
        self._lines.put(line)

    def _launch(self) -> None:
        """Start a process and tell it everything anew; it recognises what was delivered before."""
        self._starts += 1
        self._lines.put(None)
        self._lines = queue.SimpleQueue()
        for command in self._told.commands():
            self._lines.put(encode(command))
        with self.folder.tracking_log.open("a", encoding="utf-8") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "jack_ray.upload", "--serve", str(self.folder.path)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
                env=_environment(),
                start_new_session=True,  # Ctrl-C in the terminal is the driver's business
            )
        feed = _feeder(self._process, self._lines)
        threading.Thread(target=feed, daemon=True).start()

    def _wait(self, process: "subprocess.Popen[str]") -> None:
        give_up_s = self._told.sweep.give_up_s if self._told.sweep is not None else 0.0
        closed = time.time()
        while process.poll() is None:
            if time.time() - max(closed, _changed(self.folder, self._told)) > give_up_s + _GRACE_S:
                process.kill()
                process.wait()
                return
            time.sleep(0.05)


class NoWriter:
    """`tracking=none`: the same calls, and nothing happens."""

    def warm(self) -> None:
        """Nothing."""

    def discard(self) -> None:
        """Nothing."""

    def start(self, sweep: SweepStarted) -> None:
        """Nothing."""

    def trial_started(self, trial: TrialStarted) -> None:
        """Nothing."""

    def trial_ended(
        self, trial_id: str, status: Ending, message: str = "", numbers: Mapping[str, float] | None = None
    ) -> None:
        """Nothing."""

    def warning(self) -> str:
        """Nothing to tell."""
        return ""

    def close(self, status: Ending, message: str = "", meanwhile: Callable[[], None] = lambda: None) -> Delivery:
        """Nothing was to be delivered."""
        meanwhile()
        return Delivery(0, "")


def _feeder(process: "subprocess.Popen[str]", lines: "queue.SimpleQueue[str | None]") -> Callable[[], None]:
    """Writes to the pipe from a thread of its own, so that a full pipe never holds up the driver."""

    def feed() -> None:
        assert process.stdin is not None
        try:
            while (line := lines.get()) is not None:
                process.stdin.write(line)
                process.stdin.flush()
            process.stdin.close()
        except (BrokenPipeError, ValueError):
            return  # the writer is dead; `warning` sees it

    return feed


def _environment() -> dict[str, str]:
    known = os.environ.get("PYTHONPATH")
    path = os.pathsep.join([str(PACKAGE_PARENT), *([known] if known else [])])
    return {**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}


def _changed(folder: SweepFolder, told: Told) -> float:
    """When the writer last got something done, by the files that it writes then."""
    paths = [folder.tracking, *(Path(trial.folder) / "tracking.json" for trial in told.trials.values())]
    return max((path.stat().st_mtime for path in paths if path.exists()), default=0.0)
