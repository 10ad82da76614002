"""Whatever is killed, and whenever: no process is left, and the same command ends with the same bits."""

import os
import signal
import sqlite3
import time
from pathlib import Path

import pytest

from tests.launching import Bench
from tests.processes import Family, command_line, family, parent_of
from tests.training import fingerprint, numbers

pytestmark = [pytest.mark.ray, pytest.mark.rank]

WORDS = ("train.steps=30",)
GONE_S = 15.0


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory, demo_data: Path, jittor_home: Path) -> Bench:
    """A trial that nothing disturbed."""
    bench = Bench(tmp_path_factory.mktemp("straight"), demo_data)
    assert bench.run(*WORDS, "tracking=none") == 0, bench.output()
    return bench


def ranks(started: Family) -> list[int]:
    """The ranks themselves: without mpirun and the guard, whose command lines hold theirs, and without forks."""
    mine = started.named("jack_ray.train")
    found = [pid for pid in mine if "mpirun" not in (line := command_line(pid)) and "guard.py" not in line]
    return [pid for pid in found if parent_of(pid) not in found]


def victim(what: str, launch: int, started: Family) -> int:
    """The process to be killed."""
    if what == "driver":
        return launch
    if what == "rank":
        return ranks(started)[-1]
    part = {
        "lead": "ray::RayLead",
        "guard": "guard.py",
        "mpirun": "/mpirun",
        "raylet": "/raylet/raylet",
    }
    found = [pid for pid in started.named(part[what]) if what != "guard" or "jack_ray.train" in command_line(pid)]
    if what == "mpirun":
        found = [pid for pid in found if "guard.py" not in command_line(pid)]
    return found[0]


def wait_for_ranks(started: Family, timeout_s: float = 120.0) -> None:
    """Until the first rank appears: it imports, and has not begun to speak MPI."""
    deadline = time.monotonic() + timeout_s
    while not ranks(started):
        assert time.monotonic() < deadline, started.told()
        time.sleep(0.002)


def disturb(bench: Bench, what: str, kind: signal.Signals, when: str, *words: str) -> int:
    """Start a launch, kill a part of it, and see everything end; the launch's exit code."""
    with family() as started:
        launch = bench.start(*WORDS, *words)
        wait_for_ranks(started)
        if when == "while training":
            bench.wait_for_checkpoint()
        os.kill(victim(what, launch.pid, started), kind)
        code = launch.wait(180.0)
        started.wait_until_gone(GONE_S)
    return code


def go_on(bench: Bench, straight: Bench, *words: str) -> None:
    """The same sweep again, held against an undisturbed run; without Ray, which changes no number."""
    assert bench.run(*WORDS, *words, "cluster=inline") == 0, bench.output()
    same(bench, straight)


def same(bench: Bench, straight: Bench) -> None:
    """Hold the numbers and the weights against those of an undisturbed run."""
    (folder,) = bench.trials().values()
    (undisturbed,) = straight.trials().values()
    assert numbers(folder) == numbers(undisturbed)
    assert fingerprint(folder) == fingerprint(undisturbed)


SAID = {
    "lead": "the trial's lead actor died (killed, or its machine is gone)",
    "mpirun": "the ranks' starter was killed (SIGKILL)",
    "rank": "was killed (SIGKILL)",
}


@pytest.mark.parametrize("when", ["while starting", "while training"])
@pytest.mark.parametrize("what", ["lead", "mpirun", "rank"])
def test_a_trial_that_lost_a_process_goes_on_by_itself_and_ends_with_the_same_bits(
    tmp_path: Path, demo_data: Path, straight: Bench, what: str, when: str
) -> None:
    bench = Bench(tmp_path / "bench", demo_data)
    assert disturb(bench, what, signal.SIGKILL, when, "tracking=none", "retry.wait_s=0.1") == 0, bench.output()
    assert "Traceback" not in bench.output()
    assert SAID[what] in bench.output()
    assert "it goes on from its last checkpoint" in bench.output()
    same(bench, straight)


@pytest.mark.parametrize("when", ["while starting", "while training"])
def test_nothing_survives_a_killed_driver_and_the_same_command_goes_on(
    tmp_path: Path, demo_data: Path, straight: Bench, when: str
) -> None:
    bench = Bench(tmp_path / "bench", demo_data)
    assert disturb(bench, "driver", signal.SIGKILL, when, "tracking=none") == -signal.SIGKILL
    go_on(bench, straight, "tracking=none")


def test_without_retries_the_first_loss_is_the_last(tmp_path: Path, demo_data: Path, straight: Bench) -> None:
    bench = Bench(tmp_path / "bench", demo_data)
    assert disturb(bench, "rank", signal.SIGKILL, "while training", "tracking=none", "retry=none") == 1
    assert "goes on" not in bench.output()
    go_on(bench, straight, "tracking=none")


def test_ranks_do_not_survive_their_guard(tmp_path: Path, demo_data: Path, straight: Bench) -> None:
    bench = Bench(tmp_path / "bench", demo_data)
    assert disturb(bench, "guard", signal.SIGKILL, "while training", "tracking=none", "retry=none") == 1
    assert "the guard of the ranks was killed from outside" in bench.output()
    go_on(bench, straight, "tracking=none")


def test_a_ray_of_this_machine_that_dies_is_started_anew(tmp_path: Path, demo_data: Path, straight: Bench) -> None:
    bench = Bench(tmp_path / "bench", demo_data)
    words = ("tracking=none", "retry.wait_s=0.1")
    assert disturb(bench, "raylet", signal.SIGKILL, "while training", *words) == 0, bench.output()
    same(bench, straight)


def test_a_driver_that_is_told_to_end_ends_in_order(tmp_path: Path, demo_data: Path, straight: Bench) -> None:
    bench = Bench(tmp_path / "bench", demo_data)
    assert disturb(bench, "driver", signal.SIGTERM, "while training", "tracking=none") == 130
    assert "Traceback" not in bench.output()
    assert [state.status for state in bench.states().values()] == ["killed"]
    go_on(bench, straight, "tracking=none")


@pytest.mark.mlflow
def test_a_killed_driver_leaves_no_writer_and_no_run_that_runs(
    tmp_path: Path, demo_data: Path, straight: Bench
) -> None:
    bench = Bench(tmp_path / "bench", demo_data)
    assert disturb(bench, "driver", signal.SIGKILL, "while training") == -signal.SIGKILL
    assert set(statuses(bench)) == {"KILLED"}
    go_on(bench, straight)
    assert statuses(bench) == ["FINISHED", "FINISHED"]


def statuses(bench: Bench) -> list[str]:
    """How the runs in MLflow stand."""
    with sqlite3.connect(f"file:{bench.folder / 'mlflow.db'}?mode=ro", uri=True) as store:
        rows = store.execute("SELECT status FROM runs WHERE lifecycle_stage = 'active'").fetchall()
    return [status for (status,) in rows]
