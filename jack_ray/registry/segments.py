"""Average precision of found segments, for videos that count more or less often: what an interval is made of.

# V videos  H overlap thresholds  R detections of a class, strongest first
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jack_ray.methods.shared.detection import Array, Detection, Key, Mask, Segment, key_of, matched, overlaps_of
from jack_ray.registry.bootstrap import Weights

OF_CLASS = "AP_"


@dataclass(frozen=True)
class _OfClass:
    """All detections of a class."""

    hits: Mask
    """(H, R): whether a detection finds a true segment that none before it found."""
    video: NDArray[np.int64]
    """(R,): whose it is."""
    num_true: Array
    """(V,)"""


class Videos:
    """The videos of a `scored.json` of segments."""

    def __init__(self, scored: Mapping[str, Any]) -> None:
        self.labels: tuple[str, ...] = tuple(scored["labels"])
        self.tious = np.asarray(scored["tious"], np.float64)
        names = sorted(scored["samples"])
        self.num = len(names)
        truth = [[Segment(*one) for one in scored["samples"][name]["truth"]] for name in names]
        found = [[Detection(*one) for one in scored["samples"][name]["found"]] for name in names]
        self._classes = {label: self._gather(label, names, truth, found) for label in self.labels}

    def _gather(
        self, label: str, names: list[str], truth: list[list[Segment]], found: list[list[Detection]]
    ) -> _OfClass:
        keys: list[Key] = []
        hits, owners, counts = [], [], []
        for number, name in enumerate(names):
            mine = sorted(key_of(name, one) for one in found[number] if one.label == label)
            true = [one for one in truth[number] if one.label == label]
            keys += mine
            hits.append(matched(overlaps_of(mine, true), self.tious))
            owners += [number] * len(mine)
            counts.append(len(true))
        order = sorted(range(len(keys)), key=keys.__getitem__)
        together = np.concatenate(hits, axis=1)[:, order]
        return _OfClass(together, np.array(owners, np.int64)[order], np.array(counts, np.float64))

    def num_true(self, label: str) -> int:
        """True segments of a class."""
        return int(self._classes[label].num_true.sum())

    def num_found(self, label: str) -> int:
        """Detections of a class."""
        return len(self._classes[label].video)

    def numbers(self, weights: Weights) -> dict[str, float]:
        """`average_mAP`, `mAP@0.10` and so on, and `AP_<class>`, mean over the thresholds, of classes that occur."""
        found = {label: _precision(one, weights) for label, one in self._classes.items() if weights @ one.num_true > 0}
        if not found:
            return {}
        means = np.stack(list(found.values())).mean(0)
        values = {"average_mAP": float(means.mean())}
        values |= {f"mAP@{tiou:.2f}": float(mean) for tiou, mean in zip(self.tious, means, strict=True)}
        return values | {f"{OF_CLASS}{label}": float(one.mean()) for label, one in found.items()}


def _precision(one: _OfClass, weights: Weights) -> Array:
    """Average precision by threshold, (H,): the same as of a list in which each detection stands so often."""
    drawn = weights[one.video]
    num_hits, num = np.cumsum(one.hits * drawn, axis=1), np.cumsum(drawn)
    precision = num_hits / np.maximum(num, 1)
    envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    recall = num_hits / (weights @ one.num_true)
    area: Array = (np.diff(recall, axis=1, prepend=0.0) * envelope).sum(axis=1)
    return area
