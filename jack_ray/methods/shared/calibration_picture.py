"""A reliability diagram: how often what was claimed with a probability is true, and how often it was claimed."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from jack_ray.contract.colours import BLUE, VERMILION
from jack_ray.contract.files import replacing
from jack_ray.methods.shared.class_curves import NUM_BINS, Calibration


@dataclass(frozen=True)
class Words:
    """What the axes are of."""

    claim: str
    true: str
    things: str
    """What is counted."""


OF_ONE = Words("probability of the class found", "share of these that are right", "samples")
OF_MANY = Words("probability of a class", "share of these that have the class", "samples and classes")


def draw(path: Path, calibration: Calibration, words: Words) -> None:
    """Write a PNG."""
    figure = Figure(figsize=(7, 7), layout="constrained")
    FigureCanvasAgg(figure)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    _draw_reliability(upper, calibration, words)
    _draw_counts(lower, calibration, words)
    total = int(calibration.counts.sum())
    claimed = float((calibration.counts * calibration.claimed).sum()) / max(1, total)
    true = float((calibration.counts * calibration.true).sum()) / max(1, total)
    told = f"claimed {claimed:.3f} on average, true {true:.3f}; {words.things}: {total}"
    figure.suptitle(f"Calibration: expected error {calibration.error:.3f}\n{told}", fontsize=12)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=110)


def _draw_reliability(axes: Axes, calibration: Calibration, words: Words) -> None:
    seen = calibration.counts > 0
    claimed, true = calibration.claimed[seen], calibration.true[seen]
    low, high = (end[seen] for end in calibration.interval())
    axes.plot((0, 1), (0, 1), "--", color="#555555", linewidth=1.2, label="what is claimed is true (below: too sure)")
    axes.vlines(claimed, claimed, true, color=VERMILION, linewidth=5, alpha=0.45, label="how far it is off")
    axes.errorbar(
        claimed, true, (true - low, high - true), fmt="o-", color=BLUE, ecolor=BLUE, elinewidth=1, capsize=3,
        linewidth=1.6, label="found (95 % interval)",
    )  # fmt: skip
    axes.set_xlim(0, 1)
    axes.set_ylim(-0.03, 1.03)
    axes.set_ylabel(words.true)
    axes.legend(loc="upper left", framealpha=0.85)
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)


def _draw_counts(axes: Axes, calibration: Calibration, words: Words) -> None:
    edges = np.linspace(0, 1, NUM_BINS + 1)
    width = 1 / NUM_BINS
    bars = axes.bar(edges[:-1], calibration.counts, width, align="edge", color=BLUE, alpha=0.6, edgecolor="white")
    axes.bar_label(bars, [str(count) if count else "" for count in calibration.counts], fontsize=9, padding=1)
    axes.set_ylim(0, 1.25 * max(1, int(calibration.counts.max())))
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.set_xticks(edges)
    axes.set_xlabel(words.claim)
    axes.set_ylabel(words.things)
