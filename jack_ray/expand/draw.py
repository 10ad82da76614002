"""The next point of a search that draws: a function of the sweep's settings, the point's number and the history.

No sampler keeps anything between two points. So a killed driver draws the same next point as one that went on.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import optuna
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial

from jack_ray.contract.files import digest
from jack_ray.contract.schema import SweepConfig
from jack_ray.expand.history import history
from jack_ray.expand.space import Axis
from jack_ray.expand.unit import params_at


@dataclass(frozen=True)
class Drawn:
    """A point, as Optuna stores it."""

    params: dict[str, Any]
    notes: dict[str, Any] = field(default_factory=dict)
    """What the sampler needs to know of it later; written to the journal with the point."""


def draw(
    config: SweepConfig, axes: Sequence[Axis], trials: Sequence[FrozenTrial], *, maximize: bool, attempt: int
) -> Drawn:
    """Point number len(trials). attempt: counts how often it was drawn before and had been asked for already."""
    number = len(trials)
    seed = int(digest([config.seed, number, attempt], 8), 16)
    if config.strategy == "random":
        return _by_optuna(RandomSampler(seed=seed), axes, trials, maximize)
    if config.strategy == "tpe":
        return _by_optuna(_tpe(seed), axes, trials, maximize)
    if config.strategy == "gp":
        return _by_gaussian_process(config, axes, trials, maximize, attempt)
    if config.strategy == "cmaes":
        return _by_evolution(config, axes, trials, maximize, attempt)
    return _evenly(config, axes, number, attempt)


def _by_optuna(sampler: BaseSampler, axes: Sequence[Axis], trials: Sequence[FrozenTrial], maximize: bool) -> Drawn:
    """Let Optuna choose, in a copy of the study that is thrown away."""
    scratch = optuna.create_study(direction="maximize" if maximize else "minimize", sampler=sampler)
    scratch.add_trials(trials)
    return Drawn(scratch.ask({axis.key: axis.distribution for axis in axes}).params)


def _tpe(seed: int) -> BaseSampler:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        # Trials run at the same time: constant_liar keeps them from drawing the same neighbourhood.
        return TPESampler(seed=seed, constant_liar=True)


def _evenly(config: SweepConfig, axes: Sequence[Axis], number: int, attempt: int) -> Drawn:
    """Point `number` of a scrambled Sobol sequence; another scrambling for each attempt."""
    from scipy.stats.qmc import Sobol  # takes a second to import

    sequence = Sobol(len(axes), scramble=True, rng=int(digest([config.seed, "sobol", attempt], 8), 16))
    if number:
        sequence.fast_forward(number)
    return Drawn(params_at(axes, sequence.random(1)[0]))


def _by_gaussian_process(
    config: SweepConfig, axes: Sequence[Axis], trials: Sequence[FrozenTrial], maximize: bool, attempt: int
) -> Drawn:
    from jack_ray.expand import gaussian  # scikit-learn takes seconds to import

    seen = history(trials, maximize=maximize)
    # A point that was asked for already: the model would give it again, so a spread one takes its place.
    if attempt or not gaussian.is_ready(axes, seen):
        return _evenly(config, axes, len(trials), attempt)
    return Drawn(gaussian.draw(axes, seen, int(digest([config.seed, len(trials)], 8), 16)))


def _by_evolution(
    config: SweepConfig, axes: Sequence[Axis], trials: Sequence[FrozenTrial], maximize: bool, attempt: int
) -> Drawn:
    from jack_ray.expand import evolution

    moving = evolution.numbers_of(axes)
    seed = int(digest([config.seed, len(trials), attempt], 8), 16)
    params, notes = evolution.draw(moving, history(trials, maximize=maximize), seed)
    others = [axis for axis in axes if axis not in moving]
    if others:
        params |= _by_optuna(RandomSampler(seed=seed), others, (), maximize).params
    return Drawn({axis.key: params[axis.key] for axis in axes}, notes)
