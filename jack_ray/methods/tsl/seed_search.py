"""From labelled points to labels for their surroundings (TSL-Net paper, section 3.4; TSL300 loss.py)."""
# T snippets  N unlabelled snippets  R regions: runs of unlabelled snippets between, before and after points

from dataclasses import dataclass

import numpy as np

BACKGROUND = 2
"""The background's column in a score map; the classes come before it."""


@dataclass(frozen=True)
class Seeds:
    """What the loss learns from beside the points."""

    foreground: np.ndarray
    """(T, 3) float32: soft targets; the points' own, and the scores of the snippets grown around them."""
    background: np.ndarray
    """(T,) float32: how strongly a snippet is learnt as background; 0 where it is not."""


@dataclass(frozen=True)
class _Regions:
    snippets: np.ndarray
    """(N,) the unlabelled snippets in order."""
    of: np.ndarray
    """(N,) the region of each."""
    starts: np.ndarray
    """(R,) where each region starts in `snippets`."""
    is_first: np.ndarray
    """(R,) whether a region lies before all points."""
    is_last: np.ndarray
    """(R,) whether it lies after all points."""


def search(scores: np.ndarray, points: np.ndarray, threshold: float) -> Seeds:
    """Mark background between the points and grow foreground around them.

    scores: (T, 3) float32, each class and the background. points: (T, 3) float32, a row is zero but at a point.
    threshold: background score from which a snippet is a mark.
    Raises ValueError when there is no point: then nothing can be searched.
    """
    labelled = points.any(axis=1)
    if not labelled.any():
        raise ValueError("a video without points has no seeds")
    background = np.zeros(len(scores), np.float32)
    if not labelled.all():
        regions = _find_regions(labelled)
        background[regions.snippets] = _mark_background(scores[regions.snippets, BACKGROUND], regions, threshold)
    grown = _grow(scores, background, labelled)
    return Seeds(np.where(grown[:, None], scores, points).astype(np.float32), background)


def _find_regions(labelled: np.ndarray) -> _Regions:
    snippets = np.flatnonzero(~labelled)
    points_before = np.cumsum(labelled)[snippets]
    starts = np.flatnonzero(np.diff(points_before, prepend=-1))
    of = np.cumsum(np.diff(points_before, prepend=points_before[0]) > 0)
    number = points_before[starts]
    return _Regions(snippets, of, starts, number == 0, number == labelled.sum())


def _mark_background(scores: np.ndarray, regions: _Regions, threshold: float) -> np.ndarray:
    """The background weight of each unlabelled snippet (N,): its region's largest score M, or 0.

    At the outer ends one pair of marks is enough to fill a region up to the end; between two points it takes three
    marks, and only what lies between them is filled. Each mark counts as M in the sums that decide this, so a
    saturated score of exactly 1 counts fully.
    """
    largest = np.maximum.reduceat(scores, regions.starts)
    marked = scores >= np.float32(threshold)
    total = np.add.reduceat(marked.astype(np.float32), regions.starts) * largest
    peak = _first(scores == largest[regions.of], regions)
    enough = total >= np.where(regions.is_first | regions.is_last, 1, 2)
    low = np.where(enough, _first(marked, regions), peak)
    high = np.where(enough, _last(marked, regions), peak)
    low = np.where(regions.is_first, 0, low)
    high = np.where(regions.is_last, regions.snippets[-1], high)
    filled = (regions.snippets >= low[regions.of]) & (regions.snippets <= high[regions.of])
    return np.where(marked | filled, largest[regions.of], 0)


def _first(chosen: np.ndarray, regions: _Regions) -> np.ndarray:
    return np.minimum.reduceat(np.where(chosen, regions.snippets, np.iinfo(np.int64).max), regions.starts)


def _last(chosen: np.ndarray, regions: _Regions) -> np.ndarray:
    return np.maximum.reduceat(np.where(chosen, regions.snippets, -1), regions.starts)


def _grow(scores: np.ndarray, background: np.ndarray, labelled: np.ndarray) -> np.ndarray:
    """Whether an unlabelled snippet (T,) is reached from a point through snippets that look like foreground."""
    passes = (scores[:, BACKGROUND] <= scores[:, :BACKGROUND].max(axis=1)) & (background < 1) & ~labelled
    positions = np.arange(len(scores))
    before = np.maximum.accumulate(np.where(passes, -1, positions))
    after = np.minimum.accumulate(np.where(passes, len(scores), positions)[::-1])[::-1]
    # One more entry, never labelled, is what both ends of the video run into (index -1 and index T).
    ends_on_point = np.append(labelled, False)
    return passes & (ends_on_point[before] | ends_on_point[after])
