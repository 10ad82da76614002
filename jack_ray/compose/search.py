"""What `sweep` means for a launch: the number that trials are compared by, and what cannot be searched."""

from typing import Literal

from jack_ray.contract.errors import Fault
from jack_ray.contract.schema import SweepConfig, TrainConfig


def goal_of(train: TrainConfig, sweep: SweepConfig) -> tuple[str, Literal["max", "min"]]:
    """The number by which trials are compared, `val/macro_F1`, and whether more of it is better."""
    return sweep.metric or _of_method(train), sweep.mode or train.mode


def _of_method(train: TrainConfig) -> str:
    return f"{train.select_on}/{train.metric}"


def search_faults(train: TrainConfig | None, sweep: SweepConfig | None) -> list[Fault]:
    """Searches that could not work, of nodes that are sound in themselves; None stands for one that is not."""
    if train is None or sweep is None:
        return []
    return [*_goal_faults(train, sweep), *_stopper_faults(train, sweep), *_population_faults(train, sweep)]


def _goal_faults(train: TrainConfig, sweep: SweepConfig) -> list[Fault]:
    if sweep.metric is None or sweep.metric == _of_method(train):
        return []
    split, slash, name = sweep.metric.partition("/")
    if split != train.select_on or not slash or not name:
        expected = f"{train.select_on}/NAME: trials are evaluated on train.select_on={train.select_on}"
        remedy = f"Type sweep.metric={train.select_on}/{name or split}."
        return [Fault("sweep.metric", sweep.metric, expected, remedy)]
    if sweep.mode is None:
        found = f"null, but sweep.metric={sweep.metric} is not the method's own"
        return [Fault("sweep.mode", found, "max or min", "Type sweep.mode=max, or min if less of it is better.")]
    return []


def _stopper_faults(train: TrainConfig, sweep: SweepConfig) -> list[Fault]:
    if sweep.stopper == "none":
        return []
    fewer = f"fewer than {train.steps}"
    evaluation = min(train.evaluate_every, max(1, train.steps - 1))
    if sweep.min_steps >= train.steps:
        found = f"{sweep.min_steps}, but a trial ends after train.steps={train.steps}: none would be stopped"
        return [Fault("sweep.min_steps", found, fewer, f"Type sweep.min_steps={evaluation}.")]
    if sweep.stopper == "patient" and sweep.patience is not None and sweep.patience >= train.steps:
        found = f"{sweep.patience}, but a trial ends after train.steps={train.steps}: none would be stopped"
        return [Fault("sweep.patience", found, fewer, f"Type sweep.patience={evaluation}.")]
    if sweep.stopper == "hyperband" and sweep.max_steps < sweep.min_steps:
        found = f"{sweep.max_steps}, but sweep.min_steps={sweep.min_steps}"
        return [Fault("sweep.max_steps", found, "at least as many", f"Type sweep.max_steps={train.steps}.")]
    return []


def _population_faults(train: TrainConfig, sweep: SweepConfig) -> list[Fault]:
    if sweep.strategy != "pbt":
        return []
    if sweep.stopper != "none":
        found = f"{sweep.stopper} with sweep.strategy=pbt, which replaces the worst itself"
        return [Fault("sweep.stopper", found, "none", "Type sweep.stopper=none.")]
    if sweep.max_steps != train.steps:
        remedy = "Leave sweep.max_steps out."
        return [Fault("sweep.max_steps", f"{sweep.max_steps}", f"train.steps={train.steps} with pbt", remedy)]
    if sweep.interval >= train.steps:
        found = f"{sweep.interval}, but a training ends after train.steps={train.steps}: nothing would be copied"
        remedy = f"Type sweep.interval={max(1, train.steps // 4)}."
        return [Fault("sweep.interval", found, f"fewer than {train.steps}", remedy)]
    return []
