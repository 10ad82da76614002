"""Checkpoints: whole or not there; the one before a damaged one is used."""

import errno
import json
from pathlib import Path

import numpy as np
import pytest
from safetensors import SafetensorError

from jack_ray.contract.checkpoint import About, load_about
from jack_ray.contract.errors import JackRayError
from jack_ray.contract.paths import TrialFolder
from jack_ray.contract.trial import Trial
from jack_ray.train import checkpoint
from jack_ray.train.checkpoint import Progress, latest, load, point_to_best, prune, save, saved_steps, step_folder

ABOUT = About(Trial("tsl", {"name": "tsl"}, {"root": "/data"}, {"seed": 123}, "01", 2, 1), ("n", "p"))


def arrays(step: int) -> checkpoint.Arrays:
    return {"w": np.full((2, 3), step, np.float32), "running_mean": np.arange(3, dtype=np.float32)}


def write(folder: TrialFolder, *steps: int) -> None:
    for step in steps:
        save(folder, Progress(step, 123, 1, 0.5), arrays(step), {"w/first": np.ones(2, np.float32) * step}, ABOUT)


@pytest.fixture
def folder(tmp_path: Path) -> TrialFolder:
    return TrialFolder(tmp_path)


def test_a_checkpoint_comes_back_bit_for_bit(folder: TrialFolder) -> None:
    path = save(folder, Progress(7, 123, 5, 0.25), arrays(7), {"w/first": np.zeros(2, np.float32)}, ABOUT)
    found = latest(folder)
    assert found is not None
    assert found.path == path == folder.checkpoints / "step-00000007"
    assert found.progress == Progress(7, 123, 5, 0.25)
    for name, array in arrays(7).items():
        np.testing.assert_array_equal(found.model[name], array)
        assert found.model[name].dtype == np.float32
    np.testing.assert_array_equal(found.optimizer["w/first"], np.zeros(2, np.float32))


def test_a_transposed_array_is_saved_in_its_own_order(folder: TrialFolder) -> None:
    array = np.arange(6, dtype=np.float32).reshape(2, 3).T
    save(folder, Progress(1, 1), {"w": array}, {}, ABOUT)
    found = latest(folder)
    assert found is not None
    np.testing.assert_array_equal(found.model["w"], array)


def test_without_a_checkpoint_there_is_nothing_to_go_on_from(folder: TrialFolder) -> None:
    assert latest(folder) is None
    assert load(folder, 3) is None


@pytest.mark.parametrize(
    "name", ["model.safetensors", "optimizer.safetensors", "state.json", "about.json", "manifest.json"]
)
@pytest.mark.parametrize("damage", ["cut", "flipped", "missing", "empty"])
def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(folder: TrialFolder, name: str, damage: str) -> None:
    write(folder, 5, 10)
    path = step_folder(folder, 10) / name
    content = path.read_bytes()
    if damage == "cut":
        path.write_bytes(content[:-5])
    elif damage == "flipped":
        middle = len(content) // 2
        path.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
    elif damage == "missing":
        path.unlink()
    else:
        path.write_bytes(b"")
    found = latest(folder)
    assert found is not None
    assert found.progress.step == 5


def test_the_last_checkpoint_before_a_step_can_be_asked_for(folder: TrialFolder) -> None:
    write(folder, 5, 10)
    found = latest(folder, before=10)
    assert found is not None
    assert found.progress.step == 5
    assert latest(folder, before=5) is None


def test_the_last_ones_and_the_best_are_kept_and_leftovers_removed(folder: TrialFolder) -> None:
    write(folder, 10, 20, 30, 40, 50)
    (folder.checkpoints / ".step-00000060.999").mkdir()
    prune(folder, keep=2, best_step=20)
    assert saved_steps(folder) == [20, 40, 50]
    assert not list(folder.checkpoints.glob(".step-*"))
    prune(folder, keep=1, best_step=None)
    assert saved_steps(folder) == [50]


def test_a_step_saved_again_replaces_itself(folder: TrialFolder) -> None:
    write(folder, 5)
    save(folder, Progress(5, 9), {"w": np.zeros(1, np.float32)}, {}, ABOUT)
    found = latest(folder)
    assert found is not None
    assert found.progress.seed == 9
    assert saved_steps(folder) == [5]


@pytest.mark.parametrize("at", ["save_file", "write_json"])
def test_a_full_disk_leaves_the_older_checkpoints(
    folder: TrialFolder, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    write(folder, 5)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "model.safetensors")

    monkeypatch.setattr(checkpoint, at, full)
    with pytest.raises(OSError, match="No space left") as raised:
        write(folder, 10)
    assert raised.value.errno == errno.ENOSPC
    monkeypatch.undo()
    assert [path.name for path in folder.checkpoints.iterdir()] == ["step-00000005"]
    found = latest(folder)
    assert found is not None
    assert found.progress.step == 5


def test_the_full_disk_of_the_safetensors_writer_is_known_as_one(
    folder: TrialFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(checkpoint, "save_file", full)
    with pytest.raises(OSError, match=r"cannot write .*model\.safetensors") as raised:
        write(folder, 10)
    assert raised.value.errno == errno.ENOSPC


def test_the_best_checkpoint_is_pointed_to(folder: TrialFolder) -> None:
    point_to_best(folder, Progress(10, 1), "average_mAP")
    assert not folder.best.exists()
    point_to_best(folder, Progress(10, 1, 5, 0.25), "average_mAP")
    assert json.loads(folder.best.read_text()) == {"step": 5, "metric": "average_mAP", "value": 0.25}


def test_a_checkpoint_says_which_model_it_is(folder: TrialFolder) -> None:
    write(folder, 5)
    assert load_about(step_folder(folder, 5)) == ABOUT


def test_a_folder_without_a_description_is_no_checkpoint(folder: TrialFolder) -> None:
    with pytest.raises(JackRayError, match=r"is no checkpoint: it has no about\.json"):
        load_about(folder.path)


def test_a_damaged_description_is_named(folder: TrialFolder) -> None:
    write(folder, 5)
    (step_folder(folder, 5) / "about.json").write_text('{"labels": ["n"]}')
    with pytest.raises(JackRayError, match=r"about\.json is damaged"):
        load_about(step_folder(folder, 5))
