"""python -m benchmarks.reporting.rank TRIAL.json: train a trial alone, and say what its reports took."""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

from jack_ray.train.__main__ import main as train
from jack_ray.train.report import Report

SKIP = 5
"""First steps that do not count: they compile, read and allocate."""


class Clock:
    """Times every report of this process."""

    def __init__(self) -> None:
        self.spent: list[tuple[float, float]] = []
        """When one began, and its seconds."""
        self.steps: list[float] = []
        """When the numbers of a step had been told."""

    def around(self, report: Callable[..., None]) -> Callable[..., None]:
        """The same, timed."""

        def timed(*words: Any, **about: Any) -> None:
            began = time.perf_counter()
            report(*words, **about)
            ended = time.perf_counter()
            self.spent.append((began, ended - began))
            if any("train/total" in word for word in words if isinstance(word, dict)):
                self.steps.append(ended)

        return timed

    def found(self) -> dict[str, float]:
        """Seconds of a report and of everything in a step, on average, from the first step that counts to the last."""
        first, last, steps = self.steps[SKIP], self.steps[-1], len(self.steps) - SKIP - 1
        reports = sum(seconds for began, seconds in self.spent if first <= began <= last)
        return {"report_s": reports / steps, "step_s": (last - first) / steps}


def main() -> None:
    """Train and print."""
    clock = Clock()
    for name in ("beat", "_event"):  # all that a rank tells passes through one of them
        setattr(Report, name, clock.around(getattr(Report, name)))
    if train(sys.argv[1:]) != 0:
        sys.exit(1)
    print(json.dumps(clock.found()), flush=True)


if __name__ == "__main__":
    main()
