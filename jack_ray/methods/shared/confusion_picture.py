"""The confusion matrix as a picture: counts in the cells, shares of the row as colours.

# K classes
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from jack_ray.contract.files import replacing

CELL_INCHES = 0.8
DARK = 0.5
"""The share from which white text is read better than black."""


def draw(path: Path, counts: NDArray[np.int64], labels: Sequence[str]) -> None:
    """Write a PNG. counts: (K, K), true classes in rows, found ones in columns."""
    totals = counts.sum(1, keepdims=True)
    shares = counts / np.maximum(totals, 1)
    side = max(4.0, CELL_INCHES * len(labels))
    figure = Figure(figsize=(side + 2.2, side + 0.8), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.ndindex(*counts.shape):
        color = "white" if shares[row, column] > DARK else "black"
        axes.text(column, row, str(counts[row, column]), ha="center", va="center", color=color)
    axes.set_xticks(range(len(labels)), labels, rotation=45, ha="right", rotation_mode="anchor")
    rows = [f"{label} ({total})" for label, total in zip(labels, totals[:, 0], strict=True)]
    axes.set_yticks(range(len(labels)), rows)
    edges = np.arange(len(labels) + 1) - 0.5
    axes.set_xticks(edges, minor=True)
    axes.set_yticks(edges, minor=True)
    axes.grid(which="minor", color="white", linewidth=2)
    axes.tick_params(which="minor", length=0)
    axes.set_xlabel("found")
    axes.set_ylabel("annotated (samples)")
    right, total = int(counts.trace()), int(counts.sum())
    axes.set_title(f"{right} of {total} right" + (f" ({100 * right / total:.1f} %)" if total else ""))
    figure.colorbar(image, ax=axes, shrink=0.8, label="share of the annotated class")
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=110)
