"""What a rank leaves behind when it cannot go on."""

import errno
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jack_ray.contract.errors import ConfigError, DataError, Fault, JackRayError, TrainError, WeightsError
from jack_ray.contract.failure import earliest
from jack_ray.contract.paths import TrialFolder
from jack_ray.place import lead as lead_module
from jack_ray.place.lead import Lead
from jack_ray.train.__main__ import failure_of
from tests.processes import Family, family
from tests.training import fingerprint, follow, new_trial, order_of, train

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (TrainError("the loss is not finite at step 3"), "diverged", "the loss is not finite at step 3"),
        (WeightsError("w.pth holds none"), "error", "w.pth holds none"),
        (JackRayError("plain"), "error", "plain"),
        (ValueError("shape"), "error", "ValueError: shape"),
        (KeyError("x"), "error", "KeyError: 'x'"),
        (MemoryError(), "memory", "MemoryError: "),
        (
            OSError(errno.EACCES, "Permission denied", "/x"),
            "error",
            "PermissionError: [Errno 13] Permission denied: '/x'",
        ),
        (
            OSError(errno.ENOSPC, "No space", "/runs/m"),
            "disk",
            "no space left on the disk of /runs/m; free some and run it again",
        ),
        (
            OSError(errno.EDQUOT, "Quota"),
            "disk",
            "no space left on the disk of the runs folder; free some and run it again",
        ),
        (
            DataError([Fault("a.npy", "cut", "whole"), Fault("b.npy", "x", "y")]),
            "data",
            "a.npy: cut; expected whole; b.npy: x; expected y",
        ),
        (ConfigError([Fault("train.lr", "x", "a number", "Type 1.")]), "error", "train.lr: x; expected a number"),
        (KeyboardInterrupt(), "error", "KeyboardInterrupt: "),
    ],
)
def test_each_error_becomes_one_message_of_its_kind(error: BaseException, kind: str, message: str) -> None:
    failure = failure_of(error, 1)
    assert (failure.kind, failure.message, failure.rank) == (kind, message, 1)
    assert "\n" not in failure.message


def test_the_traceback_is_kept_for_the_log() -> None:
    with pytest.raises(ZeroDivisionError) as raised:
        assert 1 / 0
    assert "test_the_traceback_is_kept_for_the_log" in failure_of(raised.value, 0).trace


def run_rank(*words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    clean = {key: value for key, value in os.environ.items() if not key.startswith("JACK_RAY_ATTEMPT")}
    argv = [sys.executable, "-m", "jack_ray.train", *words]
    return subprocess.run(argv, cwd=ROOT, env=clean | environment, capture_output=True, text=True, check=False)


def test_a_rank_that_is_started_by_hand_says_what_it_needs() -> None:
    done = run_rank()
    assert done.returncode == 2
    assert "python -m jack_ray.train runs/trials/<id>/trial.json" in done.stdout
    assert run_rank("--help").returncode == 0


def test_a_rank_without_a_trial_says_so_on_the_terminal_and_in_its_file(tmp_path: Path) -> None:
    done = run_rank(str(tmp_path / "trial.json"))
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {tmp_path}/trial.json is not a trial file")
    assert "Traceback" not in done.stderr
    found = earliest(TrialFolder(tmp_path).failure(0).parent, 0.0)
    assert found is not None
    assert found.message.startswith(f"{tmp_path}/trial.json is not a trial file")


def test_a_rank_whose_log_is_on_a_full_disk_ends_hard(tmp_path: Path) -> None:
    (tmp_path / "ranks").mkdir()
    (tmp_path / "ranks" / "00.log").symlink_to("/dev/full")
    ends_politely = tmp_path / "polite"  # as MPI's finalisation would, in which it would wait for the others
    program = (
        f"import atexit, pathlib, sys; atexit.register(pathlib.Path({str(ends_politely)!r}).touch)\n"
        "from jack_ray.train.__main__ import main; sys.exit(main(sys.argv[1:]))"
    )
    argv = [sys.executable, "-c", program, str(tmp_path / "trial.json")]
    done = subprocess.run(argv, cwd=ROOT, env=os.environ | {"JACK_RAY_ATTEMPT": "1"}, check=False)
    assert done.returncode == 1
    assert not ends_politely.exists()
    assert earliest(tmp_path / "ranks", 0.0) is not None


def test_a_launched_rank_writes_to_its_own_log(tmp_path: Path) -> None:
    done = run_rank(str(tmp_path / "trial.json"), JACK_RAY_ATTEMPT="1", OMPI_COMM_WORLD_RANK="2")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")
    assert "is not a trial file" in TrialFolder(tmp_path).log(2).read_text()
    assert TrialFolder(tmp_path).failure(2).exists()


@pytest.mark.rank
class TestRanksThatFail:
    """Real ranks: one message, of the first cause, and no process left."""

    def test_a_loss_that_is_not_finite_ends_the_trial_with_advice(
        self, tmp_path: Path, demo_data: Path, jittor_home: Path
    ) -> None:
        with family() as started:
            ran = train(new_trial(tmp_path, demo_data, "train.lr=1e30"), jittor_home)
            assert started.living() == []
        assert ran.ended.failure is not None
        assert ran.ended.failure.kind == "diverged"
        assert re.match(r"the (loss|gradient) is not finite at step 2.*; try a smaller train\.lr$", ran.message)
        assert "Traceback" in ran.folder.log(ran.ended.failure.rank or 0).read_text()

    @pytest.mark.parametrize("rank", [0, 1])
    def test_a_killed_rank_is_named(self, tmp_path: Path, demo_data: Path, jittor_home: Path, rank: int) -> None:
        with family() as started:
            folder = new_trial(tmp_path, demo_data, "train.steps=5000", "train.evaluate_every=5000")
            lead = Lead(order_of(folder, jittor_home, 1, 2))
            follow(lead, until="metrics")
            os.kill(pid_of(started, rank), signal.SIGKILL)
            ran = follow(lead)
            assert started.living() == []
        assert ran.message.startswith(f"rank {rank} was killed (SIGKILL)")

    @pytest.mark.alone  # a rank that waits for another's compiler gives no sign of life either
    def test_a_rank_that_hangs_is_found(self, tmp_path: Path, demo_data: Path, jittor_home: Path) -> None:
        with family() as started:
            folder = new_trial(tmp_path, demo_data, "train.steps=5000", "train.evaluate_every=5000")
            lead = Lead(order_of(folder, jittor_home, 1, 2, timeout_s=8.0))
            follow(lead, until="metrics")
            stopped = pid_of(started, 1)
            os.kill(stopped, signal.SIGSTOP)
            began = time.monotonic()
            ran = follow(lead)
            assert 7.0 < time.monotonic() - began < 25.0
            assert started.living() == []
        assert ran.ended.failure is not None
        assert ran.ended.failure.kind == "hang"
        assert re.match(r"rank [01] gave no sign of life for \d+ s \(mpi\.timeout_s=8\)", ran.message)

    def test_a_feature_file_cut_short_after_the_checks_is_named(
        self, tmp_path: Path, demo_data: Path, jittor_home: Path
    ) -> None:
        data = Path(shutil.copytree(demo_data, tmp_path / "data"))
        folder = new_trial(tmp_path, data, "train.steps=50")
        victim = sorted((data / "features" / "train" / "rgb").glob("*.npy"))[0]
        victim.write_bytes(victim.read_bytes()[:-1000])
        ran = train(folder, jittor_home)
        assert ran.ended.failure is not None
        assert ran.ended.failure.kind == "data"
        assert str(victim) in ran.message

    def test_a_disk_that_is_full_ends_the_trial_and_it_goes_on_when_there_is_room(
        self, tmp_path: Path, demo_data: Path, jittor_home: Path
    ) -> None:
        straight = train(new_trial(tmp_path / "straight", demo_data), jittor_home)
        small = tmp_path / "small"
        small.mkdir()
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=10m", "tmpfs", str(small)], capture_output=True, check=False
        )
        if mounted.returncode != 0:
            pytest.skip("a small disk cannot be mounted here")
        try:
            folder = new_trial(small, demo_data)
            ran = train(folder, jittor_home)
            assert ran.ended.failure is not None
            assert ran.ended.failure.kind == "disk"
            assert ran.message.startswith("no space left on the disk of ")
            assert len(fingerprint(folder)) >= 2
            subprocess.run(["mount", "-o", "remount,size=100m", str(small)], check=True)
            again = train(folder, jittor_home, attempt=2)
            assert again.ended.status == "finished"
            assert again.final == straight.final
            assert fingerprint(folder) == fingerprint(straight.folder)
        finally:
            subprocess.run(["umount", str(small)], check=True)

    def test_a_trial_file_that_vanished_is_named(self, tmp_path: Path, demo_data: Path, jittor_home: Path) -> None:
        folder = new_trial(tmp_path, demo_data)
        order = order_of(folder, jittor_home, attempt=1, ranks=2)
        folder.trial.unlink()
        assert "trial.json is not a trial file" in follow(Lead(order)).message

    def test_a_python_that_vanished_is_a_start_that_failed(
        self, tmp_path: Path, demo_data: Path, jittor_home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(lead_module, "command", lambda *_: ["/no/such/mpirun"])
        ran = train(new_trial(tmp_path, demo_data), jittor_home)
        assert ran.ended.failure is not None
        assert ran.ended.failure.kind == "start"
        assert "guard: cannot start /no/such/mpirun" in ran.message


def pid_of(started: Family, rank: int) -> int:
    """The process of a rank, by what mpirun put into its environment."""
    for pid in started.named("jack_ray.train"):
        if f"\0OMPI_COMM_WORLD_RANK={rank}\0".encode() in Path(f"/proc/{pid}/environ").read_bytes():
            return pid
    raise AssertionError(started.told())
