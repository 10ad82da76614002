"""Pillow's bilinear resizing, value for value, of the part of a picture that counts, in the order that networks take.

Pillow adds up whole numbers, first along rows and then along columns (its src/libImaging/Resample.c), so that the same
sums in another order give the same picture. `picture_sums` takes many rows or columns at once.

# H W height and width of a picture  h w of the result  T taps
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from math import ceil

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]

WEIGHT_BITS = 22
"""Behind the binary point of a weight (Pillow's PRECISION_BITS)."""


@dataclass(frozen=True, eq=False)
class Axis:
    """Which columns, or rows, of a picture each one of the result is the weighed sum of."""

    start: int
    stop: int
    """Those that count are start .. stop - 1."""
    first: NDArray[np.int64]
    """(w,) counted from `start`."""
    weights: NDArray[np.int32]
    """(w, T) in parts of 2 ** 22, of those from `first` on; 0 behind the last one."""

    def mirrored(self) -> "Axis":
        """The same, with the last one first."""
        return replace(self, first=self.first[::-1].copy(), weights=self.weights[::-1].copy())

    def moved(self, offset: int) -> "Axis":
        """The same, of columns that lie further to the right, or rows further down."""
        return replace(self, start=self.start + offset, stop=self.stop + offset)


@lru_cache(maxsize=256)
def axis(size: int, resized: int, begin: int, count: int) -> Axis:
    """`size` columns, or rows, resized to `resized`, of which `count` from `begin` on are wanted."""
    scale = size / resized
    reach = max(scale, 1.0)
    first = np.zeros(count, np.int64)
    weights = np.zeros((count, 2 * ceil(reach) + 1), np.int32)
    high = 0
    for row in range(count):
        centre = (begin + row + 0.5) * scale
        low, high = max(0, int(centre - reach + 0.5)), min(size, int(centre + reach + 0.5))
        first[row] = low
        weights[row, : high - low] = _weights(centre, reach, range(low, high))
    start = int(first[0])
    return Axis(start, high, first - start, weights)


def _weights(centre: float, reach: float, columns: range) -> list[int]:
    heights = [max(0.0, 1.0 - abs((column - centre + 0.5) * (1.0 / reach))) for column in columns]
    total = 0.0
    for height in heights:  # one after the other: sum() of Python 3.12 rounds otherwise than Pillow
        total += height
    return [int(0.5 + height / total * (1 << WEIGHT_BITS)) for height in heights]


def scaled(picture: Bytes, across: Axis, down: Axis) -> Bytes:
    """(3, h, w) of a picture (H, W, 3)."""
    from jack_ray.methods.shared.picture_sums import scale  # numba takes longest of all imports, and few need it

    part = picture[down.start : down.stop, across.start : across.stop]
    part.flags.writeable = False  # one type for all pictures: those of Pillow cannot be written to
    result = np.empty((3, len(down.first), len(across.first)), np.uint8)
    scale(part, across.first, across.weights, down.first, down.weights, result)
    return result
