"""The only file that imports MLflow."""

import fcntl
import json
import logging
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlparse

from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, Run, RunTag, ViewType
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from jack_ray.upload.store import DatasetInfo, MetricPoint, RefusedError, RunInfo, UnreachableError
from jack_ray.upload.uri import sqlite_path

_MISSING = "RESOURCE_DOES_NOT_EXIST"
_EXISTS = "RESOURCE_ALREADY_EXISTS"
_REFUSALS = frozenset({"INVALID_PARAMETER_VALUE", "BAD_REQUEST", _EXISTS, "INVALID_STATE", _MISSING})
_LOCKED = (401, 403)
"""What a server answers who has no password, or a wrong one: it comes without one of MLflow's own codes."""
_ASKS_FOR_A_PASSWORD = (
    "it asks for a password; set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or write both into "
    "~/.mlflow/credentials"
)
_BATCH = 100
"""MLflow's limit for params and tags of one call."""
_PARAM_LENGTH = 6000
_TAG_LENGTH = 5000
_DIGEST_LENGTH = 36


_EXPERIMENT_TAGS = {"mlflow.experimentKind": "custom_model_development"}
"""MLflow then opens its pages for training, not those for language models; 3.17 goes by the address (`runs_page`)."""


class MlflowStore:
    """An MLflow server or database; creates the experiment on first use."""

    def __init__(self, uri: str, experiment: str) -> None:
        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.WARNING)
        self.uri = uri
        with errors_told(), _alone(uri):
            self._client = MlflowClient(tracking_uri=uri)
            self.experiment_id = self._get_experiment(experiment)

    def _get_experiment(self, name: str) -> str:
        found = self._client.get_experiment_by_name(name)
        if found is None:
            place = _artifact_location(self.uri, name)
            try:
                return str(self._client.create_experiment(name, artifact_location=place, tags=_EXPERIMENT_TAGS))
            except MlflowException as error:
                found = self._client.get_experiment_by_name(name)
                if error.error_code != _EXISTS or found is None:  # else somebody else made it in between
                    raise
        if found.lifecycle_stage == "deleted":
            self._client.restore_experiment(found.experiment_id)
        return str(found.experiment_id)

    def info(self, run_id: str) -> RunInfo | None:
        """None if there is no such run, or somebody deleted it."""
        try:
            with errors_told():
                run = self._client.get_run(run_id)
        except RefusedError:
            return None
        if run.info.lifecycle_stage == "deleted":
            return None
        is_bare = not run.data.metrics and not run.data.params
        return RunInfo(run.info.status == "RUNNING", is_bare, dict(run.data.params))

    def find(self, tags: Mapping[str, str]) -> list[str]:
        """Ids of the runs with all these tags."""
        return self._search([f"tags.`{name}` = '{value}'" for name, value in tags.items()])

    def running(self, sweep_id: str) -> list[str]:
        """Ids of the sweep's runs that count as running."""
        return self._search([f"tags.`jack_ray.sweep` = '{sweep_id}'", "attributes.status = 'RUNNING'"])

    def _search(self, conditions: Sequence[str]) -> list[str]:
        found: list[Run] = []
        token: str | None = None
        with errors_told():
            while True:
                page = self._client.search_runs(
                    [self.experiment_id], " and ".join(conditions), ViewType.ACTIVE_ONLY, page_token=token
                )
                found.extend(page)
                token = page.token
                if not token:
                    return [run.info.run_id for run in found]

    def create(self, name: str, tags: Mapping[str, str], time_s: float) -> str:
        """A new run; its id."""
        with errors_told():
            run = self._client.create_run(self.experiment_id, _milliseconds(time_s), _cut_tags(tags), run_name=name)
        return str(run.info.run_id)

    def reopen(self, run_id: str) -> None:
        """Let an ended run count as running again."""
        with errors_told():
            self._client.update_run(run_id, status="RUNNING")

    def logged(self, run_id: str) -> dict[str, set[int]]:
        """The steps that each metric has."""
        with errors_told():
            names = self._client.get_run(run_id).data.metrics
            return {name: {metric.step for metric in self._client.get_metric_history(run_id, name)} for name in names}

    def log_metrics(self, run_id: str, points: Sequence[MetricPoint]) -> None:
        """Add at most 1000 points."""
        metrics = [Metric(point.name, point.value, _milliseconds(point.time_s), point.step) for point in points]
        with errors_told():
            self._client.log_batch(run_id, metrics=metrics)

    def log_params(self, run_id: str, params: Mapping[str, str]) -> None:
        """Add params that the run does not have yet."""
        entries = [Param(name, value[:_PARAM_LENGTH]) for name, value in params.items()]
        with errors_told():
            for start in range(0, len(entries), _BATCH):
                self._client.log_batch(run_id, params=entries[start : start + _BATCH])

    def set_tags(self, run_id: str, tags: Mapping[str, str]) -> None:
        """Set tags, over those that are there."""
        entries = [RunTag(name, value) for name, value in _cut_tags(tags).items()]
        with errors_told():
            for start in range(0, len(entries), _BATCH):
                self._client.log_batch(run_id, tags=entries[start : start + _BATCH])

    def log_dataset(self, run_id: str, dataset: DatasetInfo) -> None:
        """Say what the run was trained on."""
        source = json.dumps({"uri": dataset.source})
        entity = Dataset(dataset.name, dataset.digest[:_DIGEST_LENGTH], "local", source)
        with errors_told():
            tag = InputTag("mlflow.data.context", "train")
            self._client.log_inputs(run_id, datasets=[DatasetInput(entity, tags=[tag])])

    def log_file(self, run_id: str, path: Path, folder: str) -> None:
        """Add an artifact in a folder of the run's artifacts ('' is the top)."""
        with self._artifact_errors_told():
            self._client.log_artifact(run_id, str(path), folder or None)

    def log_folder(self, run_id: str, path: Path, folder: str) -> None:
        """Add a folder whose files nobody changes any more: on the same disk they are linked, not copied."""
        with self._artifact_errors_told():
            place = urlparse(self._client.get_run(run_id).info.artifact_uri)
            if place.scheme == "file":
                _link_folder(path, Path(unquote(place.path)) / folder)
            else:
                self._client.log_artifacts(run_id, str(path), folder)

    @contextmanager
    def _artifact_errors_told(self) -> Iterator[None]:
        try:
            with errors_told():
                yield
        except UnreachableError as error:
            # An experiment that a server made keeps its artifacts behind the server: a database alone never gets there.
            if sqlite_path(self.uri) is not None and isinstance(error.__cause__, MlflowException):
                raise RefusedError(str(error)) from error
            raise

    def end(self, run_id: str, status: str, time_s: float) -> None:
        """FINISHED, FAILED or KILLED."""
        with errors_told():
            self._client.set_terminated(run_id, status, _milliseconds(time_s))


@contextmanager
def errors_told() -> Iterator[None]:
    """MLflow's many errors as two. Raises RefusedError or UnreachableError."""
    try:
        yield
    except MlflowException as error:
        if error.error_code in _REFUSALS:
            raise RefusedError(_first_line(error)) from error
        if any(f"error code {code} " in str(error) for code in _LOCKED):
            raise RefusedError(_ASKS_FOR_A_PASSWORD) from error
        raise UnreachableError(_cause(_first_line(error))) from error
    except (ImportError, ArgumentError) as error:  # postgresql and others need their own packages
        raise RefusedError(f"{error}; install what this database needs beside mlflow") from error
    except SQLAlchemyError as error:  # the database while it is opened; later MLflow wraps it
        raise UnreachableError(str(error).splitlines()[0]) from error
    except OSError as error:  # what a file system or a network says; the exceptions of requests belong to it
        raise UnreachableError(f"{type(error).__name__}: {error}") from error


def _first_line(error: MlflowException) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def _cause(text: str) -> str:
    """The end of a chain of network errors, which says what happened; the whole text of any other error."""
    return text.rpartition("): ")[2].rstrip("\")'") if "(Caused by " in text else text


@contextmanager
def _alone(uri: str) -> Iterator[None]:
    """One process at a time makes the tables of a new database: two at once leave it broken."""
    path = sqlite_path(uri)
    if path is None:
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _artifact_location(uri: str, experiment: str) -> str | None:
    """Beside an sqlite file, whatever folder this process was started in; a server decides for itself."""
    path = sqlite_path(uri)
    return None if path is None else (path.parent / "mlartifacts" / experiment).as_uri()


def _link_folder(source: Path, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for file in sorted(source.iterdir()):
        try:
            os.link(file, target / file.name)
        except OSError:  # another disk, or a file system without links
            shutil.copy2(file, target / file.name)


def _cut_tags(tags: Mapping[str, str]) -> dict[str, str]:
    return {name: value[:_TAG_LENGTH] for name, value in tags.items()}


def _milliseconds(time_s: float) -> int:
    return round(time_s * 1000)
