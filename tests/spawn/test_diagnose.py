"""From what a gang left behind to its first cause. mpirun's words were recorded from Open MPI 4.1.8."""

import time
from pathlib import Path

import pytest

from jack_ray.contract.failure import Failure, write_failure
from jack_ray.contract.paths import TrialFolder
from jack_ray.spawn.diagnose import diagnose

FRAME = "-" * 74

ABORTED = f"""{FRAME}
Primary job  terminated normally, but 1 process returned
a non-zero exit code. Per user-direction, the job has been aborted.
{FRAME}
"""
NOTICED = (
    ABORTED
    + f"""{FRAME}
mpirun noticed that process rank 1 with PID 0 on node vm exited on signal %s.
{FRAME}
"""
)
UNABLE = f"""{FRAME}
mpirun was unable to launch the specified application as it could not access
or execute an executable:

Executable: /nonexistent
Node: vm

while attempting to start process rank 0.
{FRAME}
2 total processes failed to start
"""


@pytest.fixture
def folder(tmp_path: Path) -> TrialFolder:
    made = TrialFolder(tmp_path)
    made.launcher_log.parent.mkdir(parents=True)
    return made


def leave(folder: TrialFolder, rank: int, at: float, message: str) -> None:
    write_failure(folder.failure(rank), Failure("error", message, rank, "host", at))


def test_the_first_ranks_own_words_win_over_the_echo_and_over_mpirun(folder: TrialFolder) -> None:
    began = time.time()
    leave(folder, 0, began + 2.0, "MPI_Allreduce failed")
    leave(folder, 1, began + 1.0, "the loss is not finite at step 3")
    folder.launcher_log.write_text(NOTICED % "9 (Killed)")
    found = diagnose(folder, 137, began)
    assert (found.rank, found.message) == (1, "the loss is not finite at step 3")


def test_words_of_an_earlier_attempt_do_not_count(folder: TrialFolder) -> None:
    leave(folder, 0, time.time() - 100.0, "old")
    assert "it said nothing" in diagnose(folder, 1, time.time() - 1.0).message


@pytest.mark.parametrize(
    ("signal", "code", "kind", "words"),
    [
        ("9 (Killed)", 137, "killed", "rank 1 was killed (SIGKILL): by hand, or because the machine ran out of memory"),
        ("11 (Segmentation fault)", 139, "crash", "rank 1 crashed (SIGSEGV)"),
        ("6 (Aborted)", 134, "crash", "rank 1 aborted (SIGABRT)"),
        ("7 (Bus error)", 135, "crash", "rank 1 crashed (SIGBUS): often /dev/shm is full"),
        ("31 (Bad system call)", 159, "crash", "rank 1 ended by signal 31"),
    ],
)
def test_a_signal_that_mpirun_noticed_is_told_in_words(
    folder: TrialFolder, signal: str, code: int, kind: str, words: str
) -> None:
    folder.launcher_log.write_text(NOTICED % signal)
    folder.log(1).write_text("step 12\nlast words of the rank\n")
    found = diagnose(folder, code, time.time() - 1.0)
    assert (found.kind, found.message, found.rank) == (kind, words, 1)
    assert found.trace.endswith("last words of the rank")


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (137, "killed", "the ranks' starter was killed (SIGKILL)"),
        (143, "killed", "the ranks' starter was told to end (SIGTERM)"),
        (139, "crash", "the ranks' starter crashed (SIGSEGV)"),
    ],
)
def test_a_starter_that_a_signal_ended_is_told_in_words(folder: TrialFolder, code: int, kind: str, words: str) -> None:
    folder.log(0).write_text("the only rank's last words")
    found = diagnose(folder, code, time.time() - 1.0)
    assert found.kind == kind
    assert found.message.startswith(words)
    assert found.trace == "the only rank's last words"


def test_a_guard_that_was_killed_is_told(folder: TrialFolder) -> None:
    found = diagnose(folder, -9, time.time())
    assert (found.kind, found.message) == ("killed", "the guard of the ranks was killed from outside")


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        (
            UNABLE,
            132,
            "mpirun was unable to launch the specified application as it could not access or execute an executable:",
        ),
        (f"python: No module named jack_ray\n{ABORTED}", 1, "python: No module named jack_ray"),
        ("guard: cannot start /bin/mpirun: No such file\n", 127, "guard: cannot start /bin/mpirun: No such file"),
        (ABORTED, 3, "Primary job terminated normally, but 1 process returned a non-zero exit code."),
        ("", 1, "it said nothing"),
    ],
)
def test_ranks_that_did_not_come_up_are_told_with_the_starters_words(
    folder: TrialFolder, text: str, code: int, words: str
) -> None:
    folder.launcher_log.write_text(text)
    found = diagnose(folder, code, time.time() - 1.0)
    assert found.kind == "start"
    assert found.message.startswith(f"the ranks did not come up (exit code {code}): {words}")
    assert found.message.endswith(f"; all of it: {folder.launcher_log}")


def test_a_log_of_an_earlier_attempt_is_not_read(folder: TrialFolder) -> None:
    folder.launcher_log.write_text(NOTICED % "9 (Killed)")
    assert diagnose(folder, 1, time.time() + 10.0).kind == "start"


def test_missing_logs_are_no_error(tmp_path: Path) -> None:
    assert diagnose(TrialFolder(tmp_path), 1, time.time()).kind == "start"


def test_a_disk_too_full_for_a_reason_is_told_by_the_exit_code(folder: TrialFolder) -> None:
    found = diagnose(folder, 28, time.time() - 1)
    assert found.kind == "disk"
    assert "no space left" in found.message
