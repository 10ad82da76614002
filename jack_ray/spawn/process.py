"""A gang: the process tree of one attempt, under a guard that nothing outlives."""

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jack_ray.contract.paths import TrialFolder
from jack_ray.spawn import guard

LEASE_S = 10.0
"""How long the tree lives on when its owner is stopped but not dead; a dead owner is noticed at once."""

_COMPILERS = frozenset({"cc1plus", "g++", "gcc", "as", "ld", "collect2", "nvcc", "cicc", "ptxas", "c++"})


@dataclass(frozen=True)
class Life:
    """Signs of life of a gang."""

    silent_s: float
    """Seconds since the most silent rank last got on."""
    rank: int
    """That rank."""
    compiles: bool
    """Whether a compiler runs below the gang; that is life, too."""


class Gang:
    """Starts a command for a trial folder and owns all that comes of it."""

    def __init__(self, folder: TrialFolder, argv: list[str], environment: Mapping[str, str], ranks: int) -> None:
        self.folder = folder
        self.ranks = ranks
        self.started = time.time()
        folder.launcher_log.parent.mkdir(parents=True, exist_ok=True)
        with folder.launcher_log.open("ab") as log:
            self._guard = subprocess.Popen(
                [sys.executable, "-SE", str(Path(guard.__file__)), str(LEASE_S), *argv],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                cwd=folder.path,
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

    def life(self, timeout_s: float) -> Life:
        """How long the most silent rank has been silent, and, if longer than `timeout_s`, whether a compiler is at work."""
        now = time.time()
        silences = [(now - self._last_beat(rank), rank) for rank in range(self.ranks)]
        silent_s, rank = max(silences, key=lambda entry: (entry[0], -entry[1]))
        if silent_s < timeout_s:
            return Life(silent_s, rank, compiles=False)  # the search through all processes is spared
        return Life(silent_s, rank, any(_name(pid) in _COMPILERS for pid in guard.descendants(self.pid)))

    def _last_beat(self, rank: int) -> float:
        with contextlib.suppress(OSError):
            return max(self.folder.beat(rank).stat().st_mtime, self.started)
        return self.started


def _name(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return ""
