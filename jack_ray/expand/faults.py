"""Sweeps that cannot be searched, told before anything starts."""

from optuna.distributions import CategoricalDistribution

from jack_ray.contract.errors import Fault
from jack_ray.contract.schema import SweepConfig
from jack_ray.expand.space import Axis

EVERY_VALUE = ("none", "grid")
"""Strategies that try all combinations."""

_SHAPES_A_TRAINING = frozenset({"optimizer", "steps", "weights"})
"""Settings of `train` that a copy cannot change: the state of another optimiser, or another length."""


def sweep_faults(config: SweepConfig, more: int) -> list[Fault]:
    """What is wrong with a sweep as a whole; what is wrong with its values is told by `read_space`."""
    return [*_strategy_faults(config), *_population_faults(config), *_more_faults(config, more)]


def _strategy_faults(config: SweepConfig) -> list[Fault]:
    where = "sweep.strategy"
    if config.strategy == "none" and config.over:
        swept = ", ".join(config.over)
        return [Fault(where, f"none, but sweep.over names {swept}", "a strategy", "Type sweep.strategy=grid.")]
    if config.strategy != "none" and not config.over:
        remedy = "Type train.lr=1e-5,1e-4 or sweep=lr; or sweep=none for a single trial."
        return [Fault("sweep.over", "nothing to sweep over", f"settings for sweep.strategy={config.strategy}", remedy)]
    if config.strategy == "none" and config.stopper not in ("none", "patient"):
        found = f"{config.stopper}, which compares trials, and there is one"
        return [Fault("sweep.stopper", found, "none or patient for a single trial", "Type sweep.stopper=patient.")]
    return []


def _population_faults(config: SweepConfig) -> list[Fault]:
    if config.strategy != "pbt":
        return []
    expected = "a setting of train that can change while a model trains, as train.lr or train.weight_decay"
    wrong = [key for key in config.over if not key.startswith("train.") or key.partition(".")[2] in _SHAPES_A_TRAINING]
    found = "sweep.strategy=pbt copies weights between trainings, and these would not fit"
    return [Fault(f"sweep.over.{key}", found, expected, "Type sweep.strategy=tpe for this one.") for key in wrong]


def _more_faults(config: SweepConfig, more: int) -> list[Fault]:
    if not more or config.strategy not in (*EVERY_VALUE, "pbt"):
        return []
    expected = "a sweep that draws its points: sweep=random, qmc, tpe, gp, cmaes"
    if config.strategy == "pbt":
        remedy = "Type a larger sweep.population: a new sweep."
        return [Fault("more", f"{more} with sweep.strategy=pbt, whose members train together", expected, remedy)]
    found = f"{more} with sweep.strategy={config.strategy}, which has tried every value then"
    remedy = "Type more values, as train.lr=1e-5,1e-4,1e-3: trials that are finished are not trained again."
    return [Fault("more", found, expected, remedy)]


def axis_faults(config: SweepConfig, axes: tuple[Axis, ...]) -> list[Fault]:
    """Whether the strategy can do anything with such settings."""
    is_number = (not isinstance(axis.distribution, CategoricalDistribution) for axis in axes)
    if config.strategy != "cmaes" or any(is_number):
        return []
    found = "only choices, and sweep.strategy=cmaes moves numbers"
    return [Fault("sweep.over", found, "a setting with interval(..) or range(..)", "Type sweep.strategy=tpe.")]
