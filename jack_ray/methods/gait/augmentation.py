"""Random changes of a gait while training (BPM-GCN repository, feeders/tools.py).

# C channels  T frames  V joints
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class Moves:
    """What the values of a random move are drawn from."""

    angles_deg: Sequence[float]
    scales: Sequence[float]
    shifts: Sequence[float]


def choose(stream: FloatArray, frames: int, generator: np.random.Generator | None) -> FloatArray:
    """`frames` frames of (C, T, V): a random window of a longer stream; a shorter one at a random place among zeros.

    Without a generator the first frames, or zeros behind.
    """
    length = stream.shape[1]
    if length == frames:
        return stream
    room = abs(length - frames)
    start = 0 if generator is None else int(generator.integers(room + 1))
    if length > frames:
        return stream[:, start : start + frames]
    chosen = np.zeros((stream.shape[0], frames, stream.shape[2]), stream.dtype)
    chosen[:, start : start + length] = stream
    return chosen


def move(stream: FloatArray, moves: Moves, generator: np.random.Generator, shift: bool = True) -> FloatArray:
    """Turn, scale and shift the first two channels of (C, T, V), from a drawn start to a drawn end.

    Every value changes evenly over the frames. Without `shift` the channels are turned and scaled only.
    """
    frames = stream.shape[1]
    angle = np.radians(_way(moves.angles_deg, frames, generator))
    scale = _way(moves.scales, frames, generator)
    shifts = [_way(moves.shifts, frames, generator) * shift for _ in range(2)]
    cosine, sine = (scale * np.cos(angle))[:, None], (scale * np.sin(angle))[:, None]
    x, y = stream[0].astype(np.float64), stream[1].astype(np.float64)
    moved = stream.copy()
    moved[0] = cosine * x - sine * y + shifts[0][:, None]
    moved[1] = sine * x + cosine * y + shifts[1][:, None]
    return moved


def _way(values: Sequence[float], frames: int, generator: np.random.Generator) -> NDArray[np.float64]:
    start, end = generator.choice(np.asarray(values, np.float64), 2)
    return np.linspace(start, end, frames)
