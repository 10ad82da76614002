"""What `scored.json` says of a model: numbers with intervals, a table by class, calibration.

# N samples  K classes
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jack_ray.contract.errors import JackRayError
from jack_ray.registry import segments
from jack_ray.registry.bootstrap import Interval, Weights, intervals

NUM_BINS = 10
HALF = 0.5

Array = NDArray[np.float64]
Row = Mapping[str, str | int | float | Interval | None]


@dataclass(frozen=True)
class Bin:
    """Answers of about the same probability."""

    low: float
    high: float
    num: int
    mean_probability: float
    share_right: float


@dataclass(frozen=True)
class Calibration:
    """Whether answers of 80 % are right in 80 % of the cases.

    error: the expected calibration error, the mean distance between probability and share of right answers over bins
    of equal width, weighted by their answers. bins: those with an answer in them.
    """

    error: float
    bins: tuple[Bin, ...]
    num: int


@dataclass(frozen=True)
class Measured:
    """What was measured on a split."""

    num_samples: int
    numbers: Mapping[str, Interval]
    classes: Sequence[Row]
    """A row for each class; the keys are the columns."""
    calibration: Calibration | None = None
    confusion: Sequence[Sequence[int]] = field(default=())
    """(K, K), rows are true classes; empty where a sample may have several."""


def measure(scored: Mapping[str, Any]) -> Measured:
    """Everything that can be said. Raises JackRayError where the file is not of `contract/scored.py`'s layouts."""
    try:
        kinds = {"classes": _of_classes, "labels": _of_labels, "segments": _of_segments}
        if not scored["samples"]:
            raise JackRayError("scored.json has no samples.")
        return kinds[scored["kind"]](scored)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise JackRayError(f"scored.json is damaged ({error!r}); train the run again (from_run=).") from error


def _of_classes(scored: Mapping[str, Any]) -> Measured:
    labels, samples = list(scored["labels"]), scored["samples"].values()
    truth = np.array([sample["truth"] for sample in samples], np.int64)
    shares = np.array([sample["probabilities"] for sample in samples], np.float64)
    counts = confusion(truth, shares.argmax(1), np.ones(len(truth)), len(labels))
    numbers = intervals(partial(class_numbers, truth, shares.argmax(1), len(labels)), len(truth))
    rows = [_class_row(label, *_of_confusion(counts, index)) for index, label in enumerate(labels)]
    right = shares.argmax(1) == truth
    matrix = counts.astype(np.int64).tolist()
    return Measured(len(truth), numbers, rows, calibration(shares.max(1), right), matrix)


def confusion(truth: NDArray[Any], found: NDArray[Any], weights: Weights, num_classes: int) -> Array:
    """How often each true class (row) was taken for each class (column), (K, K)."""
    flat = np.bincount(truth * num_classes + found, weights, num_classes**2)
    return np.asarray(flat.reshape(num_classes, num_classes), np.float64)


def class_numbers(truth: NDArray[Any], found: NDArray[Any], num_classes: int, weights: Weights) -> dict[str, float]:
    """`accuracy`, and `macro_F1` over the classes that occur, as the evaluation counts them."""
    counts = confusion(truth, found, weights, num_classes)
    right, true, taken = counts.diagonal(), counts.sum(1), counts.sum(0)
    present = true > 0
    f1 = 2 * right[present] / (true[present] + taken[present])
    return {"accuracy": float(right.sum() / counts.sum()), "macro_F1": float(f1.mean())}


def _of_confusion(counts: Array, index: int) -> tuple[int, int, int]:
    return int(counts[index].sum()), int(counts[:, index].sum()), int(counts[index, index])


def _class_row(label: str, true: int, taken: int, right: int) -> dict[str, str | int | float | Interval | None]:
    """None: not defined, since nothing is of this class, or nothing was taken for it."""
    return {
        "class": label,
        "samples": true,
        "precision": right / taken if taken else None,
        "recall": right / true if true else None,
        "F1": 2 * right / (true + taken) if true else None,
    }


def _of_labels(scored: Mapping[str, Any]) -> Measured:
    labels, samples = list(scored["labels"]), scored["samples"].values()
    truth = np.array([sample["truth"] for sample in samples], np.int64) > HALF
    shares = np.array([sample["probabilities"] for sample in samples], np.float64)
    found = shares > HALF
    numbers = intervals(partial(label_numbers, truth, shares), len(truth))
    rows = [
        _class_row(label, int(truth[:, k].sum()), int(found[:, k].sum()), int((truth & found)[:, k].sum()))
        for k, label in enumerate(labels)
    ]
    return Measured(len(truth), numbers, rows, calibration(shares.reshape(-1), truth.reshape(-1)))


def label_numbers(truth: NDArray[np.bool_], shares: Array, weights: Weights) -> dict[str, float]:
    """`accuracy` of all labels of all samples, `mAP` and `macro_F1` over the classes that occur."""
    found, weight = shares > HALF, weights[:, None]
    true, right = (weight * truth).sum(0), (weight * (truth & found)).sum(0)
    present = np.flatnonzero(true)
    values = {"accuracy": float((weight * (found == truth)).sum() / (weights.sum() * truth.shape[1]))}
    if len(present):
        f1 = 2 * right[present] / (true[present] + (weight * found).sum(0)[present])
        precisions = [average_precision(truth[:, k], shares[:, k], weights) for k in present]
        values |= {"mAP": float(np.mean(precisions)), "macro_F1": float(f1.mean())}
    return values


def average_precision(truth: NDArray[np.bool_], scores: Array, weights: Weights) -> float:
    """The mean, over the samples of the class, of the precision among all that score at least as high."""
    order = np.argsort(-scores, kind="stable")
    ends = np.searchsorted(-scores[order], -scores[order], side="right") - 1  # the last of those that score the same
    num_true, num = np.cumsum((weights * truth)[order]), np.cumsum(weights[order])
    precision = num_true[ends] / np.maximum(num[ends], 1)
    own = (weights * truth)[order]
    return float((own * precision).sum() / own.sum())


def calibration(probabilities: Array, right: NDArray[np.bool_], num_bins: int = NUM_BINS) -> Calibration:
    """Hold probabilities (N,) against what was right (N,)."""
    places = np.minimum((probabilities * num_bins).astype(np.int64), num_bins - 1)
    bins = []
    for place in np.unique(places):
        chosen = places == place
        edges = (float(place / num_bins), float((place + 1) / num_bins))
        bins.append(Bin(*edges, int(chosen.sum()), float(probabilities[chosen].mean()), float(right[chosen].mean())))
    apart = sum(one.num * abs(one.mean_probability - one.share_right) for one in bins)
    return Calibration(apart / len(probabilities), tuple(bins), len(probabilities))


def _of_segments(scored: Mapping[str, Any]) -> Measured:
    videos = segments.Videos(scored)
    numbers = intervals(videos.numbers, videos.num)
    means = {name: value for name, value in numbers.items() if not name.startswith(segments.OF_CLASS)}
    rows: list[Row] = []
    for label in videos.labels:
        row: Row = {
            "class": label,
            "true segments": videos.num_true(label),
            "found segments": videos.num_found(label),
            "AP": numbers.get(f"{segments.OF_CLASS}{label}"),
        }
        rows.append(row)
    return Measured(videos.num, means, rows)
