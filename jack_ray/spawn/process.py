"""A gang: the ranks of one attempt, and their signs of life."""

import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jack_ray.contract.paths import TrialFolder
from jack_ray.spawn.guard import descendants
from jack_ray.spawn.tree import Tree

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


class Gang(Tree):
    """The process tree of an attempt on one machine.

    ranks: those that run on this machine. log: where the output of their starter goes.
    """

    def __init__(
        self,
        folder: TrialFolder,
        argv: Sequence[str],
        environment: Mapping[str, str],
        ranks: Sequence[int],
        *,
        log: Path | None = None,
    ) -> None:
        self.folder = folder
        self.ranks = ranks
        self.started = time.time()
        super().__init__(argv, environment, log or folder.launcher_log, folder.path)

    def turn_to(self, folder: TrialFolder) -> None:
        """From here on the ranks work at another trial, and show there that they live."""
        self.folder = folder
        self.started = time.time()

    def life(self, timeout_s: float) -> Life:
        """How long the most silent rank has been silent, and, if longer than `timeout_s`, whether a compiler works."""
        now = time.time()
        silences = [(now - self._last_beat(rank), rank) for rank in self.ranks]
        silent_s, rank = max(silences, key=lambda entry: (entry[0], -entry[1]))
        if silent_s < timeout_s:
            return Life(silent_s, rank, compiles=False)  # the search through all processes is spared
        return Life(silent_s, rank, any(_name(pid) in _COMPILERS for pid in descendants(self.pid)))

    def _last_beat(self, rank: int) -> float:
        with contextlib.suppress(OSError):
            return max(self.folder.beat(rank).stat().st_mtime, self.started)
        return self.started


def _name(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return ""
