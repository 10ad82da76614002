"""The sums of `picture_scaling`, compiled by numba: without the interpreter's lock, several columns at a time.

What is compiled is kept beside this file's bytecode. Whole numbers only, so it is the same on every processor.

# R C rows and columns of a picture's part  h w of the result  T taps  L lines  N numbers of a line
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from jack_ray.methods.shared.picture_scaling import WEIGHT_BITS, Bytes

Numbers = NDArray[np.int64]
Weights = NDArray[np.int32]


@njit(nogil=True, cache=True)
def scale(  # noqa: PLR0917  # numba knows no names
    part: Bytes, left: Numbers, across: Weights, top: Numbers, down: Weights, result: Bytes
) -> None:
    """part: (R, C, 3). left and across: `first` (w,) and `weights` (w, T) of its columns. top and down: of its rows.

    result: (3, h, w), written to.
    """
    rows, columns, colours = part.shape
    turned = np.empty((columns, rows), np.uint8)
    narrow = np.empty((len(left), rows), np.uint8)
    back = np.empty((rows, len(left)), np.uint8)
    for colour in range(colours):
        _turn(part[:, :, colour], turned)  # sums along rows then run over whole columns
        _weigh(turned, left, across, narrow)
        _turn(narrow, back)
        _weigh(back, top, down, result[colour])


@njit(nogil=True, cache=True)
def _turn(lines: Bytes, turned: Bytes) -> None:
    for row in range(turned.shape[0]):
        for column in range(turned.shape[1]):
            turned[row, column] = lines[column, row]


@njit(nogil=True, cache=True)
def _weigh(lines: Bytes, first: Numbers, weights: Weights, result: Bytes) -> None:
    """lines: (L, N). result: (h or w, N), each line of it a sum of T lines."""
    total = np.empty(lines.shape[1], np.int32)
    for row in range(len(first)):
        total[:] = 1 << (WEIGHT_BITS - 1)  # rounds
        for tap in range(weights.shape[1]):
            if weights[row, tap]:
                _add(total, weights[row, tap], lines[first[row] + tap])
        _shift(total, result[row])


@njit(nogil=True, cache=True)
def _add(total: Weights, weight: np.int32, line: Bytes) -> None:
    for place in range(len(total)):
        total[place] += weight * np.int32(line[place])


@njit(nogil=True, cache=True)
def _shift(total: Weights, line: Bytes) -> None:
    for place in range(len(total)):
        line[place] = total[place] >> WEIGHT_BITS
