"""Which segments of a video matter most, by its attention (CTEN paper, section 3.4)."""
# B videos  S segments of a video

import numpy as np
from numpy.typing import NDArray


def thresholds(gamma: NDArray[np.float32], share: float) -> NDArray[np.float32]:
    """Each video's own threshold, (B, 1), between its least (share 0) and its most attention (1); gamma: (B, S)."""
    return share * gamma.max(1, keepdims=True) + (1 - share) * gamma.min(1, keepdims=True)


def key_segments(gamma: NDArray[np.float32], limits: NDArray[np.float32]) -> list[list[int]]:
    """The segments of each video above its threshold; none where all are alike."""
    return [np.flatnonzero(row).tolist() for row in gamma > limits]


def context_segments(gamma: NDArray[np.float32], limits: NDArray[np.float32]) -> list[list[int]]:
    """The segments of each video below its threshold: the video without its key segments."""
    return [np.flatnonzero(row).tolist() for row in gamma < limits]
