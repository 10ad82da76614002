"""From a run's id back to its checkpoint, with a real store."""

import shutil
import time
from pathlib import Path

import pytest

from jack_ray.contract.errors import JackRayError

pytestmark = pytest.mark.mlflow


def test_a_run_leads_to_its_folder_or_its_artifacts_and_a_sweep_to_its_best(tmp_path: Path) -> None:
    from jack_ray.upload.mlflow_runs import fetch
    from jack_ray.upload.mlflow_store import MlflowStore

    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    store = MlflowStore(uri, "jack_ray")
    folder = tmp_path / "trial"
    checkpoint = folder / "checkpoints" / "step-00000005"
    checkpoint.mkdir(parents=True)
    (checkpoint / "about.json").write_text("{}")
    trial = store.create("trial", {"jack_ray.folder": str(folder)}, time.time())
    store.log_folder(trial, checkpoint, "checkpoints/best")
    sweep = store.create("sweep", {"jack_ray.kind": "sweep", "jack_ray.best_run": trial}, time.time())
    hopeless = store.create("sweep", {"jack_ray.kind": "sweep"}, time.time())
    bare = store.create("bare", {}, time.time())

    assert fetch(trial, uri, tmp_path / "cache") == fetch(sweep, uri, tmp_path / "cache") == folder
    shutil.rmtree(folder)
    for _ in range(2):  # the second time from the cache
        downloaded = fetch(trial, uri, tmp_path / "cache")
        assert downloaded == tmp_path / "cache" / trial
        assert (downloaded / "about.json").read_text() == "{}"
    with pytest.raises(JackRayError, match="is a sweep of which no trial has ended well"):
        fetch(hopeless, uri, tmp_path / "cache")
    with pytest.raises(JackRayError, match="has no checkpoint among its artifacts"):
        fetch(bare, uri, tmp_path / "cache")
    with pytest.raises(JackRayError, match="has no run 0000"):
        fetch("0" * 32, uri, tmp_path / "cache")
