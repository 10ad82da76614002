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


def draw(
    path: Path, title: str, gamma: Sequence[float], duration_s: float, lanes: Mapping[str, Sequence[Span]]
) -> None:
    """Write a PNG. gamma: (S,), at least 0; lanes: what a row of spans is called -> the spans, drawn below."""
    figure = Figure(figsize=(10, 3.2 + 0.35 * len(lanes)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    edges = np.linspace(0, duration_s, len(gamma) + 1)
    axes.bar(edges[:-1], gamma, np.diff(edges), align="edge", color=ATTENTION, alpha=0.75, edgecolor="white")
    axes.set_xlim(0, duration_s)
    top = max(*gamma, 1e-6)
    axes.set_ylim(0, 1.08 * top)
    axes.set_ylabel("attention of a segment")
    axes.set_title(title)
    if lanes:
        _draw_lanes(axes.inset_axes((0, -0.42 - 0.14 * len(lanes), 1, 0.14 * len(lanes)), sharex=axes), lanes)
    axes.set_xlabel("time in the video (s)")
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=110)


def _draw_lanes(axes: Axes, lanes: Mapping[str, Sequence[Span]]) -> None:
    for row, spans in enumerate(lanes.values()):
        widths = [(start, end - start) for start, end in spans]
        axes.broken_barh(widths, (row - 0.35, 0.7), facecolor=KEY, alpha=0.8, edgecolor="black", linewidth=0.8)
    axes.set_yticks(range(len(lanes)), list(lanes))
    axes.set_ylim(len(lanes) - 0.5, -0.5)
    axes.tick_params(labelbottom=False)
