"""Which pictures of a video a method sees: clips of consecutive ones, one out of each of equal segments.

Source: temporal segment networks, as VAANet's transforms/temporal.py has them.

# S segments  D pictures of a clip
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]


def picture_numbers(num_frames: int, step: int) -> Numbers:
    """The numbers of a video's pictures that count: 1, 1 + step, .."""
    return np.arange(1, num_frames + 1, step)


def sample_clips(numbers: Numbers, segments: int, clip_frames: int, generator: np.random.Generator | None) -> Numbers:
    """(S, D) picture numbers: from each of S equal parts of `numbers` D consecutive ones.

    Where there are fewer than S * D they are repeated from the beginning. generator: draws where each clip starts,
    among all places where it fits (VAANet never takes the last one); None takes the middle of each segment.
    """
    wanted = segments * clip_frames
    if len(numbers) < wanted:
        numbers = np.resize(numbers, wanted)
    length = len(numbers) // segments
    if generator is None:
        starts = np.full(segments, length // 2 - clip_frames // 2)
    else:
        starts = generator.integers(0, length - clip_frames + 1, size=segments)
    firsts = np.arange(segments) * length + starts
    return numbers[firsts[:, None] + np.arange(clip_frames)]


def kept_numbers(numbers: Numbers, num_frames: int, segments: int, kept: Sequence[int]) -> Numbers:
    """Those of `numbers` that lie in the kept segments, which count from 0; all of them when that leaves none.

    Segment s has the pictures s * n + 1 to (s + 1) * n, n = num_frames // segments; what is left over at the end
    belongs to no segment, as in CTEN's code.
    """
    length = num_frames // segments
    chosen = np.isin((numbers - 1) // length, list(kept)) if length else np.zeros(len(numbers), bool)
    return numbers[chosen] if chosen.any() else numbers
