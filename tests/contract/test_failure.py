from pathlib import Path

from jack_ray.contract.failure import Failure, earliest, now, write_failure
from jack_ray.contract.paths import TrialFolder


def leave(folder: TrialFolder, rank: int, time: float, message: str) -> None:
    write_failure(folder.failure(rank), Failure("error", message, rank, "host", time))


def test_the_first_reason_wins_over_its_echo(tmp_path: Path) -> None:
    folder = TrialFolder(tmp_path)
    leave(folder, 0, 12.0, "MPI_Allreduce was aborted")
    leave(folder, 1, 11.5, "the loss is not finite")
    found = earliest(folder.failure(0).parent, since=10.0)
    assert found is not None
    assert (found.rank, found.message) == (1, "the loss is not finite")


def test_reasons_of_an_earlier_attempt_are_past(tmp_path: Path) -> None:
    folder = TrialFolder(tmp_path)
    leave(folder, 0, 5.0, "old")
    assert earliest(folder.failure(0).parent, since=10.0) is None


def test_a_damaged_or_missing_reason_is_passed_over(tmp_path: Path) -> None:
    folder = TrialFolder(tmp_path)
    assert earliest(tmp_path / "ranks", 0.0) is None
    leave(folder, 1, 11.0, "told")
    folder.failure(0).write_text('{"kind": "err')
    folder.failure(2).write_text('{"kind": "error"}')
    found = earliest(folder.failure(0).parent, since=10.0)
    assert found is not None
    assert found.message == "told"


def test_a_failure_says_who_and_what_kind_without_its_trace() -> None:
    failure = now("diverged", "the loss is NaN", "lab1", 3, trace="Traceback ...")
    assert str(failure) == "the loss is NaN (diverged, rank 3 on lab1)"
    assert str(now("lost", "gone", "lab1")) == "gone (lost, lab1)"
