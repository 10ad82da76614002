"""python -m benchmarks.waiting.rank TRIAL.json: train a trial alone, and say how long its steps waited for samples."""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

from jack_ray.train.__main__ import main as train
from jack_ray.train.reading import Reader
from jack_ray.train.report import Report

SKIP = 5
"""First steps that do not count: they compile, read and allocate."""


class Clock:
    """Notes when the training thread waits for its reading threads, and when a step ends."""

    def __init__(self) -> None:
        self.waits: list[tuple[float, float]] = []
        """When one began, and its seconds."""
        self.steps: list[float] = []
        """When the numbers of a step were told."""

    def timed(self, take: Callable[..., Any]) -> Callable[..., Any]:
        """The same, noted."""

        def noted(*words: Any) -> Any:
            began = time.perf_counter()
            try:
                return take(*words)
            finally:
                self.waits.append((began, time.perf_counter() - began))

        return noted

    def told(self, tell: Callable[..., None]) -> Callable[..., None]:
        """The same; a step's numbers are its end."""

        def noted(*words: Any, **about: Any) -> None:
            if any("train/total" in word for word in words if isinstance(word, dict)):
                self.steps.append(time.perf_counter())
            tell(*words, **about)

        return noted

    def found(self) -> dict[str, float]:
        """Seconds of waiting and of everything in a step, on average, from the first step that counts to the last."""
        first, last, steps = self.steps[SKIP], self.steps[-1], len(self.steps) - SKIP - 1
        waiting = sum(seconds for began, seconds in self.waits if first <= began < last)
        return {"waiting_s": waiting / steps, "step_s": (last - first) / steps}


class Waited:
    """Samples that are asked for one by one."""

    def __init__(self, samples: Any, clock: Clock) -> None:
        self._next = clock.timed(samples.__next__)

    def __iter__(self) -> "Waited":
        return self

    def __next__(self) -> Any:
        return self._next()


def main() -> None:
    """Train and print."""
    clock = Clock()
    ahead = Reader.ahead
    setattr(Reader, "ahead", lambda reader, reads: Waited(ahead(reader, reads), clock))  # noqa: B010
    begin = Reader.begin  # other clips in the middle of a step
    setattr(Reader, "begin", lambda *words: clock.timed(begin(*words)))  # noqa: B010
    setattr(Report, "_event", clock.told(Report._event))  # noqa: B010
    if train(sys.argv[1:]) != 0:
        sys.exit(1)
    print(json.dumps(clock.found()), flush=True)


if __name__ == "__main__":
    main()
