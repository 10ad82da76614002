import shutil
from pathlib import Path

import pytest

from jack_ray.apply.source import find_checkpoint
from jack_ray.contract.errors import ConfigError, JackRayError
from jack_ray.contract.paths import TrialFolder


def found(run: str | Path, trial: TrialFolder) -> str:
    return find_checkpoint(str(run), trial.path.parents[1], "sqlite:///none.db").name


def test_a_trial_stands_for_its_best_checkpoint_by_id_and_by_folder(trial: TrialFolder) -> None:
    assert found(trial.path.name, trial) == found(trial.path, trial) == "step-00000010"


def test_a_checkpoint_is_taken_by_its_folder_and_by_its_weights(trial: TrialFolder) -> None:
    folder = trial.checkpoints / "step-00000005"
    assert found(folder, trial) == found(folder / "model.safetensors", trial) == "step-00000005"


def test_without_a_best_checkpoint_the_last_is_taken(trial: TrialFolder) -> None:
    trial.best.unlink()
    assert found(trial.path, trial) == "step-00000015"


def test_a_trial_that_was_never_trained_is_named(trial: TrialFolder) -> None:
    shutil.rmtree(trial.checkpoints)
    with pytest.raises(JackRayError, match="has no checkpoint yet"):
        found(trial.path, trial)


def test_a_name_that_is_nothing_says_where_was_looked(trial: TrialFolder) -> None:
    with pytest.raises(ConfigError, match=r"run=tsl-0: nothing of that name.*\n.*site\.runs="):
        found("tsl-0", trial)


def test_a_file_of_weights_is_told_how_to_be_used(trial: TrialFolder, tmp_path: Path) -> None:
    (tmp_path / "published.pth").touch()
    with pytest.raises(ConfigError, match=r"type weights=.*published\.pth model=METHOD"):
        found(tmp_path / "published.pth", trial)


def test_a_run_id_without_a_store_makes_none(trial: TrialFolder, tmp_path: Path) -> None:
    store = tmp_path / "mlflow.db"
    with pytest.raises(JackRayError, match="There is no MLflow store at"):
        find_checkpoint("0" * 32, tmp_path, f"sqlite:///{store}")
    assert not store.exists()
