"""Several trials of the same experiment (folds, seeds) as one number with its spread."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev


@dataclass(frozen=True)
class Spread:
    """Mean and sample standard deviation (n - 1) over trials; the deviation of a single one is 0."""

    mean: float
    deviation: float
    count: int


def spreads(trials: Sequence[Mapping[str, float]]) -> dict[str, Spread]:
    """The spread of every number that all trials have; of when each was best there is nothing to learn."""
    names = [name for name in (trials[0] if trials else ()) if name != "best_step"]
    names = [name for name in names if all(name in trial for trial in trials)]
    return {name: _spread([trial[name] for trial in trials]) for name in names}


def _spread(values: Sequence[float]) -> Spread:
    return Spread(fmean(values), stdev(values) if len(values) > 1 else 0.0, len(values))
