"""What a sampler learns from: the points asked for so far, and how they did."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from optuna.trial import FrozenTrial, TrialState

Outcome = Literal["running", "finished", "stopped", "failed"]


@dataclass(frozen=True)
class Seen:
    """One point that was asked for."""

    number: int
    params: dict[str, Any]
    outcome: Outcome
    """failed: without a finite number."""
    value: float | None
    """More is better, whichever way the metric goes. Of a stopped trial the last that was reported."""
    notes: dict[str, Any]
    """What the sampler wrote down when it drew the point."""


def history(trials: Sequence[FrozenTrial], *, maximize: bool) -> list[Seen]:
    """The trials of a study, in the order in which they were asked for."""
    return [_seen(trial, 1.0 if maximize else -1.0) for trial in trials]


def _seen(trial: FrozenTrial, sign: float) -> Seen:
    outcome: Outcome = "running"
    value = None
    if trial.state == TrialState.COMPLETE and trial.value is not None:
        outcome, value = "finished", sign * trial.value
    elif trial.state == TrialState.PRUNED:
        outcome, value = "stopped", _last_of(trial, sign)
    elif trial.state == TrialState.FAIL:
        outcome = "failed"
    return Seen(trial.number, trial.params, outcome, value, trial.user_attrs)


def _last_of(trial: FrozenTrial, sign: float) -> float | None:
    finite = {step: value for step, value in trial.intermediate_values.items() if math.isfinite(value)}
    return sign * finite[max(finite)] if finite else None
