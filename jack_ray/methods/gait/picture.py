"""One gait on one picture: the walking skeleton, what each joint adds to the found class, and the probabilities.

# T frames  V joints  K classes
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from jack_ray.contract.files import replacing
from jack_ray.methods.gait.shown import Shown
from jack_ray.methods.gait.skeleton import BONES, INDEX

NUM_POSES = 6
VIEWS = (("front", 0), ("side", 2))
"""A name and the axis to the right; y is up."""
RIGHT, LEFT, MIDDLE = "#D55E00", "#0072B2", "#555555"
"""Okabe and Ito's colours, told apart with every kind of colour vision."""


def draw(path: Path, name: str, shown: Shown, labels: Sequence[str]) -> None:
    """Write a PNG."""
    figure = Figure(figsize=(10.5, 5.4), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(2, 2, width_ratios=(3, 1))
    found = int(np.argmax(shown.probabilities))
    posture = np.array(shown.posture)
    added = np.array(shown.joints)[:, found]
    strongest = max(float(np.abs(added).max()), 1e-9)
    image: Any = None
    for row, view in enumerate(VIEWS):
        image = _draw_walk(figure.add_subplot(grid[row, 0]), posture, view, added / strongest)
    bar = figure.colorbar(image, ax=figure.axes, shrink=0.7, location="left")
    bar.set_label(f"what a joint adds to {labels[found]}, from posture and movement\n(1: the most of all joints)")
    _draw_bars(figure.add_subplot(grid[:, 1]), shown, labels)
    own = ", ".join(_own(shown, labels))
    figure.suptitle(f"{name}: {labels[found]} found" + (f", {own} annotated" if own else ""))
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=110)


def _own(shown: Shown, labels: Sequence[str]) -> list[str]:
    return [label for label, has in zip(labels, shown.targets, strict=False) if has]


def _draw_walk(axes: Axes, posture: NDArray[np.float64], view: tuple[str, int], added: NDArray[np.float64]) -> Any:
    frames = np.flatnonzero(np.abs(posture).sum((0, 2)) > 0)
    if not len(frames):
        frames = np.array([0])
    poses = frames[np.linspace(0, len(frames) - 1, NUM_POSES).round().astype(int)]
    across, up = posture[view[1]][poses], posture[1][poses]
    step = 1.1 * max(float(np.ptp(across, axis=1).max()), 0.4 * float(np.ptp(up)), 1e-6)
    places = np.arange(len(poses)) * step
    x = across - across.mean(1, keepdims=True) + places[:, None]
    for pose in range(len(poses)):
        for child, parent in BONES:
            ends = [INDEX[child], INDEX[parent]]
            axes.plot(x[pose, ends], up[pose, ends], color=_side(child), linewidth=2, zorder=1)
    colors = np.tile(added, len(poses))
    image = axes.scatter(x, up, c=colors, cmap="PuOr_r", vmin=-1, vmax=1, s=34, edgecolors="black", zorder=2)
    axes.set_aspect("equal")
    axes.set_xticks(places, [f"frame {frame + 1}" for frame in poses])
    axes.set_yticks([])
    axes.set_ylabel(f"from the {view[0]}\n(orange: right side)")
    return image


def _side(joint: str) -> str:
    return RIGHT if joint.startswith("right") else LEFT if joint.startswith("left") else MIDDLE


def _draw_bars(axes: Axes, shown: Shown, labels: Sequence[str]) -> None:
    own = _own(shown, labels)
    colors = [RIGHT if label in own else "#bbbbbb" for label in labels]
    axes.barh(range(len(labels)), shown.probabilities, color=colors)
    for place, value in enumerate(shown.probabilities):
        axes.text(min(value + 0.02, 0.8), place, f"{value:.2f}", va="center")
    axes.set_yticks(range(len(labels)), labels)
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_xlabel("probability" + (" (annotated: orange)" if own else ""))
