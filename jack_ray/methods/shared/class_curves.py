"""How well probabilities rank samples, and how far they can be believed.

# N samples  R different scores  K classes
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

NUM_BINS = 10
_Z = 1.96
"""Of a normal distribution, 95 % lie within so many standard deviations."""


@dataclass(frozen=True)
class PrecisionRecall:
    """A curve from the highest score to the lowest, one point for each different score."""

    precision: Array
    """(R,): the share of right ones among all samples that score at least as high."""
    recall: Array
    """(R,), rising: how many of the class's samples are among these."""

    @property
    def average(self) -> float:
        """The average precision: the area below the curve drawn in steps, nothing interpolated."""
        return float((np.diff(self.recall, prepend=0.0) * self.precision).sum())

    def at(self, recall: Array) -> Array:
        """The precision of the step in which each recall (0..1) lies."""
        places = np.searchsorted(self.recall, recall - 1e-12, side="left")
        values: Array = self.precision[np.minimum(places, len(self.precision) - 1)]
        return values


def precision_recall(truth: Mask, scores: Array) -> PrecisionRecall | None:
    """The curve of one class; None where no sample has it. truth, scores: (N,)."""
    if not truth.any():
        return None
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    ends = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)  # equal scores are one step
    right = np.cumsum(truth[order])[ends].astype(np.float64)
    return PrecisionRecall(right / (ends + 1), right / float(truth.sum()))


@dataclass(frozen=True)
class Calibration:
    """Probabilities in bins of equal width over 0..1, and how often what they claim is true."""

    counts: NDArray[np.int64]
    """(NUM_BINS,)"""
    claimed: Array
    """The mean probability of each bin; 0 where it is empty."""
    true: Array
    """The share of each bin that is true; 0 where it is empty."""

    @property
    def error(self) -> float:
        """The expected calibration error: the mean distance of claim and truth, weighted by the samples; 0 of none."""
        total = max(1, int(self.counts.sum()))
        return float((self.counts * np.abs(self.claimed - self.true)).sum() / total)

    def interval(self) -> tuple[Array, Array]:
        """Lower and upper end of each bin's share with 95 % certainty (Wilson 1927)."""
        counts = np.maximum(self.counts, 1)
        middle = (self.true + _Z**2 / (2 * counts)) / (1 + _Z**2 / counts)
        spread = np.sqrt(self.true * (1 - self.true) / counts + _Z**2 / (4 * counts**2)) * _Z / (1 + _Z**2 / counts)
        return np.minimum(middle - spread, self.true), np.maximum(middle + spread, self.true)


def calibration(true: Mask, probabilities: Array) -> Calibration:
    """true: (N,), whether what was claimed with each of the probabilities (N,) is so.

    A probability on the border of two bins counts in the lower one, as in scikit-learn.
    """
    bins = np.searchsorted(np.linspace(0, 1, NUM_BINS + 1)[1:-1], probabilities)
    counts = np.bincount(bins, minlength=NUM_BINS)
    divisor = np.maximum(counts, 1)
    claimed = np.bincount(bins, probabilities, NUM_BINS) / divisor
    return Calibration(counts, claimed, np.bincount(bins, true.astype(np.float64), NUM_BINS) / divisor)


def softmax(scores: Array) -> Array:
    """(N, K), each row a distribution over the classes."""
    raised = np.exp(scores - scores.max(1, keepdims=True))
    shares: Array = raised / raised.sum(1, keepdims=True)
    return shares
