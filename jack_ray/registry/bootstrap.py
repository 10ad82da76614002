"""Intervals by the bootstrap: samples are drawn anew, with repetition, and everything is measured again.

# N samples
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

REPEATS = 2000
SEED = 0
SHARE = 0.95

Weights = NDArray[np.float64]
"""(N,): how often each sample was drawn; ones for the samples as they are."""
Measure = Callable[[Weights], Mapping[str, float]]
"""The numbers of a split whose samples count so often. A number that is not defined is left out."""


@dataclass(frozen=True)
class Interval:
    """A number, and the middle 95 % of what other drawings of the samples give (percentile bootstrap)."""

    value: float
    low: float
    high: float


def intervals(measure: Measure, num_samples: int, repeats: int = REPEATS, seed: int = SEED) -> dict[str, Interval]:
    """Every number that `measure` gives of all samples, with its interval; the same for the same seed."""
    values = measure(np.ones(num_samples))
    random = np.random.Generator(np.random.PCG64(seed))
    drawn: dict[str, list[float]] = {name: [] for name in values}
    for _ in range(repeats):
        chosen = random.integers(0, num_samples, num_samples)
        again = measure(np.bincount(chosen, minlength=num_samples).astype(np.float64))
        for name in drawn.keys() & again.keys():
            drawn[name].append(again[name])
    outside = (1 - SHARE) / 2
    found = {}
    for name, value in values.items():
        low, high = np.quantile(drawn[name] or [value], (outside, 1 - outside))
        found[name] = Interval(value, float(low), float(high))
    return found
