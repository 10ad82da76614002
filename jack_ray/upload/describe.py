"""What a run says of its trial beside the numbers: params, tags, data set. Pure; no MLflow."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jack_ray.contract.events import Event
from jack_ray.upload.protocol import TrialStarted
from jack_ray.upload.store import DatasetInfo

_NOT_IN_NAMES = re.compile(r"[^\w\-. :/]", re.ASCII)


def metric_name(name: str) -> str:
    """A name that MLflow takes: `val/mAP@0.10` becomes `val/mAP_0.10`."""
    return _NOT_IN_NAMES.sub("_", name)


def load_trial_values(path: Path) -> dict[str, Any]:
    """The trial's JSON; empty if it is not there (a trial that never came to start)."""
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values


@dataclass(frozen=True)
class Best:
    """What `checkpoints/best.json` says."""

    step: int
    metric: str
    value: float


def load_best(path: Path) -> Best | None:
    """The best checkpoint of a trial; None before the first evaluation."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return Best(int(values["step"]), str(values["metric"]), float(values["value"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def trial_params(trial: Mapping[str, Any], overrides: Sequence[str]) -> dict[str, str]:
    """Every setting of the trial under the name it is typed with, and what the sweep set.

    The swept settings come first; MLflow's list of columns keeps no order, but its run page does.
    """
    nodes = {node: trial[node] for node in ("model", "train", "data") if node in trial}
    settings = _flat(nodes) | {name: _text(trial[name]) for name in ("method", "ranks", "threads") if name in trial}
    typed = dict(override.lstrip("+").partition("=")[::2] for override in overrides)
    swept = {metric_name(name): settings.get(name, value) for name, value in typed.items()}
    return swept | {metric_name(name): value for name, value in settings.items()}


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = _text(value)
    return flat


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def trial_tags(started: TrialStarted, trial: Mapping[str, Any]) -> dict[str, str]:
    """What a run can be searched by."""
    tags = {
        "jack_ray.trial": started.trial_id,
        "jack_ray.attempt": str(started.attempt),
        "jack_ray.folder": started.folder,
        "jack_ray.swept": " ".join(started.overrides),
    }
    select_on = trial.get("train", {}).get("select_on")
    if select_on is not None:
        tags["jack_ray.select_on"] = select_on
    if select_on == "test":
        tags["jack_ray.selected_on_test"] = "true"
    return tags | started.tags


def trial_dataset(trial: Mapping[str, Any]) -> DatasetInfo | None:
    """The data set of the trial; its digest is the identity that also goes into the trial's id."""
    data = trial.get("data", {})
    if "name" not in data:
        return None
    return DatasetInfo(str(data["name"]), str(trial.get("data_identity", "")) or "unknown", str(data.get("root", "")))


def event_tags(events: Sequence[Event]) -> dict[str, str]:
    """What the events say of the run; later ones win."""
    tags: dict[str, str] = {}
    for event in events:
        if event.kind == "phase":
            tags["jack_ray.phase"] = str(event.about.get("name", ""))
        elif event.kind == "started":
            tags |= _start_tags(event)
    return tags


def _start_tags(event: Event) -> dict[str, str]:
    about = {name: _text(event.about[name]) for name in ("host", "ranks", "threads") if name in event.about}
    versions = {f"version.{package}": str(version) for package, version in event.about.get("versions", {}).items()}
    said = {"attempt": str(event.attempt)} | about | versions
    return {f"jack_ray.{name}": value for name, value in said.items()}
