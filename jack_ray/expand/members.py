"""A population as trials of a study: which member trains which leg, read from what the journal says of each."""

import math
import random
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from jack_ray.contract.files import digest
from jack_ray.contract.schema import SweepConfig
from jack_ray.expand.population import Leg, Result, Rules, first, follow
from jack_ray.expand.space import Axis
from jack_ray.expand.unit import value_at

LEG = "jack_ray.leg"
ORDER = "jack_ray.order"
"""How many legs had ended when this one did: decisions follow the order in which results came, not the clock."""


def rules_of(config: SweepConfig) -> Rules:
    """The settings of the population."""
    return Rules(config.population, config.interval, config.max_steps, config.quantile, config.resample, config.seed)


def leg_of(trial: FrozenTrial) -> Leg:
    """What a trial of the study is a part of."""
    return Leg(**trial.user_attrs[LEG])


def next_leg(
    config: SweepConfig, axes: Sequence[Axis], trials: Sequence[FrozenTrial], *, maximize: bool
) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """The settings of the next trial and what is to be noted of it; None while all members train or have ended.

    Members that have trained less go first.
    """
    rules = rules_of(config)
    legs = [leg_of(trial) for trial in trials]
    begun = len({leg.member for leg in legs})
    if begun < rules.size:
        return _drawn(config, axes, trials, begun), {LEG: asdict(first(rules, begun))}
    results = _results(trials, maximize)
    last = {leg.member: leg for leg in legs}
    found = []
    for count, result in enumerate(results, start=1):
        if last[result.leg.member] == result.leg:
            after = follow(rules, axes, results[:count])
            found += [after] if after is not None else []
    if not found:
        return None
    # A member that goes back to a copy again and again must not keep the copied one from training.
    leg, params = min(found, key=lambda entry: (entry[0].start, entry[0].generation, entry[0].member))
    return params, {LEG: asdict(leg)}


def _results(trials: Sequence[FrozenTrial], maximize: bool) -> list[Result]:
    """The legs that were trained to their end, in the order in which they did; one that was stopped is none."""
    states = (TrialState.COMPLETE, TrialState.FAIL)
    ended = sorted((trial for trial in trials if trial.state in states), key=lambda t: int(t.user_attrs[ORDER]))
    return [Result(trial.number, leg_of(trial), trial.params, _score(trial, maximize)) for trial in ended]


def _score(trial: FrozenTrial, maximize: bool) -> float:
    """At the end of the leg, not the best in it: the checkpoint that others copy is the last one."""
    value = trial.intermediate_values.get(leg_of(trial).until, trial.value)
    if value is None:
        return math.nan
    return value if maximize else -value


def _drawn(config: SweepConfig, axes: Sequence[Axis], trials: Sequence[FrozenTrial], member: int) -> dict[str, Any]:
    """The first settings of a member, unlike those of the others if there are enough."""
    taken = [trial.params for trial in trials]
    draws = random.Random(digest([config.seed, member, 0], 16))
    for _ in range(16):
        params = {axis.key: value_at(axis.distribution, draws.random()) for axis in axes}
        if params not in taken:
            break
    return params


def legs_left(config: SweepConfig, trials: Sequence[FrozenTrial]) -> int:
    """How many legs are still to come, if nobody jumps ahead or back."""
    rules = rules_of(config)
    last = {leg.member: leg.until for leg in map(leg_of, trials)}
    return sum(math.ceil((rules.steps - last.get(member, 0)) / rules.interval) for member in range(rules.size))
