"""How long a sweep will still take."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Pace:
    """The trials of a sweep that train, and those that did."""

    running: Sequence[tuple[float, float | None]]
    """Seconds so far and seconds left of each trial that runs; None while these are unknown."""
    finished_s: Sequence[float]
    """Seconds of each trial that was trained to its end."""
    waiting: int
    """Trials that are to come."""

    @property
    def left_s(self) -> float | None:
        """Seconds until the last trial ends, at the pace of now; None while it is unknown.

        Trials that wait take as long as those before them, as many at a time as run now.
        """
        known = [left for _, left in self.running if left is not None]
        if not self.running or len(known) < len(self.running):
            return None
        whole = [seconds + (left or 0.0) for seconds, left in self.running]
        whole += [seconds for seconds in self.finished_s if seconds]
        return max(known) + sum(whole) / len(whole) * self.waiting / len(self.running)
