"""Settings as coordinates between 0 and 1, for the samplers that are ours.

Coordinates are rounded, so that two machines whose linear algebra differs in the last bits draw the same point.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from jack_ray.expand.space import Axis

_DIGITS = 6
"""Of a coordinate that are kept: finer than any metric can tell apart."""


def params_at(axes: Sequence[Axis], coordinates: Iterable[float]) -> dict[str, Any]:
    """The values at a point of the unit cube, one coordinate for each axis, as Optuna stores them."""
    return {
        axis.key: value_at(axis.distribution, round(float(coordinate), _DIGITS))
        for axis, coordinate in zip(axes, coordinates, strict=True)
    }


def coordinates_of(axes: Sequence[Axis], params: Mapping[str, Any]) -> list[float]:
    """Where values lie in the unit cube; the middle of its part for a value of a list or a whole number."""
    return [coordinate_of(axis.distribution, params[axis.key]) for axis in axes]


def features_of(axes: Sequence[Axis], params: Mapping[str, Any]) -> list[float]:
    """As `coordinates_of`, but one number for each choice of a list without order."""
    features: list[float] = []
    for axis in axes:
        if isinstance(axis.distribution, CategoricalDistribution):
            features += [float(choice == params[axis.key]) for choice in axis.distribution.choices]
        else:
            features.append(coordinate_of(axis.distribution, params[axis.key]))
    return features


def value_at(distribution: BaseDistribution, coordinate: float) -> Any:
    """The value at a coordinate of 0..1; each value of a list has an equal part."""
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[_part(coordinate, len(distribution.choices))]
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    if distribution.step is not None and not distribution.log:
        count = round((distribution.high - distribution.low) / distribution.step) + 1
        return distribution.low + distribution.step * _part(coordinate, count)
    low, high = _ends(distribution)
    value = low + (high - low) * min(max(coordinate, 0.0), 1.0)
    value = math.exp(value) if distribution.log else value
    value = min(max(value, distribution.low), distribution.high)
    return round(value) if isinstance(distribution, IntDistribution) else value


def coordinate_of(distribution: BaseDistribution, value: Any) -> float:
    """Where a value lies: what `value_at` takes to give it back."""
    if isinstance(distribution, CategoricalDistribution):
        return (distribution.choices.index(value) + 0.5) / len(distribution.choices)
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    if distribution.step is not None and not distribution.log:
        count = round((distribution.high - distribution.low) / distribution.step) + 1
        return float((round((value - distribution.low) / distribution.step) + 0.5) / count)
    low, high = _ends(distribution)
    return float(((math.log(value) if distribution.log else value) - low) / (high - low))


def _part(coordinate: float, count: int) -> int:
    return min(max(int(coordinate * count), 0), count - 1)


def _ends(distribution: FloatDistribution | IntDistribution) -> tuple[float, float]:
    low, high = float(distribution.low), float(distribution.high)
    if isinstance(distribution, IntDistribution):  # the first and last whole number get as much room as the others
        low, high = low - 0.5, high + 0.5
    return (math.log(low), math.log(high)) if distribution.log else (low, high)
