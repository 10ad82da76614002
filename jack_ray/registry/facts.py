"""A run and its checkpoint -> the facts of its card."""

import importlib
import json
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from jack_ray import __version__
from jack_ray.contract.checkpoint import About
from jack_ray.contract.errors import JackRayError
from jack_ray.contract.scored import SCORED
from jack_ray.contract.settings import read
from jack_ray.contract.trial import Trial
from jack_ray.registry.card import Facts
from jack_ray.registry.notes import notes_of
from jack_ray.registry.request import Request
from jack_ray.registry.statistics import Measured, measure
from jack_ray.upload.provenance import source_tags

CHECKED = ("accuracy", "average_mAP")
"""Numbers that training reported as well."""
TOLERANCE = 1e-6


class Run(Protocol):
    """What MLflow knows of a run (upload/mlflow_registry.py)."""

    @property
    def run_id(self) -> str:
        """Its id."""
        ...

    @property
    def tags(self) -> Mapping[str, str]:
        """Its tags."""
        ...

    @property
    def numbers(self) -> Mapping[str, float]:
        """The last value of each metric, as MLflow spells it."""
        ...


class Artifacts(Protocol):
    """Where a run's files come from."""

    def artifact(self, run_id: str, name: str, folder: Path) -> Path | None:
        """A file, downloaded; None where there is none."""
        ...


def gather(request: Request, run: Run, about: About, sha256: str, artifacts: Artifacts) -> Facts:
    """All that the card says. Raises JackRayError when what the run left does not belong together."""
    trial = about.trial
    split = "test" if trial.train.get("test_at_end", True) else str(trial.train.get("select_on", "val"))
    scored = _scored(run, split, artifacts)
    measured = measure(scored) if scored is not None else None
    if measured is not None:
        hold_against(measured, run.numbers, split)
    return Facts(
        name=request.name,
        trial=trial,
        labels=about.labels,
        run_id=run.run_id,
        tags=run.tags,
        numbers=run.numbers,
        split=split,
        measured=measured,
        samples=counted(trial),
        sha256=sha256,
        notes=notes_of(trial.method),
        data_note=request.data_note,
        code=code_version(),
        made=time.strftime("%Y-%m-%d"),
    )


def _scored(run: Run, split: str, artifacts: Artifacts) -> dict[str, Any] | None:
    with tempfile.TemporaryDirectory(prefix="jack_ray-") as folder:
        path = artifacts.artifact(run.run_id, f"{split}/{SCORED}", Path(folder))
        if path is None:
            return None
        try:
            values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise JackRayError(f"{SCORED} of run {run.run_id} is damaged: {error}") from error
    return values


def hold_against(measured: Measured, numbers: Mapping[str, float], split: str) -> None:
    """Raise JackRayError where scored.json does not give the numbers that training reported."""
    for name in CHECKED:
        reported, found = numbers.get(f"{split}/{name}"), measured.numbers.get(name)
        if reported is not None and found is not None and abs(reported - found.value) > TOLERANCE:
            raise JackRayError(
                f"{SCORED} gives {name} {found.value:.6f}, and the run reports {reported:.6f}: they are not of "
                "the same training. Train it again with python -m jack_ray.launch from_run=RUN."
            )


def counted(trial: Trial) -> dict[str, Any]:
    """How many samples the data set has, where it lies on this machine as it was; else nothing."""
    if not Path(str(trial.data.get("root", ""))).is_dir():
        return {}
    schema = importlib.import_module(f"jack_ray.methods.{trial.method}.config").DataConfig
    data, _ = read(schema, trial.data, "data")
    if data is None:
        return {}
    found = importlib.import_module(f"jack_ray.methods.{trial.method}.files").inspect(data)
    return dict(found.summary) if found.identity == trial.data_identity else {}


def code_version() -> str:
    """Which code this is: `0.1.0, commit 544dea0.., with changes`."""
    tags = source_tags()
    commit = tags.get("mlflow.source.git.commit")
    changed = ", with changes that no commit has" if tags.get("jack_ray.git.dirty") == "true" else ""
    return f"jack_ray {__version__}, commit {commit}{changed}" if commit else f"jack_ray {__version__}"
