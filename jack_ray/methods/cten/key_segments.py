"""Key segments of a video in seconds, from the attention that learnt to find them without marks (CTEN, section 4.5).

# S segments
"""

from collections.abc import Sequence

import numpy as np

from jack_ray.methods.cten.erasing import key_segments, thresholds
from jack_ray.methods.shared.detection import Detection

KEY = "key"
"""The one label: the paper detects key segments whatever the class."""


def find(gamma: Sequence[float], duration_s: float, share: float) -> list[Detection]:
    """Runs of segments above the threshold of erasing; a run's score is its mean attention. gamma: (S,).

    None where all segments are alike.
    """
    row = np.asarray(gamma, np.float32)[None]
    key = key_segments(row, thresholds(row, share))[0]
    runs = np.split(key, np.flatnonzero(np.diff(key) > 1) + 1) if key else []
    length_s = duration_s / len(gamma)
    return [
        Detection(KEY, float(row[0, run].mean()), float(run[0] * length_s), float((run[-1] + 1) * length_s))
        for run in runs
    ]
