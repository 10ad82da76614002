"""What a model says of a video on one picture: classes, what each part looks like, and how much it counted.

# S parts of a video  H W height and width
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from jack_ray.contract.files import replacing
from jack_ray.methods.shared.attention_picture import ATTENTION, KEY

MAX_PARTS = 8
MAX_CLASSES = 10


def draw(path: Path, answer: Mapping[str, Any], parts: NDArray[np.uint8]) -> None:
    """Write a PNG. parts: (S, 3, H, W), a picture of each part of the video."""
    figure = Figure(figsize=(11, 5.4), layout="constrained")
    FigureCanvasAgg(figure)
    rows: Any = figure.subfigures(2, 1, height_ratios=(1, 2.2))
    chosen = np.linspace(0, len(parts) - 1, min(MAX_PARTS, len(parts))).round().astype(int)
    for axes, part in zip(np.atleast_1d(rows[0].subplots(1, len(chosen))), chosen, strict=True):
        axes.imshow(parts[part].transpose(1, 2, 0))
        axes.set_title(f"{(part + 0.5) * answer['duration_s'] / len(parts):.1f} s", fontsize=9)
        axes.axis("off")
    classes, attention = rows[1].subplots(1, 2, width_ratios=(1, 1.6))
    _draw_classes(classes, answer["probabilities"])
    _draw_attention(attention, answer)
    figure.suptitle(f"{answer['name']}: {answer['label']}", fontsize=13)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=110)


def _draw_classes(axes: Axes, probabilities: Mapping[str, float]) -> None:
    shown = sorted(probabilities.items(), key=lambda item: -item[1])[:MAX_CLASSES]
    bars = axes.barh([label for label, _ in shown], [share for _, share in shown], color=ATTENTION, alpha=0.75)
    axes.bar_label(bars, [f"{share:.2f}" for _, share in shown], padding=3, fontsize=9)
    axes.invert_yaxis()
    axes.set_xlim(0, 1.12)
    axes.set_xlabel("probability")


def _draw_attention(axes: Axes, answer: Mapping[str, Any]) -> None:
    edges = np.linspace(0, answer["duration_s"], len(answer["attention"]) + 1)
    axes.bar(edges[:-1], answer["attention"], np.diff(edges), align="edge", color=ATTENTION, alpha=0.75, ec="white")
    for number, segment in enumerate(answer.get("segments", [])):
        words = "key segment" if number == 0 else None
        axes.axvspan(segment["start_s"], segment["end_s"], facecolor=KEY, alpha=0.25, hatch="//", label=words)
    if answer.get("segments"):
        axes.legend(loc="upper right", frameon=False)
    axes.set_xlim(0, answer["duration_s"])
    axes.set_xlabel("time in the video (s)")
    axes.set_ylabel("attention of a part")
