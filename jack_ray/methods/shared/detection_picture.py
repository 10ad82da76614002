"""Precision against recall of found segments, a plot for each class and a line for each overlap asked for.

# H overlap thresholds  R detections
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from jack_ray.contract.files import replacing
from jack_ray.methods.shared.detection import Curves

DASHES = ("-", "--", "-.", ":")
PLOT = 5.2
"""inches"""
PALEST = 0.88
"""The end of the colour map that is still seen on white."""


def draw(path: Path, classes: Mapping[str, Curves | None], tious: Sequence[float]) -> None:
    """Write a PNG. classes: what a class is called -> its curves, None where it has no true segment."""
    width, height = 0.9 + PLOT * len(classes), 5.2
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    margins = {"left": 0.7 / width, "right": 1 - 0.15 / width, "bottom": 0.52 / height, "top": 1 - 0.64 / height}
    plots = np.atleast_1d(figure.subplots(1, len(classes), sharey=True, gridspec_kw=margins | {"wspace": 0.05}))
    for axes, (name, curves) in zip(plots, classes.items(), strict=True):
        _draw_class(axes, name, curves, tious)
    plots[0].set_ylabel("precision: share of the found that are right")
    means = [float(curves.average_precision.mean()) for curves in classes.values() if curves is not None]
    mean = f"average precision {np.mean(means):.3f}, mean of all overlaps" if means else "no true segment"
    figure.suptitle(f"Segments found: {mean}", fontsize=13)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=110)


def _draw_class(axes: Axes, name: str, curves: Curves | None, tious: Sequence[float]) -> None:
    colors = matplotlib.colormaps["viridis"](np.linspace(0, PALEST, len(tious)))
    axes.set_xlim(-0.01, 1.01)
    axes.set_ylim(-0.02, 1.04)
    axes.set_xlabel("recall: share of the true segments that are found")
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    if curves is None:
        axes.set_title(f"{name}: no true segment")
        return
    axes.set_title(name)
    average = curves.average_precision
    for row, tiou in enumerate(tious):
        recall, places = np.unique(curves.recall[row], return_index=True)  # what follows at equal recall is worse
        precision = curves.precision[row][places]
        if len(recall) and recall[0] > 0:
            recall, precision = np.append(0.0, recall), np.append(precision[0], precision)
        words = f"overlap {tiou:.2f}: {average[row]:.3f}"
        dash = DASHES[row % len(DASHES)]
        axes.step(recall, precision, dash, where="pre", color=colors[row], linewidth=1.8, label=words)
    axes.legend(title="average precision", loc="lower left", framealpha=0.85, fontsize=9)
