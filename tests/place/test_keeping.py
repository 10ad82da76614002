"""Checkpoints on their way into a storage that fails, beside the training."""

import time
from dataclasses import replace
from pathlib import Path

import pytest

from jack_ray.contract.errors import JackRayError
from jack_ray.contract.paths import TrialFolder
from jack_ray.contract.schema import MpiConfig
from jack_ray.contract.trial import Trial
from jack_ray.place import keeping
from jack_ray.place.keeping import Keeping
from jack_ray.place.news import Order
from jack_ray.spawn.storage import Storage


@pytest.fixture
def order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Order:
    monkeypatch.setattr(keeping, "LOOK_S", 0.0)
    monkeypatch.setattr(keeping, "AGAIN_S", 0.01)
    trial = Trial("tsl", {"name": "tsl"}, {"root": "/d"}, {"steps": 4}, "0123", 2, 1)
    mpi = MpiConfig("openmpi", 600.0, None, 5.0)
    folder = tmp_path / "runs" / trial.id
    return Order(trial, folder, 1, gpu=False, jittor_home=tmp_path, mpi=mpi, storage=str(tmp_path / "storage"))


def checkpoint(order: Order, step: int) -> None:
    path = TrialFolder(order.folder).checkpoints / f"step-{step:08d}"
    path.mkdir(parents=True)
    (path / "manifest.json").write_text("{}")


def stored(order: Order) -> list[str]:
    return sorted(path.parent.name for path in Path(str(order.storage)).rglob("manifest.json"))


def test_a_checkpoint_is_stored_while_the_next_one_is_trained(order: Order) -> None:
    with Keeping(order, TrialFolder(order.folder)) as keeper:
        checkpoint(order, 2)
        deadline = time.monotonic() + 10.0
        while not stored(order) and time.monotonic() < deadline:
            keeper.look()
            time.sleep(0.01)
        assert stored(order) == ["step-00000002"]
        checkpoint(order, 4)
    assert stored(order) == ["step-00000002", "step-00000004"]


def test_another_machine_begins_with_what_was_stored(order: Order, tmp_path: Path) -> None:
    with Keeping(order, TrialFolder(order.folder)):
        checkpoint(order, 2)
    other = TrialFolder(tmp_path / "other" / order.trial_id)
    with Keeping(order, other):
        assert [path.name for path in other.checkpoints.glob("step-*")] == ["step-00000002"]


def test_a_trial_that_begins_at_anothers_checkpoint_finds_it_on_another_machine(order: Order, tmp_path: Path) -> None:
    with Keeping(order, TrialFolder(order.folder)):
        checkpoint(order, 2)
    copy = replace(order.trial, origin={"trial": order.trial_id, "step": 2}, until=4)
    away = TrialFolder(tmp_path / "away" / copy.id)
    with Keeping(replace(order, trial=copy), away):
        assert (tmp_path / "away" / order.trial_id / "checkpoints" / "step-00000002" / "manifest.json").exists()
        assert not away.checkpoints.exists()


def test_nothing_is_stored_without_a_storage(order: Order) -> None:
    with Keeping(replace(order, storage=None), TrialFolder(order.folder)) as keeper:
        checkpoint(order, 2)
        keeper.look()
    assert stored(order) == []


def test_a_store_that_comes_back_loses_nothing(order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    push, failures = Storage.push, [3]

    def sometimes(self: Storage, folder: TrialFolder) -> None:
        if failures[0]:
            failures[0] -= 1
            raise JackRayError("site.storage cannot be written to: away")
        push(self, folder)

    monkeypatch.setattr(Storage, "push", sometimes)
    with Keeping(order, TrialFolder(order.folder)) as keeper:
        checkpoint(order, 2)
        keeper.look()
    assert stored(order) == ["step-00000002"]
    assert failures == [0]


def test_a_store_that_stays_away_fails_the_attempt(order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "GIVE_UP_S", 0.05)
    Path(str(order.storage)).parent.mkdir(parents=True, exist_ok=True)
    cannot = pytest.raises(JackRayError, match=r"site\.storage=.* cannot be")
    with cannot, Keeping(order, TrialFolder(order.folder)):
        checkpoint(order, 2)
        Path(str(order.storage)).write_text("a file where a folder was")
