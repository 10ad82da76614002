"""Detected segments held against true ones (ActivityNet's evaluation, as TSL300 eval/eval_detection.py has it).

# H overlap thresholds  R detections of a class, strongest first  M true segments of a class in a video  K classes
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Key = tuple[float, str, float, float]


class Segment(NamedTuple):
    """A true segment."""

    start_s: float
    end_s: float
    label: str


class Detection(NamedTuple):
    """A segment that a model reports."""

    label: str
    score: float
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Scores:
    """The evaluation's numbers, all in 0..1, by threshold and class.

    classes: those with at least one true segment, in the order in which they first appear. A class that nothing
    was reported of counts 0; reports of a class without a true segment count nowhere, since its average
    precision is not defined (TSL300 stops with an error in both cases). Without any true segment all means are 0.
    precision, recall: means over the ranks 1..R of the cumulative curves, so recall is not that of the whole list.
    """

    tious: tuple[float, ...]
    classes: tuple[str, ...]
    average_precision: Array
    """(H, K)"""
    precision: Array
    """(H, K)"""
    recall: Array
    """(H, K)"""

    @property
    def mean_average_precision(self) -> Array:
        """Over the classes, by threshold: (H,)."""
        return _mean_over_classes(self.average_precision)

    @property
    def mean_precision(self) -> Array:
        """Over the classes, by threshold: (H,)."""
        return _mean_over_classes(self.precision)

    @property
    def mean_recall(self) -> Array:
        """Over the classes, by threshold: (H,)."""
        return _mean_over_classes(self.recall)

    @property
    def f2(self) -> Array:
        """From the mean precision and the mean recall, by threshold: (H,); 0 where both are 0."""
        precision, recall = self.mean_precision, self.mean_recall
        divisor = 4 * precision + recall
        return 5 * precision * recall / np.where(divisor > 0, divisor, 1.0)

    def of_class(self, label: str) -> float:
        """A class's average precision, mean over the thresholds; 0 for a class without a true segment."""
        if label not in self.classes:
            return 0.0
        return float(self.average_precision[:, self.classes.index(label)].mean())


def evaluate(
    ground_truth: Mapping[str, Sequence[Segment]],
    predictions: Mapping[str, Sequence[Detection]],
    tious: Sequence[float],
) -> Scores:
    """Score the detections of all videos; both mappings go from the video's name.

    A video without predictions is a video where nothing was found; predictions of a video without true segments
    are false.
    """
    classes = tuple(dict.fromkeys(segment.label for segments in ground_truth.values() for segment in segments))
    found = [curves(label, ground_truth, predictions, tious) for label in classes]
    numbers = [_numbers(one) for one in found if one is not None]
    empty = np.zeros((len(tious), 0))
    columns = [np.stack(column, axis=1) for column in zip(*numbers, strict=True)] or [empty, empty, empty]
    return Scores(tuple(tious), classes, *columns)


def _mean_over_classes(values: Array) -> Array:
    return values.mean(axis=1) if values.shape[1] else np.zeros(len(values))


@dataclass(frozen=True)
class Curves:
    """Precision and recall of a class's detections from the strongest to the weakest, by threshold."""

    precision: Array
    """(H, R): the share of right ones among those that are at least as strong; R may be 0."""
    recall: Array
    """(H, R): the share of the true segments that these find."""

    @property
    def average_precision(self) -> Array:
        """(H,): the area below the curve after every precision is raised to the best at a higher recall."""
        envelope = np.maximum.accumulate(self.precision[:, ::-1], axis=1)[:, ::-1]
        area: Array = (np.diff(self.recall, axis=1, prepend=0.0) * envelope).sum(axis=1)
        return area


def curves(
    label: str,
    ground_truth: Mapping[str, Sequence[Segment]],
    predictions: Mapping[str, Sequence[Detection]],
    tious: Sequence[float],
) -> Curves | None:
    """The curves of one class; None where it has no true segment."""
    num_true = sum(segment.label == label for segments in ground_truth.values() for segment in segments)
    if not num_true:
        return None
    keys: list[Key] = []
    hits = []
    for name, detections in predictions.items():
        # Equal scores are told apart by name and place, so that no order of videos or ranks matters.
        found = sorted(key_of(name, d) for d in detections if d.label == label)
        truth = [segment for segment in ground_truth.get(name, ()) if segment.label == label]
        keys += found
        hits.append(matched(overlaps_of(found, truth), np.asarray(tious, np.float64)))
    if not keys:
        return Curves(np.zeros((len(tious), 0)), np.zeros((len(tious), 0)))
    order = sorted(range(len(keys)), key=keys.__getitem__)
    num_hits = np.cumsum(np.concatenate(hits, axis=1)[:, order], axis=1).astype(np.float64)
    return Curves(num_hits / np.arange(1, len(keys) + 1), num_hits / num_true)


def _numbers(curves: Curves) -> tuple[Array, Array, Array]:
    """Average precision, mean precision and mean recall, each (H,)."""
    if not curves.precision.size:
        nothing = np.zeros(len(curves.precision))
        return nothing, nothing, nothing
    return curves.average_precision, curves.precision.mean(axis=1), curves.recall.mean(axis=1)


def key_of(name: str, detection: Detection) -> Key:
    """By which the detections of a class are sorted, strongest first. name: the video's."""
    return -detection.score, name, detection.start_s, detection.end_s


def overlaps_of(found: Sequence[Key], truth: Sequence[Segment]) -> Array:
    """Temporal intersection over union of every detection with every true segment: (R, M)."""
    start, end = (np.array([key[part] for key in found], np.float64)[:, None] for part in (2, 3))
    true_start, true_end = (np.array([segment[part] for segment in truth], np.float64) for part in (0, 1))
    shared = np.maximum(np.minimum(end, true_end) - np.maximum(start, true_start), 0.0)
    overlaps: Array = shared / ((end - start) + (true_end - true_start) - shared)
    return overlaps


def matched(overlaps: Array, tious: Array) -> Mask:
    """Which detections of one video find a true segment that none before them found: (H, R)."""
    num_found, num_true = overlaps.shape
    hits = np.zeros((len(tious), num_found), np.bool_)
    free = np.ones((len(tious), num_true), np.bool_)
    for index in range(num_found if num_true else 0):
        best_first = np.argsort(overlaps[index], kind="stable")[::-1]
        eligible = free[:, best_first] & (overlaps[index, best_first] >= tious[:, None])
        hits[:, index] = eligible.any(axis=1)
        taken = np.flatnonzero(hits[:, index])
        free[taken, best_first[eligible.argmax(axis=1)[taken]]] = False
    return hits
