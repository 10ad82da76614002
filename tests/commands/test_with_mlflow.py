"""Run ids of which this machine has no folder: MLflow knows them."""

import time
from pathlib import Path

import pytest

from jack_ray.compose.from_run import read_yaml
from jack_ray.contract.errors import JackRayError
from jack_ray.reproduce.original import find_original
from jack_ray.sweeps.find import Found, Shelf
from tests.commands.shelf import RATES, Made, trial_with

pytestmark = pytest.mark.mlflow


def test_a_run_without_a_folder_is_trained_again_from_its_artifacts(made: Made, tmp_path: Path) -> None:
    from jack_ray.upload.mlflow_store import MlflowStore
    from jack_ray.upload.store import MetricPoint

    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    store = MlflowStore(uri, "jack_ray")
    trial = trial_with(RATES[0])
    tags = {"jack_ray.sweep": made.folder.path.name, "jack_ray.trial": trial.id, "jack_ray.folder": "/gone"}
    tags |= {"jack_ray.host": "alpha", "jack_ray.version.numpy": "1.0", "jack_ray.version.ray": "2"}
    run = store.create("trial", tags, time.time())
    (tmp_path / "config.yaml").write_text("cluster:\n  gpus_per_trial: 0\n")
    for path in (made.trial(0).trial, tmp_path / "config.yaml"):
        store.log_file(run, path, "")
    points = [("loss", 0.1, 1), ("loss", 0.2, 2), ("system/cpu", 50.0, 1), ("hours", 0.5, 1), ("gpu_hours", 0.5, 1)]
    store.log_metrics(run, [MetricPoint(name, value, time.time(), step) for name, value, step in points])
    bare = store.create("bare", {}, time.time())
    sweep = store.create("sweep", {"jack_ray.kind": "sweep", "jack_ray.best_run": run}, time.time())

    for name in (run, sweep):
        found = find_original(name, tmp_path / "none", uri, read_yaml)
        assert found.trial == trial
        assert found.folder is None
        assert found.numbers == {("loss", 1): 0.1, ("loss", 2): 0.2}
        assert found.config == {"cluster": {"gpus_per_trial": 0}}
        assert found.about == {"host": "alpha", "versions": {"numpy": "1.0"}}
    with pytest.raises(JackRayError, match=r"has no trial\.json among its artifacts"):
        find_original(bare, tmp_path / "none", uri, read_yaml)

    assert Shelf(made.runs, uri).find(run) == Found(made.folder, trial.id)
    with pytest.raises(JackRayError, match=r"belongs to sweep \?, which is not in"):
        Shelf(made.runs, uri).find(bare)
    with pytest.raises(JackRayError, match="has no run 0000"):
        Shelf(made.runs, uri).find("0" * 32)
