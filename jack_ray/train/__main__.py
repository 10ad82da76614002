"""One rank of a trial: `python -m jack_ray.train runs/trials/<id>/trial.json`, under mpirun or alone.

Nothing that takes time is imported before this process is tied to its parent's life and its output goes to the
rank's log. Whatever goes wrong ends in this rank's failure file and a hard exit: a rank that unwinds politely
would wait for the others in MPI's finalisation.
"""

import contextlib
import ctypes
import errno
import os
import signal
import socket
import sys
import traceback
import warnings
from pathlib import Path

from jack_ray.contract import mailbox
from jack_ray.contract.environment import default_jittor_home, jittor_variables
from jack_ray.contract.errors import MAX_SHOWN, DataError, FaultsError, JackRayError, TrainError
from jack_ray.contract.failure import DISK_FULL, Failure, Kind, now, write_failure
from jack_ray.contract.mailbox import Mailbox
from jack_ray.contract.paths import TrialFolder
from jack_ray.contract.trial import load_trial

_PR_SET_PDEATHSIG = 1

SWITCH_S = 2e-4
"""How long a reading thread may keep the training one from Python; it waited up to 5 ms after writing an event."""

_MEMORY_WORDS = ("out of memory", "bad_alloc", "cudaErrorMemoryAllocation", "OUT_OF_MEMORY")
"""Of CUDA, C++ and Jittor, which raise RuntimeError."""


def _kind(error: BaseException) -> Kind:
    if isinstance(error, DataError):
        return "data"
    if isinstance(error, TrainError):
        return "diverged"
    if isinstance(error, MemoryError) or any(words in str(error) for words in _MEMORY_WORDS):
        return "memory"
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "disk"
    return "error"


def failure_of(error: BaseException, rank: int) -> Failure:
    """What a rank leaves behind: the message of our own errors, the name and message of others, the traceback."""
    kind = _kind(error)
    message = str(error) if isinstance(error, JackRayError) else f"{type(error).__name__}: {error}"
    if isinstance(error, FaultsError):
        message = "; ".join(str(fault).split("\n")[0] for fault in error.faults[:MAX_SHOWN])
        message += f"; and {len(error.faults) - MAX_SHOWN} more" if len(error.faults) > MAX_SHOWN else ""
    if kind == "disk" and isinstance(error, OSError):
        message = f"no space left on the disk of {error.filename or 'the runs folder'}; free some and run it again"
    return now(kind, message, socket.gethostname(), rank, "".join(traceback.format_exception(error)))


def _tie_to_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _redirect(log: Path) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    os.close(handle)


def _restore_handlers() -> None:
    """Undo what importing Jittor did: any child that a signal ends would otherwise end this process."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _run(folder: TrialFolder, attempt: int) -> None:
    trial = load_trial(folder.trial)
    from jack_ray.train.method import typed

    settings = typed(trial)
    warnings.filterwarnings("ignore", message="The value of the smallest subnormal")  # Jittor flushes them to zero
    import jittor as jt

    _restore_handlers()
    sys.setswitchinterval(SWITCH_S)
    from jack_ray.train.known import Known
    from jack_ray.train.loop import fit
    from jack_ray.train.ranks import Ranks
    from jack_ray.train.report import Report
    from jack_ray.train.versions import versions

    jt.flags.use_cuda = int(os.environ.get("JACK_RAY_GPU", "0"))
    known = Known(trial)
    known.choose_lock()
    ranks = Ranks()
    if ranks.size != trial.ranks:
        raise JackRayError(f"{folder.trial} is a trial of {trial.ranks} ranks, but {ranks.size} were started")
    report = Report(folder, ranks.rank, attempt)
    here = {"host": socket.gethostname(), "pid": os.getpid()}
    report.started(ranks=ranks.size, threads=trial.threads, **here, versions=versions())
    fit(trial, settings, folder, ranks, report)
    known.remember()
    ranks.gather(None)  # no rank leaves while another still writes


class _Rank:
    """This process and the trial it works at."""

    def __init__(self, folder: TrialFolder, attempt: int, rank: int) -> None:
        self.folder = folder
        self.attempt = attempt
        self.rank = rank

    def serve(self, place: str | None) -> None:
        """Train; then, where there is a mailbox, whatever is handed over next, until this process is ended."""
        _run(self.folder, self.attempt)
        number = 0
        while place is not None:
            from jack_ray.train.stay import wait_for_next

            number += 1
            handed = wait_for_next(Mailbox(Path(place)), number)
            self.folder, self.attempt = TrialFolder(Path(handed.trial_file).parent), handed.attempt
            _redirect(self.folder.log(self.rank))
            os.chdir(self.folder.path)
            _run(self.folder, self.attempt)


def main(argv: list[str]) -> int:
    """Train; 0 when the trial is complete, 1 when this rank's failure file says why not, 28 for a full disk."""
    if len(argv) != 1 or argv[0] in ("-h", "--help"):
        print(__doc__)
        return 0 if argv and argv[0] in ("-h", "--help") else 2
    launched = "JACK_RAY_ATTEMPT" in os.environ
    folder = TrialFolder(Path(argv[0]).resolve().parent)
    rank = int(os.environ.get("OMPI_COMM_WORLD_RANK", "0"))
    if launched:
        _tie_to_parent()
        _redirect(folder.log(rank))
    elif "JITTOR_HOME" not in os.environ:
        os.environ |= jittor_variables(default_jittor_home(), os.cpu_count() or 1)
    at_work = _Rank(folder, int(os.environ.get("JACK_RAY_ATTEMPT", "1")), rank)
    try:
        at_work.serve(os.environ.get(mailbox.VARIABLE))
    except BaseException as error:
        failure = failure_of(error, rank)
        with contextlib.suppress(OSError):  # a full disk must not hide the first cause
            write_failure(at_work.folder.failure(rank), failure)
        with contextlib.suppress(OSError):  # the log lies there, too, and this must be a hard exit
            print(failure.trace if launched else f"error: {failure}", file=sys.stderr, flush=True)
        os._exit(DISK_FULL if failure.kind == "disk" else 1)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
