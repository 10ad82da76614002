"""Which trials are not worth finishing, judged after each evaluation by what was reported so far."""

import math
import warnings
from collections.abc import Mapping

import optuna
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner, SuccessiveHalvingPruner
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial

from jack_ray.contract.schema import SweepConfig

_PATIENCE = 5
"""One in so many steps of a trial, where sweep.patience is null."""


class _Patient(BasePruner):
    """`is_stuck` as Optuna asks for it."""

    def __init__(self, patience: int, min_steps: int) -> None:
        self.patience = patience
        self.min_steps = min_steps

    def prune(self, study: Study, trial: FrozenTrial) -> bool:
        sign = 1.0 if study.direction == StudyDirection.MAXIMIZE else -1.0
        values = {step: sign * value for step, value in trial.intermediate_values.items()}
        return is_stuck(values, self.patience, self.min_steps)


def is_stuck(values: Mapping[int, float], patience: int, min_steps: int) -> bool:
    """Whether the best value, more being better, was reached at least `patience` steps before the last one.

    values: step -> value; NaN is no value. False before `min_steps`, and without a value.
    """
    finite = {step: value for step, value in values.items() if not math.isnan(value)}
    if not finite or max(values) < min_steps:
        return False
    best = max(finite.values())
    first = min(step for step, value in finite.items() if value == best)
    return max(values) - first >= patience


def pruner_of(config: SweepConfig) -> BasePruner:
    """The rule of `sweep.stopper`; a function of the study alone, so it may be made anew at any time."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        if config.stopper == "asha":
            return SuccessiveHalvingPruner(min_resource=config.min_steps, reduction_factor=config.reduction_factor)
        if config.stopper == "hyperband":
            return HyperbandPruner(config.min_steps, config.max_steps, config.reduction_factor)
        if config.stopper == "median":
            return MedianPruner(n_startup_trials=config.warmup_trials, n_warmup_steps=config.min_steps)
        if config.stopper == "patient":
            return _Patient(config.patience or max(1, config.max_steps // _PATIENCE), config.min_steps)
        return NopPruner()
