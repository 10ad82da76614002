import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from jack_ray.methods.tsl import seed_search

GOLDEN = Path(seed_search.__file__).parent / "golden" / "tsl.json"


class LiteralSearch:
    """The search as it is told: snippet by snippet, region by region."""

    def __init__(self, scores: NDArray[Any], points: NDArray[Any], threshold: float) -> None:
        self.scores, self.threshold = scores, np.float32(threshold)
        self.foreground, self.background = points.copy(), np.zeros(len(scores), np.float32)
        labelled = [t for t in range(len(scores)) if points[t].any()]
        self.before(labelled[0])
        self.after(labelled[-1])
        for left, right in pairwise(labelled):
            if right - left > 1:
                self.between(left, right)

    def mark(self, first: int, last: int) -> tuple[list[int], float, int, float]:
        region = range(first, last + 1)
        largest = max(self.scores[t, 2] for t in region)
        peak = next(t for t in region if self.scores[t, 2] == largest)
        marks = [t for t in region if self.scores[t, 2] >= self.threshold]
        for t in marks:
            self.background[t] = largest
        return marks, float(largest), peak, len(marks) * float(largest)

    def grow(self, first: int, last: int, step: int) -> None:
        for t in range(first, last + step, step):
            if self.scores[t, 2] > max(self.scores[t, 0], self.scores[t, 1]) or not self.background[t] < 1:
                return
            self.foreground[t] = self.scores[t]

    def before(self, point: int) -> None:
        if point > 0:
            marks, largest, peak, total = self.mark(0, point - 1)
            self.background[: (marks[-1] if total >= 1 else peak) + 1] = largest
            self.grow(point - 1, 0, -1)

    def after(self, point: int) -> None:
        last = len(self.scores) - 1
        if point < last:
            marks, largest, peak, total = self.mark(point + 1, last)
            self.background[marks[0] if total >= 1 else peak :] = largest
            self.grow(point + 1, last, 1)

    def between(self, left: int, right: int) -> None:
        marks, largest, peak, total = self.mark(left + 1, right - 1)
        if total >= 2:
            self.background[marks[0] : marks[-1] + 1] = largest
        else:
            self.background[peak] = largest
        self.grow(left + 1, right - 1, 1)
        self.grow(right - 1, left + 1, -1)


def draw_points(generator: np.random.Generator, length: int, number: int) -> NDArray[Any]:
    points = np.zeros((length, 3), np.float32)
    for snippet in generator.choice(length, number, replace=False):
        points[snippet, :2] = 0.1
        points[snippet, generator.integers(2)] = 0.9
    return points


def test_the_search_finds_what_the_authors_code_finds() -> None:
    golden = json.loads(GOLDEN.read_text())["seed_search"]
    scores, points = (np.array(golden[key][0], np.float32) for key in ("scores", "point_anno_padded"))
    seeds = seed_search.search(scores, points, 0.95)
    np.testing.assert_array_equal(seeds.foreground, np.array(golden["act_seed"][0], np.float32))
    np.testing.assert_array_equal(seeds.background, np.array(golden["bkg_seed"][0], np.float32))


@pytest.mark.parametrize("sharpness", [0.3, 1.0, 4.0])
def test_the_search_is_the_literal_one_on_random_videos(sharpness: float) -> None:
    generator = np.random.default_rng(7)
    for _ in range(700):
        length = int(generator.integers(1, 60))
        scores = generator.random((length, 3)).astype(np.float32)
        scores[:, 2] **= np.float32(sharpness)
        if generator.random() < 0.5:  # ties, marks of exactly 1, scores on the threshold
            scores = np.round(scores * 20).astype(np.float32) / 20
        points = draw_points(generator, length, int(generator.integers(1, min(length, 9) + 1)))
        threshold = float(generator.choice([0.5, 0.7, 0.95]))
        literal = LiteralSearch(scores, points, threshold)
        seeds = seed_search.search(scores, points, threshold)
        np.testing.assert_array_equal(seeds.foreground, literal.foreground)
        np.testing.assert_array_equal(seeds.background, literal.background)


def search_background(column: list[float], labelled: int) -> list[float]:
    scores = np.zeros((len(column), 3), np.float32)
    scores[:, 2] = column
    points = np.zeros((len(column), 3), np.float32)
    points[labelled, 0] = 0.9
    return [round(float(value), 2) for value in seed_search.search(scores, points, 0.95).background]


def test_two_marks_at_the_end_fill_up_to_the_end() -> None:
    assert search_background([0, 0.97, 0.5, 0.96, 0.1], 0) == [0, 0.97, 0.97, 0.97, 0.97]


def test_one_mark_at_the_end_is_the_peak() -> None:
    assert search_background([0, 0.2, 0.97, 0.1, 0.3], 0) == [0, 0, 0.97, 0.97, 0.97]


def test_before_the_first_point_the_fill_goes_to_the_front() -> None:
    assert search_background([0.1, 0.2, 0.96, 0.98, 0], 4) == [0.98, 0.98, 0.98, 0.98, 0]


def test_without_marks_the_peak_is_marked() -> None:
    assert search_background([0.1, 0.6, 0.2, 0], 3) == [0.6, 0.6, 0, 0]


def test_a_video_full_of_points_has_no_background() -> None:
    points = np.full((4, 3), 0.1, np.float32)
    seeds = seed_search.search(np.full((4, 3), 0.5, np.float32), points, 0.95)
    assert not seeds.background.any()
    np.testing.assert_array_equal(seeds.foreground, points)


def test_a_video_without_points_cannot_be_searched() -> None:
    with pytest.raises(ValueError, match="without points"):
        seed_search.search(np.zeros((4, 3), np.float32), np.zeros((4, 3), np.float32), 0.95)
