"""The pictures of a classifier's probabilities.

# N samples  K classes
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from jack_ray.methods.shared import calibration_picture, precision_recall_picture
from jack_ray.methods.shared.class_curves import Array, Mask, calibration


def draw_probabilities(
    folder: Path, truth: Mask, probabilities: Array, labels: Sequence[str], one_of_many: bool = True
) -> list[Path]:
    """Write precision_recall.png and calibration.png. truth, probabilities: (N, K), at least one sample.

    one_of_many: a sample has one class, and the calibration is that of the likeliest one; else it may have several,
    and the calibration is that of all classes.
    """
    paths = [folder / "precision_recall.png", folder / "calibration.png"]
    precision_recall_picture.draw(paths[0], truth, probabilities, labels)
    if one_of_many:
        rows, found = np.arange(len(truth)), probabilities.argmax(1)
        of_found = calibration(truth[rows, found], probabilities[rows, found])
        calibration_picture.draw(paths[1], of_found, calibration_picture.OF_ONE)
    else:
        both = calibration(truth.ravel(), probabilities.ravel())
        calibration_picture.draw(paths[1], both, calibration_picture.OF_MANY)
    return paths
