"""Sweep settings for tests that do not read `conf/`."""

from dataclasses import fields, replace
from typing import Any

from jack_ray.contract.schema import SweepConfig


def sweep_config(**changes: Any) -> SweepConfig:
    """A single trial of 100 steps, with what a test changes in it."""
    values: dict[str, Any] = dict.fromkeys(field.name for field in fields(SweepConfig))
    values |= {"strategy": "none", "over": {}, "num_trials": 6, "seed": 0, "repeats": False, "priority": 0}
    values |= {"stopper": "none", "min_steps": 1, "max_steps": 100, "reduction_factor": 2, "warmup_trials": 1}
    values |= {"population": 4, "interval": 10, "quantile": 0.25, "resample": 0.25}
    return replace(SweepConfig(**values), **changes)
