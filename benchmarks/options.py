"""What is typed behind a benchmark's name."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """The same for all benchmarks; each takes what it needs."""

    repeat: int = 5
    """Turns of which the median counts."""
    threads: int = 1
    only: tuple[str, ...] = ()
    """Methods; none: all."""

    def choose(self, names: Iterable[str]) -> list[str]:
        """Those of the names that are wanted."""
        return [name for name in names if not self.only or name in self.only]
