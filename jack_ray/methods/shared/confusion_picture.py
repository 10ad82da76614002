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

CELL_INCHES, SMALL_CELL_INCHES = 0.8, 0.46
FEW = 10
"""Of more classes the cells are small and those with a zero empty."""
DARK = 0.5
"""The share from which white text is read better than black."""


def draw(path: Path, counts: NDArray[np.int64], labels: Sequence[str]) -> None:
    """Write a PNG. counts: (K, K), true classes in rows, found ones in columns."""
    totals = counts.sum(1, keepdims=True)
    shares = counts / np.maximum(totals, 1)
    is_small = len(labels) > FEW
    side = max(4.0, (SMALL_CELL_INCHES if is_small else CELL_INCHES) * len(labels))
    figure = Figure(figsize=(side + 2.2, side + 0.8), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.argwhere(counts > (0 if is_small else -1)):
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
    axes.set_title(f"Classes: {right} of {total} right" + (f" ({100 * right / total:.1f} %)" if total else ""))
    figure.colorbar(image, ax=axes, fraction=0.04, shrink=0.8, label="share of the annotated class")
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=110)
