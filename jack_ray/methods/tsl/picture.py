"""One video on one picture: what was found, what is true, and the scores it was cut from.

# T snippets
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from numpy.typing import NDArray

from jack_ray.contract.files import replacing
from jack_ray.methods.shared.detection import Detection, Segment
from jack_ray.methods.tsl.config import CLASSES

Array = NDArray[np.float64]

_Color = tuple[float, float, float, float]
_Bar = tuple[list[tuple[float, float]], _Color, _Color]
"""Its corners, its colour, its edge's."""

# Okabe and Ito's colours, told apart with every kind of colour vision; dashes tell them apart in print.
COLORS = {"n": "#D55E00", "p": "#0072B2"}
DASHES = {"n": "--", "p": "-"}
WORDS = {"n": "negative", "p": "positive"}
MAX_FOUND = 8
"""Detections of a class that are drawn: the strongest. A list for ranking holds many more weak ones."""
NUM_NUMBERED = 3
MARGINS = {"left": 0.144, "right": 0.822, "bottom": 0.1, "top": 0.93, "hspace": 0.06}
"""Shares of the picture, and of a plot. Half of the time would go into finding out how little is enough."""


def draw(
    path: Path,
    name: str,
    scores: Array,
    snippet_s: float,
    *,
    segments: Sequence[Segment],
    detections: Sequence[Detection],
) -> None:
    """Write a PNG. scores: (T, 3) n, p and background; snippet_s: length of a snippet."""
    figure = Figure(figsize=(11, 5))
    FigureCanvasAgg(figure)
    curves, lanes = figure.subplots(2, 1, sharex=True, height_ratios=(1, 1), gridspec_kw=MARGINS)
    _draw_curves(curves, scores, snippet_s)
    _draw_lanes(lanes, segments, detections)
    lanes.set_xlim(0, len(scores) * snippet_s)
    figure.suptitle(f"{name}: sentiment found and annotated", fontsize=13)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=110)


def _draw_curves(axes: Axes, scores: Array, snippet_s: float) -> None:
    times = (np.arange(len(scores)) + 0.5) * snippet_s
    for index, label in enumerate(CLASSES):
        axes.plot(times, scores[:, index], DASHES[label], color=COLORS[label], linewidth=1.6, label=WORDS[label])
    axes.plot(times, scores[:, 2], ":", color="#555555", linewidth=1.2, label="background")
    axes.set_ylim(-0.03, 1.03)
    axes.set_ylabel("score of a snippet (0 to 1)")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    axes.grid(axis="y", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)


def _draw_lanes(axes: Axes, segments: Sequence[Segment], detections: Sequence[Detection]) -> None:
    names: list[str] = []
    bars: list[_Bar] = []
    for label in reversed(CLASSES):
        for segment in segments:
            if segment.label == label:
                bars.append(_bar(len(names), segment, COLORS[label], 1.0))
        names.append(f"{WORDS[label]}, annotated")
        found = sorted((one for one in detections if one.label == label), key=lambda one: -one.score)[:MAX_FOUND]
        # Weak ones first: a long weak one would hide a short strong one.
        for rank in reversed(range(len(found))):
            one = found[rank]
            strength = min(max(one.score / max(found[0].score, 1e-9), 0.1), 1.0)
            bars.append(_bar(len(names), one, COLORS[label], strength))
            if rank < NUM_NUMBERED:
                middle = (one.start_s + one.end_s) / 2
                axes.text(middle, len(names) - 0.46, str(rank + 1), ha="center", va="center", fontsize=9)
        names.append(f"{WORDS[label]}, found")
    corners, faces, edges = zip(*bars, strict=True) if bars else ((), (), ())
    # all at once: a collection for each bar would take a third of the whole picture's time
    drawn = PolyCollection(corners, facecolors=faces, edgecolors=edges, linewidths=0.8)
    axes.add_collection(drawn, autolim=False)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.7)
    axes.set_xlabel("time in the video (s)")
    note = f"found: the {MAX_FOUND} strongest\nof a class; higher and darker\nis stronger, 1 to {NUM_NUMBERED} numbered"
    axes.text(1.012, 0.98, note, transform=axes.transAxes, va="top", fontsize=9, color="#444444")


def _bar(lane: int, span: Segment | Detection, color: str, strength: float) -> _Bar:
    bottom, top = lane + 0.32, lane + 0.32 - 0.64 * strength
    corners = [(span.start_s, top), (span.start_s, bottom), (span.end_s, bottom), (span.end_s, top)]
    alpha = 0.3 + 0.6 * strength
    return corners, to_rgba(color, alpha), to_rgba("black", alpha)
