"""Population-based training: members train side by side; at times a bad one becomes a changed copy of a good one.

Jaderberg et al., "Population Based Training of Neural Networks" (2017), with the rules of Ray Tune's
PopulationBasedTraining. Nothing here knows of trials or files; every draw is a function of the seed, the member and
its generation.

A member's training is cut into legs. At the end of each it is compared with the last known score of every other
member that still trains; nobody waits for anybody.
"""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from jack_ray.contract.files import digest
from jack_ray.expand.space import Axis

FACTORS = (1.2, 0.8)
"""By which numbers are multiplied: Ray Tune's."""


@dataclass(frozen=True)
class Rules:
    """The settings of a population."""

    size: int
    interval: int
    """Steps of a leg."""
    steps: int
    """Of the whole training."""
    quantile: float
    """The part of the members that is replaced, and that of those copied."""
    resample: float
    """Probability of drawing a setting anew instead of changing it a little."""
    seed: int


@dataclass(frozen=True)
class Leg:
    """A part of a member's training, from a checkpoint to the next comparison."""

    member: int
    generation: int
    """Counts the legs of the member."""
    origin: int | None
    """Number of the point whose last checkpoint it goes on from; None: it begins."""
    start: int
    until: int


@dataclass(frozen=True)
class Result:
    """A leg that has ended."""

    number: int
    """Of its point."""
    leg: Leg
    params: Mapping[str, Any]
    score: float
    """At its last step; more is better. NaN takes no part in comparisons."""


def first(rules: Rules, member: int) -> Leg:
    """The first leg of a member; its settings are drawn at random."""
    return Leg(member, 0, None, 0, min(rules.interval, rules.steps))


def follow(rules: Rules, axes: Sequence[Axis], results: Sequence[Result]) -> tuple[Leg, dict[str, Any]] | None:
    """What comes after the last result: the member's next leg and its settings; None when it is done.

    results: all up to that one, in the order in which they came.
    """
    mine = results[-1]
    if mine.leg.until >= rules.steps:
        return None
    latest = {result.leg.member: result for result in results}
    scores = {member: result.score for member, result in sorted(latest.items()) if result.leg.until < rules.steps}
    lower, upper = quantiles(scores, rules.quantile)
    generation = mine.leg.generation + 1
    origin, params = mine, dict(mine.params)
    if mine.leg.member in lower:
        draws = random.Random(digest([rules.seed, mine.leg.member, generation], 16))
        origin = latest[draws.choice(upper)]
        params = explore(origin.params, axes, draws, rules.resample)
    start = origin.leg.until
    until = min(start + rules.interval, rules.steps)
    return Leg(mine.leg.member, generation, origin.number, start, until), params


def quantiles(scores: Mapping[int, float], fraction: float) -> tuple[list[int], list[int]]:
    """The worst and the best members, so many as the fraction says, but never more than half; (none, none) of one."""
    ranked = sorted((member for member, score in scores.items() if not math.isnan(score)), key=lambda m: scores[m])
    if len(ranked) <= 1:
        return [], []
    count = min(math.ceil(len(ranked) * fraction), len(ranked) // 2)
    return ranked[:count], ranked[len(ranked) - count :]


def explore(params: Mapping[str, Any], axes: Sequence[Axis], draws: random.Random, resample: float) -> dict[str, Any]:
    """Changed settings: each is drawn anew with probability `resample`, else moved a little within its values.

    A number of an interval is multiplied by 1.2 or 0.8, a value of a list moves to a neighbour.
    """
    return {axis.key: _changed(params[axis.key], axis, draws, resample) for axis in axes}


def _changed(value: Any, axis: Axis, draws: random.Random, resample: float) -> Any:
    listed = _listed(axis)
    if listed:
        if draws.random() < resample:
            return draws.choice(listed)
        moved = min(range(len(listed)), key=lambda place: listed[place] != value) + draws.choice([-1, 1])
        return listed[min(max(moved, 0), len(listed) - 1)]
    distribution = axis.distribution
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    new = anew(distribution, draws) if draws.random() < resample else value * draws.choice(FACTORS)
    new = min(max(new, distribution.low), distribution.high)
    return round(new) if isinstance(distribution, IntDistribution) else new


def anew(distribution: FloatDistribution | IntDistribution, draws: random.Random) -> float:
    """A number of an interval; each decade is as likely as another where the interval is logarithmic."""
    if distribution.log:
        return math.exp(draws.uniform(math.log(distribution.low), math.log(distribution.high)))
    return draws.uniform(distribution.low, distribution.high)


def _listed(axis: Axis) -> list[Any]:
    """The values of an axis in their order, as Optuna stores them; empty for an interval."""
    distribution = axis.distribution
    if isinstance(distribution, CategoricalDistribution):
        return list(distribution.choices)
    if axis.values is None:
        return []
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    assert distribution.step is not None
    return [distribution.low + distribution.step * place for place in range(len(axis.values))]
