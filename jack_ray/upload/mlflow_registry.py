"""MLflow's registry: a run's facts in, a model and its version out, and back to a checkpoint."""

import json
import logging
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import mlflow
import pandas as pd
from mlflow.artifacts import download_artifacts
from mlflow.entities import LoggedModelStatus, Run
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.models import Model, ModelSignature
from mlflow.tracking import MlflowClient
from mlflow.types.schema import Array, ColSpec, DataType, Map, Object, Property, Schema

from jack_ray.contract.checkpoint import ABOUT
from jack_ray.contract.errors import ConfigError, Fault, JackRayError
from jack_ray.upload.mlflow_runs import find_trial_run, open_client
from jack_ray.upload.mlflow_store import errors_told
from jack_ray.upload.store import RefusedError, UnreachableError
from jack_ray.upload.uri import without_password

SCHEME = "models:/"
CHECKPOINT = "checkpoint"
"""The model's artifact with weights and about.json."""
_URI = re.compile(r"models:/([^/@]+)(?:@([\w-]+)|/(\d+))")
_TRIAL, _SHA256 = "jack_ray.trial", "jack_ray.sha256"


@dataclass(frozen=True)
class RunFacts:
    """What MLflow knows of a trial's run."""

    run_id: str
    experiment_id: str
    tags: Mapping[str, str]
    numbers: Mapping[str, float]
    """The last value of each metric, as MLflow spells it."""

    @property
    def status(self) -> str:
        """finished, stopped, failed, killed or running."""
        return self.tags.get("jack_ray.status", "running")


@dataclass(frozen=True)
class Contents:
    """What a registered model is made of."""

    code: Path
    """A copy of the package."""
    loader: Path
    """The file that MLflow runs to make the model."""
    checkpoint: Path
    requirements: Sequence[str]
    input_example: str
    files: Mapping[str, Path]
    """Name -> a file for people."""


@dataclass(frozen=True)
class Labels:
    """What a version says of itself in MLflow."""

    tags: Mapping[str, str]
    description: str


def signature() -> ModelSignature:
    """A path in; label, probabilities, segments and error out, each of which may be missing."""
    segment = Object(
        [Property(name, DataType.double) for name in ("start_s", "end_s", "score")]
        + [Property("label", DataType.string)]
    )
    outputs = Schema(
        [
            ColSpec(DataType.string, "input"),
            ColSpec(DataType.string, "label", required=False),
            ColSpec(Map(DataType.double), "probabilities", required=False),
            ColSpec(Array(segment), "segments", required=False),
            ColSpec(DataType.string, "error", required=False),
        ]
    )
    return ModelSignature(Schema([ColSpec(DataType.string, "input")]), outputs)


class Registry:
    """The registry of an MLflow server or database. Every method raises JackRayError."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
        for part in ("mlflow", "alembic"):
            logging.getLogger(part).setLevel(logging.WARNING)
        with self._told():
            mlflow.set_tracking_uri(uri)  # MLflow's store of a database looks models up there, whatever its client says
            mlflow.set_registry_uri(uri)
            self._client: MlflowClient = open_client(uri)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            with errors_told():
                yield
        except (RefusedError, UnreachableError) as error:
            raise JackRayError(f"MLflow at {without_password(self.uri)}: {error}") from error

    def run_of(self, trial_id: str, run_id: str) -> RunFacts:
        """The run of a trial: `run_id`, or where that is empty its latest. Raises JackRayError if there is none."""
        shown = without_password(self.uri)
        with self._told():
            if run_id:
                return _facts(find_trial_run(self._client, run_id, shown))
            experiments = [one.experiment_id for one in self._client.search_experiments()]
            condition = f"tags.`{_TRIAL}` = '{trial_id}'"
            runs = self._client.search_runs(experiments, condition, order_by=["attributes.start_time DESC"])
            if not runs:
                raise JackRayError(
                    f"MLflow at {shown} has no run of {trial_id}. Type python -m jack_ray.upload SWEEP_FOLDER to "
                    "deliver it, or tracking.uri=URI for another MLflow."
                )
            return _facts(runs[0])

    def artifact(self, run_id: str, name: str, folder: Path) -> Path | None:
        """A file among a run's artifacts, downloaded into `folder`; None where there is none."""
        try:
            return Path(self._client.download_artifacts(run_id, name, str(folder)))
        except (MlflowException, OSError):
            return None

    def version_with(self, name: str, sha256: str, trial_id: str) -> str | None:
        """The version of a model that was made of these weights."""
        with self._told():
            found = self._client.search_model_versions(f"name = '{name}'")
        wanted = {_TRIAL: trial_id, _SHA256: sha256}
        same = [one.version for one in found if wanted.items() <= one.tags.items() and one.status == "READY"]
        return str(max(same, key=int)) if same else None

    def logged_with(self, run: RunFacts, tags: Mapping[str, str]) -> str | None:
        """A whole model of a run with these tags, which a promotion that was interrupted has left."""
        with self._told():
            found = self._client.search_logged_models([run.experiment_id], f"source_run_id = '{run.run_id}'")
        whole = [one for one in found if one.status == LoggedModelStatus.READY and tags.items() <= one.tags.items()]
        return str(whole[0].model_id) if whole else None

    def log(self, run: RunFacts, name: str, contents: Contents, tags: Mapping[str, str]) -> str:
        """Add a model to a run; its id. One that is not whole counts as failed, and nothing refers to it."""
        with self._told():
            made = self._client.create_logged_model(
                run.experiment_id, name, run.run_id, dict(tags), model_type="jack_ray"
            )
            model_id = str(made.model_id)
            try:
                with tempfile.TemporaryDirectory(prefix="jack_ray-") as folder:
                    path = Path(folder) / "model"
                    _save(path, contents, Model(run_id=run.run_id, model_id=model_id))
                    self._client.log_model_artifacts(model_id, str(path))
            except BaseException:
                with suppress(MlflowException, OSError):
                    self._client.finalize_logged_model(model_id, LoggedModelStatus.FAILED)
                raise
            self._client.finalize_logged_model(model_id, LoggedModelStatus.READY)
        return model_id

    def register(self, name: str, model_id: str, run_id: str, labels: Labels) -> str:
        """A new version of a registered model, whole with its tags and description; its number."""
        with self._told():
            with suppress(MlflowException):  # it is there already; if it cannot be made, the version cannot either
                self._client.create_registered_model(name)
            source = f"{SCHEME}{model_id}"
            made = self._client.create_model_version(
                name, source, run_id, dict(labels.tags), description=labels.description, model_id=model_id
            )
            version = str(made.version)
            # A server does so itself; with a database, MLflow's page otherwise says that the model is not registered.
            known = json.dumps([{"name": name, "version": version}])
            self._client.set_logged_model_tags(model_id, {"mlflow.modelVersions": known})
        return version

    def set_alias(self, name: str, alias: str, version: str) -> str | None:
        """Let an alias mean a version from now on; the version that it meant before."""
        with self._told():
            before = self._client.get_registered_model(name).aliases.get(alias)
            self._client.set_registered_model_alias(name, alias, version)
        return str(before) if before is not None else None

    def checkpoint(self, model: str, cache: Path) -> Path:
        """The checkpoint of `models:/NAME@ALIAS` or `models:/NAME/VERSION`, downloaded once into `cache`."""
        version = self._version(model)
        kept = cache / f"{version.name}-{version.version}-{version.tags.get(_SHA256, '')[:10]}"
        if (kept / ABOUT).is_file():
            return kept
        cache.mkdir(parents=True, exist_ok=True)
        with self._told(), tempfile.TemporaryDirectory(prefix=".model-", dir=cache) as folder:
            place = self._client.get_model_version_download_uri(version.name, version.version).rstrip("/")
            wanted = f"{place}/artifacts/{CHECKPOINT}"
            found = Path(download_artifacts(artifact_uri=wanted, dst_path=folder, tracking_uri=self.uri))
            if not (found / ABOUT).is_file():
                raise JackRayError(f"{model} was not made by python -m jack_ray.promote: it has no {ABOUT}.")
            shutil.rmtree(kept, ignore_errors=True)
            found.rename(kept)
        return kept

    def version_of(self, model: str) -> str:
        """The version that `models:/NAME@ALIAS` or `models:/NAME/VERSION` means now."""
        return str(self._version(model).version)

    def _version(self, model: str) -> ModelVersion:
        found = _URI.fullmatch(model)
        if found is None:
            raise ConfigError([Fault(f"run={model}", "no such form", "models:/NAME@ALIAS or models:/NAME/VERSION")])
        name, alias, version = found.groups()
        with self._told():
            if alias:
                return self._client.get_model_version_by_alias(name, alias)
            return self._client.get_model_version(name, version)


def _facts(run: Run) -> RunFacts:
    return RunFacts(run.info.run_id, run.info.experiment_id, dict(run.data.tags), dict(run.data.metrics))


def _save(path: Path, contents: Contents, model: Model) -> None:
    """Write the model's folder. The example is not tried out: it names no file of this machine."""
    mlflow.pyfunc.save_model(
        str(path),
        mlflow_model=model,
        python_model=str(contents.loader),
        artifacts={CHECKPOINT: str(contents.checkpoint)},
        code_paths=[str(contents.code)],
        pip_requirements=list(contents.requirements),
        signature=signature(),
        input_example=pd.DataFrame({"input": [contents.input_example]}),
    )
    for name, file in contents.files.items():
        shutil.copy2(file, path / name)
