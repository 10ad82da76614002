"""Pictures of a sweep, drawn by a process of their own: started now and then while it runs, and once when it has ended.

Nothing that goes wrong in it reaches the sweep: there is no picture then.
"""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from jack_ray.contract.drawn import Drawn, load_drawn
from jack_ray.contract.environment import PACKAGE_PARENT
from jack_ray.contract.paths import SweepFolder

EVERY_S = 30.0
"""No drawing begins sooner after another, while the sweep runs."""
SHARE = 20
"""Nor sooner than so many times what the last one took."""
MOST = 4
"""Processes that draw the trials of a sweep that has ended."""
LONGEST_S = 60.0
"""A drawing that takes longer is ended."""


@dataclass
class Painter:
    """The drawing of one sweep; what it prints goes where this process prints."""

    folder: SweepFolder
    _process: "subprocess.Popen[bytes] | None" = None
    _began: float = float("-inf")
    _took: float = 0.0

    @property
    def is_due(self) -> bool:
        """Whether a drawing may begin: none goes on, the last is long enough ago, and the driver has told something."""
        rest_s = max(EVERY_S, SHARE * self._took)
        is_free = self._process is None and time.monotonic() - self._began >= rest_s
        return is_free and self.folder.status.is_file()

    def begin(self, trials: Sequence[str], processes: int = 1) -> None:
        """Draw the sweep, and how these trials learnt; in place of a drawing that goes on."""
        self._end()
        (self.folder.overview / "drawn.json").unlink(missing_ok=True)
        command = [sys.executable, "-m", "jack_ray.sweeps.draw", str(self.folder.path), *trials]
        command += ["--processes", str(processes)]
        self._began = time.monotonic()
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, cwd=PACKAGE_PARENT)

    def take(self, wait_s: float = 0.0) -> Drawn | None:
        """What was drawn, once, if that is done within the time; None otherwise, or if it failed."""
        if self._process is None:
            return None
        try:
            code = self._process.wait(wait_s)
        except subprocess.TimeoutExpired:
            if time.monotonic() - self._began > LONGEST_S:
                self._end()
            return None
        self._process, self._took = None, time.monotonic() - self._began
        return load_drawn(self.folder.overview / "drawn.json") if code == 0 else None

    def draw(self, trials: Sequence[str]) -> Drawn | None:
        """Draw now, and wait for it; a file of the driver must be there to draw from."""
        if not self.folder.status.is_file():
            return None
        self.begin(trials, min(MOST, len(os.sched_getaffinity(0))))  # nobody trains any more
        drawn = self.take(LONGEST_S)
        self._end()
        return drawn

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process, self._took = None, time.monotonic() - self._began
