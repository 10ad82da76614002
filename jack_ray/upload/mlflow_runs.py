"""An MLflow run -> the checkpoint of its trial: from this machine's disk, else from the run's artifacts."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mlflow.entities import Run
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from jack_ray.contract.errors import JackRayError
from jack_ray.upload.uri import check_uri, sqlite_path, without_password


def fetch(run_id: str, uri: str, cache: Path) -> Path:
    """The trial's folder where it lies on this machine, else its downloaded checkpoint, kept in `cache`.

    The run of a sweep stands for its best trial. Raises JackRayError when there is no such run, or it has none.
    """
    client = open_client(uri)
    run = find_trial_run(client, run_id, without_password(uri))
    folder = Path(run.data.tags.get("jack_ray.folder", ""))
    if folder.is_absolute() and any(folder.glob("checkpoints/step-*/about.json")):
        return folder
    return _download(client, run.info.run_id, cache)


@dataclass(frozen=True)
class Told:
    """What MLflow knows of a trial beside its checkpoints."""

    run_id: str
    tags: Mapping[str, str]
    trial: Path | None
    """The trial file, where it was found: among the run's artifacts."""
    config: Path | None
    """The composed config, likewise."""
    numbers: Mapping[str, Mapping[int, float]]
    """Metric, as MLflow spells it -> step -> value."""


def run_tags(run_id: str, uri: str) -> Mapping[str, str]:
    """The tags of a run. Raises JackRayError when there is no such run."""
    tags: Mapping[str, str] = _run(open_client(uri), run_id, without_password(uri)).data.tags
    return tags


def told(run_id: str, uri: str, cache: Path) -> Told:
    """All that is needed to train a run's trial again; its files are kept in `cache`.

    The run of a sweep stands for its best trial. Raises JackRayError when there is no such run.
    """
    client = open_client(uri)
    run = find_trial_run(client, run_id, without_password(uri))
    found = run.info.run_id
    numbers = {
        name: {one.step: one.value for one in client.get_metric_history(found, name)} for name in run.data.metrics
    }
    cache.mkdir(parents=True, exist_ok=True)
    trial, config = (_artifact(client, found, name, cache) for name in ("trial.json", "config.yaml"))
    return Told(found, run.data.tags, trial, config, numbers)


def _artifact(client: MlflowClient, run_id: str, name: str, cache: Path) -> Path | None:
    try:
        return Path(client.download_artifacts(run_id, name, str(cache)))
    except (MlflowException, OSError):
        return None


def open_client(uri: str) -> MlflowClient:
    """A client. Raises ConfigError for another kind of URI, JackRayError when the database is not there."""
    check_uri(uri)
    os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")  # by itself it tries for minutes
    database = sqlite_path(uri)
    if database is not None and not database.is_file():
        shown = without_password(uri)
        raise JackRayError(
            f"There is no MLflow store at {shown}. Type tracking.uri=sqlite:///FILE or http://HOST:PORT."
        )
    return MlflowClient(tracking_uri=uri)


def find_trial_run(client: MlflowClient, run_id: str, shown: str) -> Run:
    """The run of a trial; for that of a sweep its best trial's."""
    run = _run(client, run_id, shown)
    if run.data.tags.get("jack_ray.kind") != "sweep":
        return run
    best = run.data.tags.get("jack_ray.best_run")
    if best is None:
        raise JackRayError(f"MLflow run {run_id} is a sweep of which no trial has ended well.")
    return _run(client, best, shown)


def _run(client: MlflowClient, run_id: str, shown: str) -> Run:
    try:
        return client.get_run(run_id)
    except MlflowException as error:
        raise JackRayError(f"MLflow at {shown} has no run {run_id}: {str(error).splitlines()[0]}") from error


def _download(client: MlflowClient, run_id: str, cache: Path) -> Path:
    kept = cache / run_id
    if (kept / "about.json").is_file():
        return kept
    partial = cache / f".{run_id}"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for name in ("best", "last"):
        try:
            found = Path(client.download_artifacts(run_id, f"checkpoints/{name}", str(partial)))
        except (MlflowException, OSError):
            continue
        if (found / "about.json").is_file():
            found.rename(kept)
            shutil.rmtree(partial, ignore_errors=True)
            return kept
    shutil.rmtree(partial, ignore_errors=True)
    raise JackRayError(
        f"MLflow run {run_id} has no checkpoint among its artifacts, and its folder is not on this machine."
    )
