import numpy as np
import pytest

from jack_ray.methods.cten.erasing import context_segments, key_segments, thresholds
from jack_ray.methods.cten.key_segments import find


def test_every_video_has_its_own_threshold() -> None:
    # CTEN's Jittor port took the first video's maximum for all: 2.4 for both.
    gamma = np.array([[1, 2, 3], [4, 5, 6]], np.float32)
    assert thresholds(gamma, 0.7).ravel() == pytest.approx([2.4, 5.4])


def test_the_threshold_is_that_of_attention_scaled_to_0_and_1() -> None:
    gamma = np.random.default_rng(3).random((5, 16)).astype(np.float32)
    scaled = (gamma - gamma.min(1, keepdims=True)) / np.ptp(gamma, axis=1, keepdims=True)
    expected = [np.flatnonzero(row > 0.7).tolist() for row in scaled]
    assert key_segments(gamma, thresholds(gamma, 0.7)) == expected


def test_a_segment_at_the_threshold_belongs_to_neither_set() -> None:
    gamma = np.array([[0, 5, 10], [2, 2, 2]], np.float32)
    limits = thresholds(gamma, 0.5)
    assert key_segments(gamma, limits) == [[2], []]
    assert context_segments(gamma, limits) == [[0], []]


def test_runs_of_key_segments_are_found_in_seconds_with_their_mean_attention() -> None:
    # threshold 0.7 * 8 = 5.6: segments 1, 2 and 4 of five of 2 s each
    found = find([0, 6, 8, 1, 7], 10.0, 0.7)
    assert [(one.start_s, one.end_s, one.score) for one in found] == [(2.0, 6.0, 7.0), (8.0, 10.0, 7.0)]


@pytest.mark.parametrize("gamma", [[0.0, 0.0, 0.0], [1.5], [0.2, 0.2]])
def test_a_video_whose_segments_are_alike_has_no_key_segment(gamma: list[float]) -> None:
    assert find(gamma, 3.0, 0.7) == []
