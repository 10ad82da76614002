"""Where a value lies on an axis, and which marks the axis gets."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from jack_ray.contract.colours import SERIES

FEW = 6
"""Different values of a setting that are choices rather than a range."""
MANY_TIMES = 30
"""Positive numbers that differ by more than this factor get a logarithmic axis."""

LEAST_FACTOR, LEAST_FACTOR_OF_TWO = 1.9, 4.9
"""Numbers that grow by one factor of at least so much are shown by their logarithm: 16, 32, 64; of two only 1, 10."""

_STOPS = ((68, 1, 84), (71, 44, 122), (59, 81, 139), (44, 113, 142), (33, 144, 141), (39, 173, 129), (92, 200, 99),
          (170, 220, 50))  # fmt: skip
"""Viridis without its palest end, which cannot be seen on white."""


@dataclass(frozen=True)
class Axis:
    """An axis from 0 to 1."""

    kind: str
    """linear, log or category."""
    low: float = 0.0
    high: float = 1.0
    names: tuple[str, ...] = ()
    """category: the values as they are shown, in order."""

    def place(self, value: Any) -> float | None:
        """0 to 1; None for a value that is not on the axis."""
        if self.kind == "category":
            text = name_of(value)
            return (self.names.index(text) + 0.5) / len(self.names) if text in self.names else None
        if not _is_number(value) or (self.kind == "log" and value <= 0):
            return None
        if self.high == self.low:
            return 0.5
        if self.kind == "log":
            return math.log(float(value) / self.low) / math.log(self.high / self.low)
        return (float(value) - self.low) / (self.high - self.low)

    def marks(self) -> list[tuple[float, str]]:
        """(place, text) of the marks."""
        if self.kind == "category":
            return [((index + 0.5) / len(self.names), name) for index, name in enumerate(self.names)]
        if self.high == self.low:
            return [(0.5, f"{self.low:.4g}")]
        values = _powers(self.low, self.high) if self.kind == "log" else _round_numbers(self.low, self.high)
        return [(place, f"{value:.4g}") for value in values if (place := self.place(value)) is not None]


def axis_of(values: Sequence[Any], few: int = 0) -> Axis:
    """The axis that fits: numbers linear or logarithmic, anything else by name.

    few: as many different numbers as this stand at equal distances, as the choices that they are.
    """
    numbers = [float(value) for value in values if _is_number(value)]
    if numbers and len(numbers) == len(values) and len(set(numbers)) <= few:
        return Axis("category", names=tuple(dict.fromkeys(name_of(value) for value in sorted(values))))
    if not numbers or len(numbers) < sum(value is not None for value in values):
        return Axis("category", names=tuple(sorted({name_of(value) for value in values})))
    low, high = min(numbers), max(numbers)
    if low > 0 and high / low > MANY_TIMES:
        return Axis("log", low, high)
    return Axis("linear", low, high)


def spread_of(values: Sequence[Any]) -> str:
    """How settings lie: `category`, `linear`, or `log` for what differs by much or grows by a factor."""
    axis = axis_of(values)
    if any(value is None for value in values):
        return "category"
    if axis.kind != "linear" or axis.low <= 0:
        return axis.kind
    known = sorted({float(value) for value in values})
    factors = [after / before for before, after in pairwise(known)]
    least = LEAST_FACTOR if len(factors) > 1 else LEAST_FACTOR_OF_TWO
    grows = bool(factors) and min(factors) > least and max(factors) < 1.1 * min(factors)
    return "log" if grows else "linear"


def padded(axis: Axis, share: float = 0.05) -> Axis:
    """A linear axis with some room at both ends."""
    room = (axis.high - axis.low) * share
    return Axis("linear", axis.low - room, axis.high + room) if axis.kind == "linear" else axis


def name_of(value: Any) -> str:
    """A category as it is shown."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return "-" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def colours(values: Sequence[float | None], is_more_better: bool) -> list[str]:
    """A colour a trial: of few trials all different, of many by how good they are, the best the lightest."""
    if len(values) <= len(SERIES):
        return list(SERIES[: len(values)])
    numbers = [value for value in values if value is not None]
    low, high = (min(numbers), max(numbers)) if numbers else (0.0, 1.0)
    return [_sequential(value, low, high, is_more_better) for value in values]


def _sequential(value: float | None, low: float, high: float, is_more_better: bool) -> str:
    if value is None:
        return "#9a9a9a"
    share = (value - low) / (high - low) if high > low else 1.0
    place = (share if is_more_better else 1 - share) * (len(_STOPS) - 1)
    index = min(int(place), len(_STOPS) - 2)
    rest = place - index
    mixed = [round(a + (b - a) * rest) for a, b in zip(_STOPS[index], _STOPS[index + 1], strict=True)]
    return "#" + "".join(f"{part:02x}" for part in mixed)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _round_numbers(low: float, high: float, wanted: int = 5) -> list[float]:
    raw = (high - low) / wanted
    power = 10.0 ** math.floor(math.log10(raw))
    size = next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= raw * 0.999)
    first = math.ceil(low / size - 1e-9)
    last = math.floor(high / size + 1e-9)
    return [round(index * size, 12) for index in range(first, last + 1)]


def _powers(low: float, high: float) -> list[float]:
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    found = [10.0**exponent for exponent in exponents if low * 0.999 <= 10.0**exponent <= high * 1.001]
    return found if len(found) > 1 else [low, high]
