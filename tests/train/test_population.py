"""Population-based training with real ranks: copies are copies, and a killed driver changes nothing."""

import json
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from jack_ray.contract.files import file_sha256
from jack_ray.contract.paths import TrialFolder, trial_folder
from jack_ray.contract.trial import load_trial
from jack_ray.train.checkpoint import step_folder
from tests.launching import Bench
from tests.training import fingerprint, new_trial, numbers, train

pytestmark = pytest.mark.rank

POPULATION = (
    "train.steps=4", "train.evaluate_every=2", "train.checkpoint_every=2", "cluster=inline", "cluster.ranks=1",
    "tracking=none", "sweep=pbt", "sweep.population=2", "sweep.quantile=0.5", "train.lr=1e-2,1e-12",
    "sweep.seed=1",
)  # fmt: skip
"""Two members, two legs each. The rate of 0.01 does harm on three videos: its member becomes a copy of the other."""


def part(whole: TrialFolder, **changes: object) -> TrialFolder:
    """The folder of a part of a trial, beside the whole."""
    trial = replace(load_trial(whole.trial), **changes)  # type: ignore[arg-type]
    folder = trial_folder(whole.path.parents[1], trial.id)
    trial.save(folder.trial)
    return folder


def test_a_part_that_goes_on_from_another_trial_ends_with_the_weights_of_the_whole(
    demo_data: Path, tmp_path: Path, jittor_home: Path
) -> None:
    whole = new_trial(tmp_path, demo_data)
    first = part(whole, until=2)
    second = part(whole, origin={"trial": first.path.name, "step": 2}, until=4)
    assert len({whole.path, first.path, second.path}) == 3
    told = [train(folder, jittor_home) for folder in (whole, first, second)]
    assert [sorted(ran.curve("train/total")) for ran in told] == [[1, 2, 3, 4], [1, 2], [3, 4]]
    for name in ("model.safetensors", "optimizer.safetensors"):
        assert file_sha256(step_folder(second, 4) / name) == file_sha256(step_folder(whole, 4) / name)
    begun = json.loads((step_folder(second, 4) / "state.json").read_text())
    assert begun["best_step"] in (4, None), "the best of its origin is not its own"


def test_an_origin_that_is_gone_is_named(demo_data: Path, tmp_path: Path, jittor_home: Path) -> None:
    orphan = part(new_trial(tmp_path, demo_data, "cluster.ranks=1"), origin={"trial": "tsl-gone", "step": 2}, until=4)
    assert "no whole checkpoint of step 2 of tsl-gone" in train(orphan, jittor_home, ranks=1).message


def test_a_member_becomes_a_copy_of_the_better_one_and_a_killed_driver_goes_on_to_the_same_numbers(
    demo_data: Path, tmp_path: Path
) -> None:
    straight, killed = Bench(tmp_path / "straight", demo_data), Bench(tmp_path / "killed", demo_data)
    assert straight.run(*POPULATION) == 0, straight.output()
    trials = {name: load_trial(folder.trial) for name, folder in straight.trials().items()}
    origins = [str(trial.origin["trial"]) for trial in trials.values() if trial.origin is not None]
    assert len(origins) == 2, straight.output()
    assert len(set(origins)) == 1, "both go on from the better one"
    assert trials[origins[0]].train["lr"] == 1e-12

    process = killed.start(*POPULATION)
    killed.wait_for_checkpoint()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert killed.run(*POPULATION) == 0, killed.output()
    assert killed.states().keys() == straight.states().keys()
    for name, folder in straight.trials().items():
        assert fingerprint(folder) == fingerprint(killed.trials()[name])
        assert numbers(folder) == numbers(killed.trials()[name])
