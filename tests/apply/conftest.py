"""Trials as training leaves them: one without the training, and one that was really trained."""

from dataclasses import asdict
from pathlib import Path

import pytest

from jack_ray.compose import make_plan, read_command
from jack_ray.contract.checkpoint import About
from jack_ray.contract.files import write_json
from jack_ray.contract.paths import TrialFolder, trial_folder
from tests.training import Ran, new_trial, train


@pytest.fixture
def trial(tmp_path: Path, demo_data: Path) -> TrialFolder:
    """A trial with checkpoints after steps 5, 10 and 15, of which the one after 10 is the best."""
    runs = tmp_path / "runs"
    plan = make_plan(
        read_command(["model=tsl_small", f"data.root={demo_data}", f"site.runs={runs}", "cluster.ranks=1"])
    )
    made, _ = plan.trial(())
    folder = trial_folder(runs, made.id)
    made.save(folder.trial)
    for step in (5, 10, 15):
        path = folder.checkpoints / f"step-{step:08d}"
        path.mkdir(parents=True)
        (path / "model.safetensors").write_bytes(b"weights")
        write_json(path / "about.json", asdict(About(made, ("n", "p"))))
    write_json(folder.best, {"step": 10, "metric": "average_mAP", "value": 0.5})
    return folder


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, demo_data: Path, jittor_home: Path) -> Ran:
    """A trained trial, which no test changes."""
    folder = new_trial(tmp_path_factory.mktemp("trained"), demo_data, "cluster.ranks=1", "train.steps=6")
    return train(folder, jittor_home, ranks=1)
