"""Which processes a test has left: all that descend from this one, orphans included."""

import contextlib
import ctypes
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jack_ray.spawn.guard import descendants

_PR_SET_CHILD_SUBREAPER = 36


class Family:
    """The processes below this one that were not there when the test began."""

    def __init__(self) -> None:
        self._known = set(descendants(os.getpid()))

    def living(self) -> list[int]:
        """All of them, parents before children."""
        return [pid for pid in descendants(os.getpid()) if pid not in self._known]

    def named(self, part: str) -> list[int]:
        """Those whose command line contains `part`."""
        return [pid for pid in self.living() if part in command_line(pid)]

    def wait_for(self, part: str, timeout_s: float, count: int = 1) -> list[int]:
        """Those whose command line contains `part`, as soon as there are so many."""
        deadline = time.monotonic() + timeout_s
        while len(found := self.named(part)) < count:
            assert time.monotonic() < deadline, f"no {part} among {self.told()}"
            time.sleep(0.01)
        return found

    def wait_until_gone(self, timeout_s: float) -> float:
        """The seconds until none is left; fails with their command lines after the time-out."""
        began = time.monotonic()
        while self.living():
            assert time.monotonic() < began + timeout_s, f"still there after {timeout_s:g} s: {self.told()}"
            time.sleep(0.02)
        return time.monotonic() - began

    def told(self) -> list[str]:
        """Process ids with command lines, for a message."""
        return [f"{pid} {command_line(pid)[:160]}" for pid in self.living()]


def command_line(pid: int) -> str:
    """What a process was started with; empty when it has ended."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return ""


def parent_of(pid: int) -> int:
    """The parent's process id; 0 when the process has ended."""
    with contextlib.suppress(OSError):
        text = Path(f"/proc/{pid}/stat").read_text()
        return int(text[text.rindex(")") + 2 :].split()[1])
    return 0


@contextmanager
def family() -> Iterator[Family]:
    """The processes that a test starts, directly or not; whatever is left at its end is killed.

    This process becomes their reaper, so that none can leave by losing its parent.
    """
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    started = Family()
    try:
        yield started
    finally:
        for _ in range(100):
            left = started.living()
            for pid in left:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            if not left:
                break
            time.sleep(0.02)
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
