"""One video on one picture: how much the network made of each of its segments, and where the key segments are.

# S segments
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from jack_ray.contract.files import replacing

Span = tuple[float, float]
"""Start and end in seconds."""

# Okabe and Ito's colours, told apart with every kind of colour vision.
ATTENTION, KEY = "#0072B2", "#D55E00"
SMALLEST = 1e-6
"""The axis reaches at least so far, also where nothing was attended to."""


def draw(
    path: Path, title: str, gamma: Sequence[float], duration_s: float, lanes: Mapping[str, Sequence[Span]]
) -> None:
    """Write a PNG. gamma: (S,), at least 0; lanes: what a row of spans is called -> the spans, drawn below."""
    figure = Figure(figsize=(10, 3.6 + 0.4 * len(lanes)), layout="constrained")
    FigureCanvasAgg(figure)
    rows = figure.subplots(2 if lanes else 1, 1, sharex=True, squeeze=False, height_ratios=_heights(len(lanes)))[:, 0]
    edges = np.linspace(0, duration_s, len(gamma) + 1)
    rows[0].bar(edges[:-1], gamma, np.diff(edges), align="edge", color=ATTENTION, alpha=0.75, edgecolor="white")
    rows[0].set_xlim(0, duration_s)
    rows[0].set_ylim(0, 1.08 * max(*gamma, SMALLEST))
    rows[0].set_ylabel("attention of a segment")
    if lanes:
        _draw_lanes(rows[1], lanes)
    rows[-1].set_xlabel("time in the video (s)")
    figure.suptitle(title, fontsize=13)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=110)


def _heights(num_lanes: int) -> list[float]:
    return [3.0, 0.4 * num_lanes] if num_lanes else [3.0]


def _draw_lanes(axes: Axes, lanes: Mapping[str, Sequence[Span]]) -> None:
    for row, spans in enumerate(lanes.values()):
        widths = [(start, end - start) for start, end in spans]
        axes.broken_barh(widths, (row - 0.35, 0.7), facecolor=KEY, alpha=0.8, edgecolor="black", linewidth=0.8)
    axes.set_yticks(range(len(lanes)), list(lanes))
    axes.set_ylim(len(lanes) - 0.5, -0.5)
