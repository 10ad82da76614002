"""What a rank leaves behind when it cannot go on."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from jack_ray.contract.errors import ConfigError, DataError, Fault, JackRayError, TrainError, WeightsError
from jack_ray.contract.failure import earliest
from jack_ray.contract.paths import TrialFolder
from jack_ray.train.__main__ import failure_of

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


def test_a_launched_rank_writes_to_its_own_log(tmp_path: Path) -> None:
    done = run_rank(str(tmp_path / "trial.json"), JACK_RAY_ATTEMPT="1", OMPI_COMM_WORLD_RANK="2")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")
    assert "is not a trial file" in TrialFolder(tmp_path).log(2).read_text()
    assert TrialFolder(tmp_path).failure(2).exists()
