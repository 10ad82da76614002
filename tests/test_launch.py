"""The whole pipeline, as a user starts it: Ray, mpirun, Jittor, MLflow."""

import os
import signal
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from jack_ray.contract import events
from tests.launching import Bench
from tests.processes import family
from tests.training import fingerprint, numbers

pytestmark = [pytest.mark.ray, pytest.mark.rank, pytest.mark.mlflow]

STEPS = "train.steps=20"
SWEEP = ("sweep=lr", STEPS)


@dataclass(frozen=True)
class Run:
    """A run in MLflow's store."""

    name: str
    status: str
    parent: str | None


def runs_of(bench: Bench) -> dict[str, Run]:
    """MLflow's runs by id, read from its store."""
    with sqlite3.connect(f"file:{bench.folder / 'mlflow.db'}?mode=ro", uri=True) as store:
        rows = store.execute("SELECT run_uuid, name, status FROM runs WHERE lifecycle_stage = 'active'").fetchall()
        parents = dict(store.execute("SELECT run_uuid, value FROM tags WHERE key = 'mlflow.parentRunId'").fetchall())
    return {run_id: Run(name, status, parents.get(run_id)) for run_id, name, status in rows}


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory, demo_data: Path, jittor_home: Path) -> Bench:
    """A sweep of three trials that nothing disturbed."""
    bench = Bench(tmp_path_factory.mktemp("swept"), demo_data)
    with family() as started:
        assert bench.run(*SWEEP) == 0, bench.output()
        started.wait_until_gone(5.0)
    return bench


def test_a_sweep_ends_with_a_table_of_its_trials(swept: Bench) -> None:
    out = swept.output()
    assert "Traceback" not in out
    assert "Trials, best first" in out
    table = out[out.index("Trials, best first") :]
    for rate in ("1e-05", "0.0001", "0.001"):
        assert f"train.lr={rate}" in table
    assert table.count("finished") == 3
    assert table.count("20/20") == 3
    assert "mlflow" in table
    assert [state.status for state in swept.states().values()] == ["finished"] * 3


def test_the_trials_of_a_slot_follow_each_other_in_the_same_ranks(swept: Bench) -> None:
    told = [event for folder in swept.trials().values() for event in events.read_from(folder.events, 0)[0]]
    pids = [event.about["pid"] for event in told if event.kind == "started"]
    assert len(pids) == 3
    assert len(set(pids)) <= len(os.sched_getaffinity(0)) // 2


def test_every_trial_is_a_finished_run_below_the_sweeps(swept: Bench) -> None:
    runs = runs_of(swept)
    (sweep,) = [run_id for run_id, run in runs.items() if run.parent is None]
    assert runs[sweep].status == "FINISHED"
    children = {run.name: run for run_id, run in runs.items() if run_id != sweep}
    assert len(runs) == 4
    assert set(children) == {"train.lr=1e-05", "train.lr=0.0001", "train.lr=0.001"}
    assert {(run.status, run.parent) for run in children.values()} == {("FINISHED", sweep)}


def test_the_numbers_in_mlflow_are_those_of_the_ranks(swept: Bench) -> None:
    with sqlite3.connect(f"file:{swept.folder / 'mlflow.db'}?mode=ro", uri=True) as store:
        rows = store.execute(
            "SELECT t.value, m.key, m.step, m.value FROM metrics m JOIN tags t ON t.run_uuid = m.run_uuid "
            "WHERE t.key = 'jack_ray.trial' AND m.key = 'train/total'"
        ).fetchall()
    stored = {(trial, step): value for trial, _, step, value in rows}
    assert len(rows) == len(stored) == 60
    for name, folder in swept.trials().items():
        for step in range(1, 21):
            assert stored[name, step] == numbers(folder)[step, "metrics train/total"]


def test_the_same_command_again_trains_nothing(swept: Bench) -> None:
    before = {name: fingerprint(folder) for name, folder in swept.trials().items()}
    runs = runs_of(swept)
    began = time.monotonic()
    assert swept.run(*SWEEP) == 0
    assert time.monotonic() - began < 60.0
    assert {name: fingerprint(folder) for name, folder in swept.trials().items()} == before
    assert [state.attempt for state in swept.states().values()] == [1, 1, 1]
    assert runs_of(swept) == runs
    assert swept.output().count("Trials, best first") == 2


def test_ctrl_c_stops_a_sweep_and_the_same_command_ends_it_with_the_same_bits(
    swept: Bench, tmp_path: Path, demo_data: Path
) -> None:
    bench = Bench(tmp_path / "bench", demo_data)
    words = ("train.lr=1e-4", STEPS)
    with family() as started:
        launch = bench.start(*words)
        bench.wait_for_checkpoint()
        launch.send_signal(signal.SIGINT)
        assert launch.wait(60.0) == 130, bench.output()
        started.wait_until_gone(10.0)
    assert "Traceback" not in bench.output()
    assert "the same command will go on from their last checkpoints" in bench.output()
    assert [state.status for state in bench.states().values()] == ["killed"]
    assert {run.status for run in runs_of(bench).values()} == {"KILLED"}
    assert bench.run(*words) == 0
    ((name, folder),) = bench.trials().items()
    assert [state.attempt for state in bench.states().values()] == [2]
    assert numbers(folder) == numbers(swept.trials()[name])  # first: it says in which step they part
    assert fingerprint(folder) == fingerprint(swept.trials()[name])
    assert {run.status for run in runs_of(bench).values()} == {"FINISHED"}


def test_a_trial_that_fails_does_not_end_the_sweep(tmp_path: Path, demo_data: Path, jittor_home: Path) -> None:
    bench = Bench(tmp_path / "bench", demo_data)
    words = ("train.lr=1e30,1e-4", "train.steps=4", "tracking=none", "cluster=inline", "cluster.ranks=1", "mpi=none")
    assert bench.run(*words) == 1
    out = bench.output()
    assert "Traceback" not in out
    assert "failed: the " in out
    assert out.count(" is not finite at step 2") == 1
    assert sorted(state.status for state in bench.states().values()) == ["failed", "finished"]
    assert not (bench.folder / "mlflow.db").exists()


def test_a_sweep_that_runs_already_is_not_started_twice(tmp_path: Path, demo_data: Path, jittor_home: Path) -> None:
    bench = Bench(tmp_path / "bench", demo_data)
    words = ("train.steps=500", "tracking=none", "cluster=inline")
    with family() as started:
        first = bench.start(*words)
        started.wait_for("guard.py", 60.0)
        second = Bench(bench.folder, demo_data)
        assert second.run(*words, timeout_s=60.0) == 2
        assert f"is already running, started by process {first.pid}" in bench.output()
        first.send_signal(signal.SIGTERM)
        assert first.wait(60.0) == 130
        started.wait_until_gone(5.0)


def test_a_trial_that_no_machine_holds_is_refused_with_the_largest(
    tmp_path: Path, demo_data: Path, jittor_home: Path
) -> None:
    bench = Bench(tmp_path / "bench", demo_data)
    with family() as started:
        assert bench.run("cluster.cpus_per_rank=500", "tracking=none", "cluster.ranks=2") == 2
        started.wait_until_gone(10.0)
    assert "error: A trial needs 1000 cores on one machine, and the largest machine" in bench.output()
    assert "Traceback" not in bench.output()


def test_a_ray_that_cannot_be_reached_is_named(tmp_path: Path, demo_data: Path, jittor_home: Path) -> None:
    bench = Bench(tmp_path / "bench", demo_data)
    assert bench.run("cluster=running", "cluster.address=127.0.0.1:1", "tracking=none") == 2
    assert "cluster.address=127.0.0.1:1" in bench.output()
    assert "Traceback" not in bench.output()
