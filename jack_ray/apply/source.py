"""run=... -> the checkpoint that is meant: a folder, a trial's id, an MLflow run or a registered model."""

import json
import re
from pathlib import Path

from jack_ray.contract.checkpoint import ABOUT, MODEL
from jack_ray.contract.errors import ConfigError, Fault, JackRayError
from jack_ray.contract.paths import TrialFolder, trial_folder

_RUN_ID = re.compile(r"[0-9a-f]{32}")

EXPECTED = "an MLflow run id, a trial's id, the folder of a trial or of a checkpoint, or models:/NAME@ALIAS"


def find_checkpoint(run: str, runs: Path, uri: str) -> Path:
    """The checkpoint's folder; of a trial the best one.

    runs: where trials lie. uri: the MLflow store that run ids are looked up in.
    Raises ConfigError when nothing is called so, JackRayError when there is no checkpoint in it.
    """
    if run.startswith("models:"):
        from jack_ray.upload.mlflow_registry import Registry  # takes seconds to import

        return Registry(uri).checkpoint(run, runs / "fetched")
    path = Path(run).expanduser()
    if path.is_file() and path.name == MODEL:
        path = path.parent
    if (path / ABOUT).is_file():
        return path.resolve()
    for folder in (path, trial_folder(runs, run).path):
        if (folder / "trial.json").is_file():
            return best_of(TrialFolder(folder.resolve()))
    if _RUN_ID.fullmatch(run):
        from jack_ray.upload.mlflow_runs import fetch  # takes seconds to import

        return _of_run(fetch(run, uri, runs / "fetched"))
    if path.is_file():
        remedy = f"For published weights type weights={run} model=METHOD."
        raise ConfigError([Fault(f"run={run}", "a file that is no checkpoint of ours", EXPECTED, remedy)])
    remedy = f"Trials are looked for in site.runs={runs}; python -m jack_ray.launch prints their ids."
    raise ConfigError([Fault(f"run={run}", "nothing of that name", EXPECTED, remedy)])


def _of_run(folder: Path) -> Path:
    return folder if (folder / ABOUT).is_file() else best_of(TrialFolder(folder))


def best_of(folder: TrialFolder) -> Path:
    """The best checkpoint of a trial, else its last. Raises JackRayError when it has none."""
    steps = sorted(path for path in folder.checkpoints.glob("step-[0-9]*") if (path / ABOUT).is_file())
    try:
        best = int(json.loads(folder.best.read_text(encoding="utf-8"))["step"])
    except (OSError, ValueError, KeyError, TypeError):
        best = -1
    found = next((path for path in steps if int(path.name.removeprefix("step-")) == best), None)
    if found is None and not steps:
        raise JackRayError(f"{folder.path} has no checkpoint yet: the trial has not been trained.")
    return found or steps[-1]
