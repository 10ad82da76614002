"""From the scores of one video to its detected segments (TSL300 test_all.py and utils.py).

# T snippets  N score positions (T * upsampling)  K classes (n, p)  H thresholds  R runs of positions
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jack_ray.methods.tsl.config import CLASSES, Config

Array = NDArray[np.float64]
Whole = NDArray[np.int64]
Mask = NDArray[np.bool_]
ScoreArray = NDArray[np.float32] | Array
"""Scores are taken in the precision in which the network gave them."""


@dataclass(frozen=True)
class Detections:
    """Segments of one class of one video, parallel arrays (R,)."""

    score: Array
    start_s: Array
    end_s: Array

    def __len__(self) -> int:
        return len(self.score)


def propose(
    scores: ScoreArray, video_scores: ScoreArray, fps: float, config: Config, snippet_frames: int
) -> dict[str, Detections]:
    """The segments of a video by class, strongest first, after suppression of overlapping ones.

    scores: (T, 3), n, p and background in 0..1. video_scores: (K,). Only reported classes have an entry.
    """
    candidates = propose_all(scores, video_scores, fps, config, snippet_frames)
    return {label: suppress(found, config) for label, found in candidates.items()}


def propose_all(
    scores: ScoreArray, video_scores: ScoreArray, fps: float, config: Config, snippet_frames: int
) -> dict[str, Detections]:
    """The segments before suppression: one for each run of positions above each threshold."""
    foreground = upsample(1 - scores[:, 2], config.upsampling)
    position_s = snippet_frames / (config.upsampling * fps)
    found = {}
    for index in reported_classes(video_scores, config.class_threshold):
        curve = upsample(scores[:, index], config.upsampling)
        bonus = config.video_score_weight * float(video_scores[index])
        found[CLASSES[index]] = _of_class(curve, foreground, bonus, config, position_s)
    return found


def reported_classes(video_scores: ScoreArray, threshold: float) -> list[int]:
    """Classes whose video score reaches the threshold; the strongest alone where none does."""
    reported = np.flatnonzero(video_scores >= threshold)
    return [int(index) for index in reported] or [int(np.argmax(video_scores))]


def upsample(curve: ScoreArray, factor: int) -> Array:
    """The curve (T,) at 0, 1/factor, 2/factor, ..., linear between snippets and beyond the last one: (N,)."""
    positions = np.arange(0, len(curve), 1 / factor)[: len(curve) * factor]
    if len(curve) == 1:
        return np.full(len(positions), curve[0], np.float64)
    # The interval that ends at a snippet serves the snippet itself, as in scipy's interp1d: the last bits
    # decide which positions reach a threshold.
    right = np.clip(np.searchsorted(np.arange(len(curve)), positions), 1, len(curve) - 1)
    left = right - 1
    slope = (curve[right] - curve[left]).astype(np.float64)
    return slope * (positions - left) + curve[left]


def _of_class(curve: Array, foreground: Array, bonus: float, config: Config, position_s: float) -> Detections:
    by_class = np.arange(*config.class_thresholds)[:, None]
    by_foreground = np.arange(*config.agnostic_thresholds)[:, None]
    zeroed = np.where(curve < by_class, 0.0, curve)
    whole = np.broadcast_to(curve, (len(by_foreground), len(curve)))
    maps = np.concatenate([zeroed, whole])
    masks = np.concatenate([zeroed > 0, (foreground >= by_foreground) & (foreground > 0)])
    # TSL300 asks `positions.any()`, which overlooks a list that holds only position 0.
    masks[~masks[:, 1:].any(axis=1)] = False
    row, first, last = _runs(masks)
    score = _contrast(maps, row, first, last, config.outer_share) + bonus
    return Detections(score, first * position_s, (last + 1) * position_s)


def _runs(masks: Mask) -> tuple[Whole, Whole, Whole]:
    """Every run of True in masks (H, N): its row, its first and its last position, each (R,)."""
    edges = np.diff(np.pad(masks, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    row, first = np.nonzero(edges == 1)
    _, end = np.nonzero(edges == -1)
    return row, first, end - 1


def _contrast(maps: Array, row: Whole, first: Whole, last: Whole, outer_share: float) -> Array:
    """Mean score inside each run less the mean of its surroundings (0 where it has none): (R,)."""
    sums = np.pad(np.cumsum(maps, axis=1), ((0, 0), (1, 0)))
    margin = outer_share * (last + 1 - first)
    before = np.maximum(0, np.trunc(first - margin)).astype(np.int64)
    after = np.minimum(maps.shape[1] - 1, np.trunc(last + margin)).astype(np.int64)
    inner_sum = sums[row, last + 1] - sums[row, first]
    outer_sum = (sums[row, first] - sums[row, before]) + (sums[row, after + 1] - sums[row, last + 1])
    outer_length = (first - before) + (after - last)
    return inner_sum / (last + 1 - first) - outer_sum / np.maximum(outer_length, 1)


def suppress(found: Detections, config: Config) -> Detections:
    """Keep the strongest segment, drop those that overlap it too much, and so on; strongest first.

    Lengths and intersections get `nms_extra_s` more, a leftover of pixel boxes in TSL300 that changes results.
    """
    # Equal scores are told apart by place, so that the outcome does not depend on a sorting algorithm.
    order = np.lexsort((found.end_s, found.start_s, -found.score))
    score, start, end = found.score[order], found.start_s[order], found.end_s[order]
    length = end - start + config.nms_extra_s
    alive = np.ones(len(score), np.bool_)
    for index in range(len(score)):
        if not alive[index]:
            continue
        rest = slice(index + 1, None)
        shared = np.minimum(end[index], end[rest]) - np.maximum(start[index], start[rest]) + config.nms_extra_s
        shared = np.maximum(shared, 0.0)
        alive[rest] &= shared / (length[index] + length[rest] - shared) < config.nms_iou
    return Detections(score[alive], start[alive], end[alive])
