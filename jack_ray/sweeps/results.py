"""What came out of trials: settings, numbers, costs and files, one result a trial."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jack_ray.contract import events
from jack_ray.contract.files import read_object
from jack_ray.contract.paths import TrialFolder
from jack_ray.contract.state import load_state
from jack_ray.contract.status import TrialStatus
from jack_ray.sweeps.find import trial_runs
from jack_ray.sweeps.standing import Standing, core_hours, gpu_hours

Curves = dict[str, list[tuple[int, float]]]
"""Metric -> (step, value), in the order of the steps."""

NOT_COMPARED = ("data.root", "data_identity", "weights_digest")
"""Parameters that are shown only by their consequences: data in another place is the same data."""


@dataclass(frozen=True)
class Result:
    """One trial of a sweep."""

    sweep: str
    trial: TrialStatus
    metric: str
    mode: str
    parameters: dict[str, Any] = field(default_factory=dict)
    """Every setting of the trial: {"train.lr": 0.001, ..}."""
    swept: dict[str, Any] = field(default_factory=dict)
    """Those that the sweep set."""
    metrics: dict[str, float] = field(default_factory=dict)
    """The final numbers; the last of each while it is not finished."""
    best_step: int | None = None
    checkpoint: str = ""
    run_id: str = ""
    folder: str = ""

    @property
    def best(self) -> float | None:
        """Of the sweep's metric."""
        return self.trial.best

    def row(self) -> dict[str, Any]:
        """One flat row, as it is exported; settings and metrics under their own names."""
        trial = self.trial
        about = {"sweep": self.sweep, "trial": trial.id, "status": trial.status}
        costs = {
            "step": trial.step, "steps": trial.steps, "epoch": trial.epoch, "attempts": trial.attempt,
            "seconds": trial.seconds, "gpus": trial.gpus, "gpu_hours": gpu_hours(trial),
            "core_hours": core_hours(trial), "memory_mb": trial.memory_mb, "nodes": " ".join(trial.nodes),
        }  # fmt: skip
        files = {"checkpoint": self.checkpoint, "run_id": self.run_id, "folder": self.folder, "message": trial.message}
        return about | self.swept | {"best": trial.best, "best_step": self.best_step} | self.metrics | costs | files


def results_of(standing: Standing, trial: str | None = None) -> list[Result]:
    """The results of a sweep, best first, or of one trial of it."""
    chosen = {one.id: one for one in standing.ranked if trial in (None, one.id)}
    return [_result(standing, one) for one in chosen.values()]


def _result(standing: Standing, trial: TrialStatus) -> Result:
    folder = standing.trial_folder(trial.id)
    parameters = read_parameters(folder)
    named = dict(override.lstrip("+").partition("=")[::2] for override in trial.overrides)
    best = read_object(folder.best)
    step = best.get("step") if isinstance(best.get("step"), int) else None
    runs = dict(trial_runs(standing.runs, trial.id))
    return Result(
        sweep=standing.id,
        trial=trial,
        metric=standing.status.metric,
        mode=standing.status.mode,
        parameters=parameters or named,
        swept={name: parameters.get(name, value) for name, value in named.items()},
        metrics=final_metrics(folder),
        best_step=step,
        checkpoint=_checkpoint(folder, step),
        run_id=runs.get(standing.id, ""),
        folder=str(folder.path),
    )


def read_parameters(folder: TrialFolder) -> dict[str, Any]:
    """Every setting of a trial under the name it is typed with; lists as text. Empty before it starts."""
    values = read_object(folder.trial)
    nodes: dict[str, Any] = {node: values[node] for node in ("model", "data", "train") if node in values}
    top: dict[str, Any] = {
        name: values[name]
        for name in ("method", "ranks", "threads", "data_identity", "weights_digest")
        if name in values
    }
    return top | _flat(nodes)


def final_metrics(folder: TrialFolder) -> dict[str, float]:
    """The numbers that a trial ended with, and the last of those that it told on its way."""
    last = {name: points[-1][1] for name, points in read_curves(folder).items() if points}
    return last | load_state(folder.state).values


def read_curves(folder: TrialFolder) -> Curves:
    """Every number of a trial by step; of a step that was repeated after a restart the first value."""
    curves: dict[str, dict[int, float]] = {}
    for event in events.read_from(folder.events, 0)[0]:
        if event.kind == "metrics" and event.step is not None:
            for name, value in event.values.items():
                curves.setdefault(name, {}).setdefault(event.step, value)
    return {name: sorted(points.items()) for name, points in curves.items()}


def differing(results: Sequence[Result]) -> list[str]:
    """The parameters that are not the same in all trials, those that a sweep set first."""
    names = dict.fromkeys([name for one in results for name in one.swept])
    names |= dict.fromkeys(name for one in results for name in one.parameters)
    return [name for name in names if name not in NOT_COMPARED and len({_text(one, name) for one in results}) > 1]


def _text(result: Result, name: str) -> str:
    return json.dumps(parameter(result, name), sort_keys=True)


def parameter(result: Result, name: str) -> Any:
    """A setting of a trial; None where its method has no such setting."""
    return result.parameters.get(name, result.swept.get(name))


def compared_metrics(results: Sequence[Result]) -> list[str]:
    """The final numbers worth a column: the sweep's metric, its test number, the other splits' metrics, the loss."""
    names = list(dict.fromkeys(name for one in results for name in one.metrics))
    goals = list(dict.fromkeys(one.metric for one in results))
    tests = [f"test/{goal.partition('/')[2]}" for goal in goals]
    wanted = [*goals, *tests, "train/total"]
    return [name for name in dict.fromkeys(wanted) if name in names]


def _checkpoint(folder: TrialFolder, step: int | None) -> str:
    """The best checkpoint, else the last."""
    steps = sorted(folder.checkpoints.glob("step-[0-9]*"))
    best = folder.checkpoints / f"step-{step:08d}" if step is not None else None
    found = best if best in steps else steps[-1] if steps else None
    return str(found) if found is not None else ""


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = json.dumps(value) if isinstance(value, list) else value
    return flat
