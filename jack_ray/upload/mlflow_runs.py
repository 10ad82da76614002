"""An MLflow run -> the checkpoint of its trial: from this machine's disk, else from the run's artifacts."""

import os
import shutil
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
    check_uri(uri)
    os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"
    database = sqlite_path(uri)
    shown = without_password(uri)
    if database is not None and not database.is_file():
        raise JackRayError(
            f"There is no MLflow store at {shown}. Type tracking.uri=sqlite:///FILE or http://HOST:PORT."
        )
    client = MlflowClient(tracking_uri=uri)
    run = _run(client, run_id, shown)
    if run.data.tags.get("jack_ray.kind") == "sweep":
        best = run.data.tags.get("jack_ray.best_run")
        if best is None:
            raise JackRayError(f"MLflow run {run_id} is a sweep of which no trial has ended well.")
        run = _run(client, best, shown)
    folder = Path(run.data.tags.get("jack_ray.folder", ""))
    if folder.is_absolute() and any(folder.glob("checkpoints/step-*/about.json")):
        return folder
    return _download(client, run.info.run_id, cache)


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
