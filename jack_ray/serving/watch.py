"""Looks after the process behind the wall while it is asked: it may take neither too long nor too much memory."""

import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from jack_ray.contract.errors import JackRayError

LOOK_S = 0.2


class Computer(Protocol):
    """What answers: `jack_ray.served.process.Computing`."""

    finds_segments: bool

    @property
    def pid(self) -> int | None:
        """Its process, while there is one."""
        ...

    def ask(self, inputs: Sequence[str], timeline: bool = False) -> list[dict[str, Any]]:
        """An answer for each path. Raises JackRayError when the process ends."""
        ...

    def interrupt(self) -> None:
        """End the process from another thread."""
        ...

    def close(self) -> None:
        """End the process."""
        ...


class TooMuchError(JackRayError):
    """The process was ended: it took too long, or too much memory."""


class NotStartedError(Exception):
    """The process could not be started: no file's fault, and so none that its client is told."""


class Watched:
    """A computer that is ended when a question goes beyond its limits; the next question starts it anew."""

    def __init__(self, computer: Computer, answer_s: float, memory_bytes: int) -> None:
        self.computer = computer
        self.answer_s = answer_s
        self.memory_bytes = memory_bytes

    def ask(self, inputs: Sequence[str], timeline: bool) -> list[Mapping[str, Any]]:
        """An answer for each path.

        Raises TooMuchError beyond the limits, NotStartedError when no process comes up, JackRayError when it has died.
        """
        if self.computer.pid is None:
            self._start()
        done = threading.Event()
        reasons: list[str] = []
        watch = threading.Thread(target=self._watch, args=(done, reasons), name="limits", daemon=True)
        watch.start()
        try:
            return list(self.computer.ask(inputs, timeline=timeline))
        except JackRayError as error:
            if reasons:
                raise TooMuchError(reasons[0]) from error
            raise
        finally:
            done.set()
            watch.join()

    def _start(self) -> None:
        """Outside of the limits: to start may be to compile."""
        try:
            self.computer.ask([])
        except JackRayError as error:
            raise NotStartedError(str(error)) from error

    def _watch(self, done: threading.Event, reasons: list[str]) -> None:
        deadline = time.monotonic() + self.answer_s
        while not done.wait(LOOK_S):
            pid = self.computer.pid
            if time.monotonic() > deadline:
                reasons.append(f"takes longer than {self.answer_s:g} s to compute")
            elif pid is not None and memory_of(pid) > self.memory_bytes:
                reasons.append(f"needs more than {self.memory_bytes / 1e9:g} GB of memory")
            if reasons or (pid is not None and has_ended(pid)):  # those that it has forked keep its pipe open
                self.computer.interrupt()
                return


def has_ended(pid: int) -> bool:
    """Whether a child of this process has ended and was not waited for yet, or is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return True
    return text[text.rindex(")") + 2 :].startswith("Z")


def memory_of(pid: int) -> int:
    """The resident memory of a process, in bytes; 0 when it has ended."""
    with suppress(OSError, ValueError, IndexError):
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * 4096
    return 0
