"""Hosts that share no disk for runs: checkpoints pass through a storage, logs and events with the news."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.cluster.faults import AFTER_STEP, one
from tests.cluster.stage import Play, Stage

pytestmark = [pytest.mark.alone, pytest.mark.cluster, pytest.mark.rank, pytest.mark.ray]


def unshared(stage: Stage, name: str) -> tuple[Play, Play]:
    """A bench whose runs lie in a /tmp that each host has for itself; and the same as seen from outside."""
    inside = Path("/tmp/unshared") / name
    play = stage.bench(name, inside)
    return play, replace(play, runs=stage.head.folder / inside.relative_to("/"))


def test_a_trial_goes_on_elsewhere_from_what_was_stored(stage: Stage, undisturbed: Play) -> None:
    play, seen = unshared(stage, "unshared")
    storage = play.folder / "storage"
    try:
        play.start(f"site.storage={storage}")
        seen._process = play._process
        seen.wait_for_steps(AFTER_STEP)
        one(stage.hosts.processes("ray::RayLead")).kill()
        assert play.wait() == 0, play.output()
    finally:
        play.end()
    assert "it goes on from its last checkpoint" in play.output()
    assert seen.result() == undisturbed.result()
    assert play.left() == []
    (trial,) = seen.trials()
    assert [path.name for path in trial.path.glob(".driver-*")] == []
    assert sorted(
        path.name for path in (storage / "trials" / trial.path.name / "checkpoints").glob("step-*")
    ) == sorted(path.name for path in trial.checkpoints.glob("step-*"))


def test_a_folder_that_is_not_shared_is_told_with_what_to_type(stage: Stage) -> None:
    play, _ = unshared(stage, "untold")
    assert play.run("retry=none") == 1, play.output()
    assert "is not the folder of that name where the sweep was started" in play.output()
    assert "type site.storage=" in play.output()
    assert "Traceback" not in play.output()
