"""A process tree under a guard: it ends with its owner, whichever way the owner ends."""

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from jack_ray.spawn import guard

LEASE_S = 10.0
"""How long the tree lives on when its owner is stopped but not dead; a dead owner is noticed at once."""


class Tree:
    """A command and everything that comes of it. Its output is appended to `log`."""

    def __init__(self, argv: Sequence[str], environment: Mapping[str, str], log: Path, folder: Path) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self._guard = subprocess.Popen(
                [sys.executable, "-SE", str(Path(guard.__file__)), str(LEASE_S), *argv],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                cwd=folder,
                bufsize=0,
            )
        self._ended = threading.Event()
        threading.Thread(target=self._renew, name="lease", daemon=True).start()

    def _renew(self) -> None:
        while not self._ended.wait(LEASE_S / 4):
            stdin = self._guard.stdin
            try:
                if stdin is None or stdin.closed:
                    return
                stdin.write(b".")
            except (OSError, ValueError):
                return  # the guard has ended, or stop() closed the pipe in between

    @property
    def pid(self) -> int:
        """The guard's process id: the root of the tree."""
        return self._guard.pid

    def poll(self) -> int | None:
        """The exit code once nothing of the tree is left, else None."""
        code = self._guard.poll()
        if code is not None:
            self._ended.set()
        return code

    def wait(self, timeout_s: float) -> int | None:
        """As `poll`, after at most so many seconds."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._guard.wait(timeout_s)
        return self.poll()

    def stop(self, timeout_s: float) -> int:
        """End the tree: asked first, killed after the guard's grace. Returns when nothing of it is left."""
        self._ended.set()
        if self._guard.stdin is not None:
            with contextlib.suppress(OSError):
                self._guard.stdin.close()
        try:
            return self._guard.wait(guard.GRACE_S + timeout_s)
        except subprocess.TimeoutExpired:
            for pid in [*guard.descendants(self._guard.pid), self._guard.pid]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, 9)
            return self._guard.wait()
