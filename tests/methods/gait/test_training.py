"""Trials of a small BPM-GCN by real ranks: any number of ranks, interrupted or not."""

import shutil
from pathlib import Path

import pytest

from jack_ray.compose import make_plan, read_command
from jack_ray.contract.paths import TrialFolder, trial_folder
from tests.training import Ran, fingerprint, train

pytestmark = pytest.mark.rank

WORDS = (
    "model=gait_smoke", "model.widths=[8,12,16]", "model.blocks=[1,1,1]", "data.val_fraction=0.2", "cluster.ranks=2",
    "train.batch=6", "train.steps=4", "train.evaluate_every=2", "train.checkpoint_every=1", "train.keep_checkpoints=9",
)  # fmt: skip


def new_trial(runs: Path, data: Path, *words: str) -> TrialFolder:
    plan = make_plan(read_command([*WORDS, f"data.root={data}", f"site.runs={runs}", *words]))
    trial, _ = plan.trial(())
    folder = trial_folder(runs, trial.id)
    trial.save(folder.trial)
    return folder


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory, demo: Path, jittor_home: Path) -> Ran:
    """A trial on two ranks that nothing disturbed."""
    ran = train(new_trial(tmp_path_factory.mktemp("straight"), demo), jittor_home)
    assert ran.ended.failure is None, ran.message
    return ran


def test_one_rank_and_two_ranks_give_the_same_losses_and_scores(
    straight: Ran, tmp_path: Path, demo: Path, jittor_home: Path
) -> None:
    alone = train(new_trial(tmp_path, demo, "cluster.ranks=1"), jittor_home, ranks=1)
    assert alone.ended.failure is None, alone.message
    for name in ("train/total", "train/loss_cls_m", "train/loss_reg", "train/gradient_norm"):
        assert alone.curve(name) == pytest.approx(straight.curve(name), rel=2e-4), name
    assert alone.curve("val/accuracy") == straight.curve("val/accuracy")
    assert alone.final["test/accuracy"] == straight.final["test/accuracy"]


def test_a_trial_that_goes_on_from_a_checkpoint_ends_as_an_undisturbed_one(
    straight: Ran, tmp_path: Path, demo: Path, jittor_home: Path
) -> None:
    folder = new_trial(tmp_path, demo)
    shutil.copytree(straight.folder.checkpoints, folder.checkpoints)
    for step in (3, 4):
        shutil.rmtree(folder.checkpoints / f"step-{step:08d}")
    ran = train(folder, jittor_home, attempt=2)
    assert ran.ended.failure is None, ran.message
    assert list(ran.curve("train/total")) == [3, 4]
    assert fingerprint(folder) == fingerprint(straight.folder)
    assert ran.final == straight.final
