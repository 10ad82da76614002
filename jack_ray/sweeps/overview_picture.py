"""A sweep on one picture: its number in the order of the trials, against each setting, and all settings together."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullFormatter

from jack_ray.contract.colours import BLACK, BLUE, GREY, VERMILION
from jack_ray.contract.files import replacing
from jack_ray.sweeps.results import Result, differing, parameter
from jack_ray.sweeps.scales import FEW, Axis, axis_of, name_of, padded, spread_of
from jack_ray.sweeps.table import settings
from jack_ray.sweeps.words import number

COLUMNS = 3
MAX_SETTINGS = 8
REPEATS = ("seed", "fold")
"""Ends of the names of settings whose numbers say nothing but which."""
MAX_NAME = 14
MAX_TITLE = 80
MAX_LINES = 300
"""Trials in the parallel coordinates, the best ones."""
PALEST = 0.9
"""The end of the colour map that is still seen on white."""


@dataclass(frozen=True)
class Point:
    """A trial with a number; `place` counts the sweep's trials from 1."""

    place: int
    result: Result
    value: float

    @property
    def is_whole(self) -> bool:
        """Whether the trial was trained to its end."""
        return self.result.trial.status == "finished"


def draw(path: Path, name: str, results: Sequence[Result], typed: Sequence[str] = ()) -> bool:
    """Write a PNG; False, and none, where no two trials have a number.

    results: in the order of the trials. typed: the words of the command, which say what was drawn logarithmically.
    """
    points = [Point(place, one, one.best) for place, one in enumerate(results, start=1) if one.best is not None]
    if len(points) < 2:
        return False
    names = differing([point.result for point in points])[:MAX_SETTINGS]
    has_lines = len(names) > 1
    plots = 1 + len(names)
    rows = math.ceil(plots / COLUMNS)
    figure = Figure(figsize=(10, 0.9 + 2.8 * rows + (3.6 if has_lines else 0.0)), layout="constrained")
    FigureCanvasAgg(figure)
    heights = [2.8 * rows, 3.6] if has_lines else [1.0]
    parts: Any = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
    grid = parts[0].subplots(rows, min(COLUMNS, plots), sharey=True, squeeze=False)
    best = _best(points)
    _draw_order(grid.flat[0], points, best)
    for axes, setting in zip(grid.flat[1:], names, strict=False):
        _draw_setting(axes, setting, points, best, typed)
    for axes in grid.flat[plots:]:
        axes.set_axis_off()
    for axes in grid[:, 0]:
        axes.set_ylabel(f"best {best.result.metric.replace('/', ' ')}")
    if has_lines:
        _draw_lines(parts[1].subplots(), points, names, best)
    figure.suptitle(_title(name, len(results), best), fontsize=12)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=110)
    return True


def _best(points: Sequence[Point]) -> Point:
    sign = 1 if points[0].result.mode == "max" else -1
    return max(points, key=lambda point: (sign * point.value, -point.place))


def _title(name: str, total: int, best: Point) -> str:
    found = f"best {number(best.value)}: {best.result.trial.id} {settings(best.result.trial.overrides)}"
    return f"{_cut(name, MAX_TITLE)}, {total} trials\n{_cut(found, MAX_TITLE)}"


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _dots(axes: Axes, points: Sequence[Point], places: Sequence[float], best: Point) -> None:
    """Whole trials are filled, others hollow; the best is a star."""
    for is_whole, face in ((True, BLUE), (False, "none")):
        some = [(x, point.value) for x, point in zip(places, points, strict=True) if point.is_whole == is_whole]
        if some:
            xs, ys = zip(*some, strict=True)
            words = "trained to the end" if is_whole else "stopped, or not at its end"
            axes.scatter(xs, ys, s=34, facecolors=face, edgecolors=BLUE, alpha=0.8, label=words, zorder=3)
    x = places[points.index(best)]
    axes.scatter([x], [best.value], s=190, marker="*", color=VERMILION, edgecolors=BLACK, label="best", zorder=4)
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)


def _draw_order(axes: Axes, points: Sequence[Point], best: Point) -> None:
    choose = max if best.result.mode == "max" else min
    so_far = [choose(point.value for point in points[: place + 1]) for place in range(len(points))]
    places = [float(point.place) for point in points]
    axes.step(places, so_far, where="post", color=GREY, linewidth=1.4, label="best so far")
    _dots(axes, points, places, best)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.set_xlabel("trial, in the order of the sweep")
    axes.legend(fontsize=8, framealpha=0.8)


def _draw_setting(axes: Axes, setting: str, points: Sequence[Point], best: Point, typed: Sequence[str]) -> None:
    values = [parameter(point.result, setting) for point in points]
    is_logarithmic = any(word.startswith(f"{setting}=") and "log" in word for word in typed)
    kind = "log" if is_logarithmic and all(_is_positive(value) for value in values) else spread_of(values)
    kind = "category" if setting.endswith(REPEATS) else kind
    places = [float(value) for value in values] if kind != "category" else []
    if kind == "category":
        names = list(axis_of(values, len(values)).names or sorted({name_of(value) for value in values}))
        places = [float(names.index(name_of(value))) for value in values]
        short = [_cut(name, MAX_NAME) for name in names]
        is_long = sum(map(len, short)) > 24
        axes.set_xticks(range(len(names)), short, rotation=30 if is_long else 0, ha="right" if is_long else "center")
        axes.set_xlim(-0.6, len(names) - 0.4)
    elif kind == "log":
        axes.set_xscale("log")
        known = sorted(set(places))
        if len(known) <= FEW:
            axes.set_xticks(known, [f"{value:.4g}" for value in known])
        axes.xaxis.set_minor_formatter(NullFormatter())
    _draw_means(axes, places, points, is_line=kind != "category")
    _dots(axes, points, places, best)
    axes.set_xlabel(setting + (" (logarithmic)" if kind == "log" else ""))


def _draw_means(axes: Axes, places: Sequence[float], points: Sequence[Point], is_line: bool) -> None:
    """Where trials share a value of the setting: the mean of each value."""
    groups: dict[float, list[float]] = {}
    for x, point in zip(places, points, strict=True):
        groups.setdefault(x, []).append(point.value)
    if len(groups) == len(places) or len(groups) < 2:
        return
    xs = sorted(groups)
    means = [math.fsum(groups[x]) / len(groups[x]) for x in xs]
    if is_line:
        axes.plot(xs, means, color=GREY, linewidth=1.4)
    else:
        axes.hlines(means, [x - 0.25 for x in xs], [x + 0.25 for x in xs], color=GREY, linewidth=2)
    axes.annotate("grey: mean", (0.98, 0.02), xycoords="axes fraction", ha="right", fontsize=8, color="#555555")


def _draw_lines(axes: Axes, points: Sequence[Point], names: Sequence[str], best: Point) -> None:
    """Parallel coordinates: an axis for each setting and the number, a line for each trial."""
    sign = 1 if best.result.mode == "max" else -1
    drawn = sorted(points, key=lambda point: sign * point.value)[-MAX_LINES:]
    columns = [[parameter(point.result, name) for point in drawn] for name in names]
    columns.append([point.value for point in drawn])
    axes.set_axis_off()
    axes.set_xlim(-0.25, len(columns) - 1 + 0.35)
    axes.set_ylim(-0.04, 1.26)
    scales = [padded(axis_of(column, FEW if place < len(names) else 0)) for place, column in enumerate(columns)]
    for row, point in enumerate(drawn):
        heights = [scale.place(column[row]) for scale, column in zip(scales, columns, strict=True)]
        known = [(float(x), height) for x, height in enumerate(heights) if height is not None]
        is_best = point is best
        color = matplotlib.colormaps["viridis"](PALEST * row / max(1, len(drawn) - 1))
        axes.plot(*zip(*known, strict=True), color=VERMILION if is_best else color, linewidth=3 if is_best else 1.2,
                  alpha=1.0 if is_best else 0.75, zorder=4 if is_best else 2)  # fmt: skip
    heads = [*names, f"best {best.result.metric.replace('/', ' ')}"]
    for x, (head, scale) in enumerate(zip(heads, scales, strict=True)):
        _draw_upright(axes, x, head, scale)
    axes.text(-0.25, 1.2, "broad line: the best trial; the darker a line, the worse", fontsize=9, color="#555555")


def _draw_upright(axes: Axes, x: float, head: str, scale: Axis) -> None:
    axes.plot((x, x), (0, 1), color=BLACK, linewidth=1, zorder=3)
    node, _, name = head.rpartition(" " if " " in head else ".")
    for y, words in ((1.11, node), (1.04, name)):
        axes.text(x, y, _cut(words, MAX_NAME), ha="center", fontsize=9)
    box = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.8}
    for place, words in scale.marks():
        axes.text(x + 0.02, place, _cut(words, MAX_NAME), va="center", fontsize=8.5, bbox=box, zorder=5)


def _is_positive(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0
