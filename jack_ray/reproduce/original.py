"""What a trial was: its settings, its numbers and what it was computed with, from its folder, else from MLflow."""

import json
import re
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jack_ray.contract import events
from jack_ray.contract.errors import ConfigError, Fault, JackRayError
from jack_ray.contract.events import Event
from jack_ray.contract.paths import TrialFolder, trial_folder
from jack_ray.contract.trial import Trial, load_trial
from jack_ray.upload.describe import metric_name

Numbers = dict[tuple[str, int], float]
"""(metric, step) -> value, in the order in which they were told; names as MLflow spells them."""

RUN_ID = re.compile(r"[0-9a-f]{32}")
_COSTS = ("hours", "gpu_hours")
"""What the writer adds to a trial's numbers (upload/protocol.py): how long it took, which is never the same."""
_VERSION = "jack_ray.version."


@dataclass(frozen=True)
class Original:
    """A trial that was trained."""

    name: str
    """As it was typed."""
    trial: Trial
    numbers: Numbers
    config: Mapping[str, Any] = field(default_factory=dict)
    """The composed config, where it is known."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Those of its MLflow run, where there is one."""
    about: Mapping[str, Any] = field(default_factory=dict)
    """host, versions: of its last attempt."""
    folder: TrialFolder | None = None
    """Where it lies on this machine."""


def find_original(run: str, runs: Path, uri: str, read_config: Any) -> Original:
    """The trial of an MLflow run, of a trial's id or of a trial's folder; a sweep's run stands for its best trial.

    runs: where trials lie. uri: the store in which a run is looked up that no folder knows. read_config: YAML text
    -> values. Raises ConfigError when nothing is called so, JackRayError when the run does not say how to train it.
    """
    for folder in (Path(run).expanduser(), trial_folder(runs, run).path):
        if (folder / "trial.json").is_file():
            return _of_folder(run, TrialFolder(folder.resolve()), _tags_of_folder(folder), read_config)
    if not RUN_ID.fullmatch(run):
        remedy = f"Trials are looked for in site.runs={runs}, runs in tracking.uri={uri}."
        expected = "an MLflow run id, a trial's id, or a trial's folder"
        raise ConfigError([Fault(f"from_run={run}", "nothing of that name", expected, remedy)])
    for folder, record in _records(runs):
        if record.get("run_id") == run and (folder / "trial.json").is_file():
            return _of_folder(run, TrialFolder(folder.resolve()), _tags(run, str(record.get("uri", uri))), read_config)
    return _of_mlflow(run, uri, read_config)


def numbers_of(told: Iterable[Event]) -> Numbers:
    """All numbers of a trial; of a step that was repeated after a restart the first value."""
    numbers: Numbers = {}
    for event in told:
        if event.kind in ("metrics", "finished"):
            for name, value in event.values.items():
                numbers.setdefault((metric_name(name), event.step or 0), value)
    return numbers


def started_of(told: Iterable[Event]) -> Mapping[str, Any]:
    """What the last attempt said of itself: host, versions."""
    return next((event.about for event in reversed(list(told)) if event.kind == "started"), {})


def _of_folder(run: str, folder: TrialFolder, tags: Mapping[str, str], read_config: Any) -> Original:
    told, _ = events.read_from(folder.events, 0)
    config = read_config(folder.config.read_text("utf-8")) if folder.config.is_file() else {}
    return Original(run, load_trial(folder.trial), numbers_of(told), config, tags, started_of(told), folder)


def _of_mlflow(run: str, uri: str, read_config: Any) -> Original:
    from jack_ray.upload.mlflow_runs import told  # takes seconds to import

    with tempfile.TemporaryDirectory() as cache:
        found = told(run, uri, Path(cache))
        folder = Path(found.tags.get("jack_ray.folder", ""))
        if folder.is_absolute() and (folder / "trial.json").is_file():
            return _of_folder(run, TrialFolder(folder), found.tags, read_config)
        if found.trial is None:
            raise JackRayError(f"MLflow run {run} has no trial.json among its artifacts: it cannot be trained again.")
        trial = load_trial(found.trial)
        config = read_config(found.config.read_text("utf-8")) if found.config is not None else {}
    numbers = {
        (name, step): value
        for name, points in found.numbers.items()
        if not name.startswith("system/") and name not in _COSTS
        for step, value in points.items()
    }
    versions = {tag.removeprefix(_VERSION): value for tag, value in found.tags.items() if tag.startswith(_VERSION)}
    versions = {name: value for name, value in versions.items() if name not in ("jack_ray", "ray", "optuna")}
    about = {"host": found.tags.get("jack_ray.host", ""), "versions": versions}
    order = dict(sorted(numbers.items(), key=lambda one: (one[0][1], one[0][0])))
    return Original(run, trial, order, config, found.tags, about)


def _tags_of_folder(folder: Path) -> Mapping[str, str]:
    for found, record in _records_of(folder):
        if found == folder and record.get("run_id"):
            return _tags(str(record["run_id"]), str(record.get("uri", "")))
    return {}


def _tags(run: str, uri: str) -> Mapping[str, str]:
    """The tags of a run; none when MLflow is away, since the folder has all that is needed to train."""
    from jack_ray.upload.mlflow_runs import run_tags

    try:
        return run_tags(run, uri)
    except JackRayError:
        return {}


def _records(runs: Path) -> Iterable[tuple[Path, Mapping[str, Any]]]:
    for path in sorted(runs.glob("trials/*/tracking.json")):
        yield from _records_of(path.parent)


def _records_of(folder: Path) -> Iterable[tuple[Path, Mapping[str, Any]]]:
    try:
        records = json.loads(TrialFolder(folder).tracking.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    yield from ((folder, record) for record in records if isinstance(record, dict))
