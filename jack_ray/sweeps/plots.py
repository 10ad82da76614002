"""Plots as SVG, drawn by hand: nothing is loaded from anywhere, and every line knows its trial."""

import html
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jack_ray.sweeps.scales import FEW, Axis, axis_of, padded

MAX_POINTS = 300
"""Points of a curve that are drawn."""


@dataclass(frozen=True)
class Line:
    """What is drawn of one trial."""

    trial: int
    """Its number on the page, by which the script lights it up."""
    label: str
    colour: str


@dataclass(frozen=True)
class Column:
    """One axis of the parallel coordinates."""

    name: str
    values: Sequence[Any]
    """One a line."""
    is_goal: bool = False


@dataclass(frozen=True)
class Box:
    """Where a plot's inside lies."""

    width: int
    height: int
    left: int = 64
    right: int = 16
    top: int = 14
    bottom: int = 34

    def x(self, share: float) -> float:
        """From 0..1 to the picture."""
        return self.left + share * (self.width - self.left - self.right)

    def y(self, share: float) -> float:
        """From 0..1, upwards, to the picture."""
        return self.height - self.bottom - share * (self.height - self.top - self.bottom)


def parallel(lines: Sequence[Line], columns: Sequence[Column]) -> str:
    """Parallel coordinates: an axis for each column, a line for each trial."""
    width = max(760, min(1160, 170 * len(columns)))
    box = Box(width, 340, left=60, right=96, top=46, bottom=22)
    axes = [padded(axis_of(column.values, 0 if column.is_goal else FEW)) for column in columns]
    places = [box.x(index / max(1, len(columns) - 1)) for index in range(len(columns))]
    drawn = [
        _path(line, [(x, _height(box, axis, column.values[row]))
                     for x, axis, column in zip(places, axes, columns, strict=True)])
        for row, line in enumerate(lines)
    ]  # fmt: skip
    marks = [_upright(box, x, axis, column) for x, axis, column in zip(places, axes, columns, strict=True)]
    return _svg(box, [*reversed(drawn), *marks], "parallel")


def _height(box: Box, axis: Axis, value: Any) -> float | None:
    place = axis.place(value)
    return None if place is None else box.y(place)


def _upright(box: Box, x: float, axis: Axis, column: Column) -> str:
    kind = "axis goal" if column.is_goal else "axis"
    node, _, name = column.name.rpartition(".")
    parts = [f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{box.y(0):.1f}" y2="{box.y(1):.1f}"/>']
    parts.append(f'<text class="name" x="{x:.1f}" y="{box.top - 12}" text-anchor="middle">{html.escape(name)}</text>')
    if node:
        parts.append(
            f'<text class="node" x="{x:.1f}" y="{box.top - 28}" text-anchor="middle">{html.escape(node)}</text>'
        )
    for place, words in axis.marks():
        y = box.y(place)
        parts.append(f'<line x1="{x - 4:.1f}" x2="{x:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="mark" x="{x + 6:.1f}" y="{y + 3.5:.1f}">{html.escape(_short(words))}</text>')
    return f'<g class="{kind}">{"".join(parts)}</g>'


def curves(name: str, lines: Sequence[Line], points: Sequence[Sequence[tuple[int, float]]], is_large: bool) -> str:
    """One number over the steps, a line for each trial."""
    box = Box(1160, 340) if is_large else Box(568, 240)
    shown = [thinned(list(series)) for series in points]
    steps = padded(axis_of([step for series in shown for step, _ in series]), 0.02)
    steps = Axis("linear", steps.low, steps.high)  # a step is never shown by its logarithm
    heights = padded(axis_of([value for series in shown for _, value in series]))
    drawn, data = [], []
    for line, series in zip(lines, shown, strict=True):
        placed = [(box.x(steps.place(step) or 0.0), _height(box, heights, value)) for step, value in series]
        drawn.append(_path(line, placed))
        data.append([line.trial, [[round(x, 1), round(y, 1), step, f"{value:.5g}"] for (x, y), (step, value)
                                  in zip(placed, series, strict=True) if y is not None]])  # fmt: skip
    grid = _grid(box, steps, heights)
    figure = _svg(box, [grid, *reversed(drawn), '<circle class="dot" r="4"/>'], "curves", json.dumps(data))
    return f"<figure><figcaption>{html.escape(name)}</figcaption>{figure}</figure>"


def _grid(box: Box, steps: Axis, heights: Axis) -> str:
    parts = []
    for place, words in heights.marks():
        y = box.y(place)
        parts.append(f'<line x1="{box.x(0):.1f}" x2="{box.x(1):.1f}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{box.left - 8}" y="{y + 3.5:.1f}" text-anchor="end">{words}</text>')
    for place, words in steps.marks():
        parts.append(f'<text x="{box.x(place):.1f}" y="{box.y(0) + 16:.1f}" text-anchor="middle">{words}</text>')
    middle = box.x(0.5)
    parts.append(f'<text class="unit" x="{middle:.1f}" y="{box.height - 4}" text-anchor="middle">step</text>')
    return f'<g class="grid">{"".join(parts)}</g>'


def thinned(series: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """At most MAX_POINTS points, the first and the last among them."""
    if len(series) <= MAX_POINTS:
        return series
    share = (len(series) - 1) / (MAX_POINTS - 1)
    return [series[round(index * share)] for index in range(MAX_POINTS)]


def _path(line: Line, points: Sequence[tuple[float, float | None]]) -> str:
    known = [(x, y) for x, y in points if y is not None]
    way = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in known) if known else ""
    alone = (
        f'<circle cx="{known[0][0]:.1f}" cy="{known[0][1]:.1f}" r="3" fill="{line.colour}"/>' if len(known) == 1 else ""
    )
    title = f"<title>{html.escape(line.label)}</title>"
    return f'<g class="line" data-trial="{line.trial}"><path d="{way}" stroke="{line.colour}"/>{alone}{title}</g>'


def _svg(box: Box, parts: Sequence[str], kind: str, data: str = "") -> str:
    size = f'viewBox="0 0 {box.width} {box.height}" width="{box.width}"'
    told = f" data-series='{data}'" if data else ""
    return f'<svg class="{kind}" {size} role="img"{told}>{"".join(parts)}</svg>'


def _short(words: str) -> str:
    return words if len(words) <= 14 else f"{words[:13]}…"
