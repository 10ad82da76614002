"""What a benchmark found: a line of a table, or of JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Figure:
    """One number beside a rival's, both measured in the same run."""

    bench: str
    metric: str
    value: float
    """`ours` beside `rival`: a ratio where the metric is one, else ours."""
    ours: float
    rival: float | None
    unit: str
    """Of `ours` and `rival`."""


def ratio(bench: str, metric: str, ours: float, rival: float, unit: str) -> Figure:
    """A figure that says how many times the rival's number ours is."""
    return Figure(bench, metric, ours / rival, ours, rival, unit)


def speedup(bench: str, metric: str, ours: float, rival: float, unit: str) -> Figure:
    """A figure that says how many times as long the rival takes."""
    return Figure(bench, metric, rival / ours, ours, rival, unit)


def as_json(figures: Sequence[Figure]) -> str:
    """One object a line."""
    return "\n".join(json.dumps(asdict(figure)) for figure in figures)


def as_table(figures: Sequence[Figure]) -> str:
    """Columns for people."""
    rows = [("bench", "metric", "value", "ours", "rival", "unit")]
    for figure in figures:
        rival = "" if figure.rival is None else f"{figure.rival:.4g}"
        rows.append((figure.bench, figure.metric, f"{figure.value:.3g}", f"{figure.ours:.4g}", rival, figure.unit))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        texts = [
            cell.ljust(width) if place < 2 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row[:5], widths, strict=False))
        ]
        lines.append("  ".join([*texts, row[5]]).rstrip())
    return "\n".join(lines)
