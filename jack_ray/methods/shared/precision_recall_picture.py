"""Precision against recall, a line for each class, and the average precision of each as a bar.

# N samples  K classes
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from jack_ray.contract.colours import BLACK, SERIES
from jack_ray.contract.files import replacing
from jack_ray.methods.shared.class_curves import Array, Mask, PrecisionRecall, precision_recall

DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)), (0, (7, 2, 1, 2)))
"""One for each of SERIES: they tell the lines apart in print. Black, broad and whole is the mean."""
OTHERS = "#b8b8b8"
NUM_ENDS = 3
"""Of more classes than there are colours, so many of the weakest and of the strongest get one."""
MAX_LABEL = 24
LEAST_ROWS = 5
"""Room for so many bars: those of two classes would be as broad as a hand."""


@dataclass(frozen=True)
class _Row:
    label: str
    count: int
    share: float
    curve: PrecisionRecall | None
    color: str
    dash: str | tuple[int, tuple[int, ...]]


def draw(path: Path, truth: Mask, scores: Array, labels: Sequence[str]) -> None:
    """Write a PNG. truth, scores: (N, K), at least one sample."""
    rows = _rows(truth, scores, labels)
    figure = Figure(figsize=(10, max(4.8, 1.4 + 0.27 * len(rows))), layout="constrained")
    FigureCanvasAgg(figure)
    curves, bars = figure.subplots(1, 2, width_ratios=(1.25, 1))
    _draw_curves(curves, rows)
    _draw_bars(bars, rows)
    known = [row.curve.average for row in rows if row.curve is not None]
    mean = f"average precision {np.mean(known):.3f}, mean of the classes with samples" if known else "no class has any"
    figure.suptitle(f"Precision and recall: {mean}", fontsize=13)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=110)


def _rows(truth: Mask, scores: Array, labels: Sequence[str]) -> list[_Row]:
    """The classes, strongest first, those without a sample last."""
    curves = [precision_recall(truth[:, k], scores[:, k]) for k in range(len(labels))]
    averages = [-1.0 if curve is None else curve.average for curve in curves]
    order = sorted(range(len(labels)), key=lambda k: (-averages[k], k))
    ranked = [k for k in order if curves[k] is not None]
    # By number where all have a colour, so that a class keeps its own from trial to trial.
    chosen = list(range(len(labels))) if len(labels) <= len(SERIES) else [*ranked[:NUM_ENDS], *ranked[-NUM_ENDS:]]
    looks = {k: (SERIES[place], DASHES[place]) for place, k in enumerate(dict.fromkeys(chosen))}
    counts = truth.sum(0)
    return [
        _Row(labels[k], int(counts[k]), float(counts[k]) / len(truth), curves[k], *looks.get(k, (OTHERS, "-")))
        for k in order
    ]


def _draw_curves(axes: Axes, rows: Sequence[_Row]) -> None:
    for row in sorted(rows, key=lambda row: row.color != OTHERS):
        if row.curve is not None:
            recall, rises = np.unique(row.curve.recall, return_index=True)  # what follows at equal recall is worse
            precision = row.curve.precision[rises]
            recall, precision = np.append(0.0, recall), np.append(precision[0], precision)
            width = 0.8 if row.color == OTHERS else 1.8
            axes.step(recall, precision, where="pre", color=row.color, linestyle=row.dash, linewidth=width)
    found = [row.curve for row in rows if row.curve is not None]
    if len(found) > 1:
        grid = np.linspace(0, 1, 201)
        mean = np.mean([curve.at(grid) for curve in found], axis=0)
        axes.plot(grid, mean, color=BLACK, linewidth=2.6, label=f"mean of {len(found)} classes")
        axes.legend(loc="lower left", framealpha=0.85)
    axes.set_xlim(-0.01, 1.01)
    axes.set_ylim(-0.02, 1.04)
    axes.set_xlabel("recall: share of a class's samples that are found")
    axes.set_ylabel("precision: share of these that are right")
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)


def _draw_bars(axes: Axes, rows: Sequence[_Row]) -> None:
    for place, row in enumerate(rows):
        if row.curve is None:
            axes.text(0.01, place, "no sample", va="center", fontsize=9, color="#555555")
            continue
        axes.barh(place, row.curve.average, 0.62, color=row.color, alpha=0.25, edgecolor=row.color)
        # The line's own dash, so that bar and line find each other in print.
        ends = (0, row.curve.average)
        axes.plot(ends, (place, place), color=row.color, linestyle=row.dash, linewidth=2, solid_capstyle="butt")
        axes.text(row.curve.average + 0.012, place, f"{row.curve.average:.3f}", va="center", fontsize=9)
        axes.plot((row.share, row.share), (place - 0.36, place + 0.36), color=BLACK, linewidth=1.4)
    axes.set_yticks(range(len(rows)), [f"{_short(row.label)} ({row.count})" for row in rows])
    axes.set_ylim(max(len(rows), LEAST_ROWS) - 0.4, -0.6)
    axes.set_xlim(0, 1.14)
    axes.set_xticks(np.linspace(0, 1, 6))
    axes.set_xlabel("average precision (upright: of random scores)")


def _short(label: str) -> str:
    return label if len(label) <= MAX_LABEL else f"{label[: MAX_LABEL - 1]}…"
