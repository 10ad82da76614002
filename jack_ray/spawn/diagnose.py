"""Exit code, rank files and mpirun's words -> the first cause of a failure."""

import re
import socket
from pathlib import Path

from jack_ray.contract.failure import DISK_FULL, Failure, Kind, earliest, now
from jack_ray.contract.paths import TrialFolder

_NOTICED = re.compile(r"process rank (\d+).*?exited on\s+signal (\d+)", re.DOTALL)

_FRAME = re.compile(r"^-{20,}\n(.*?)^-{20,}$", re.DOTALL | re.MULTILINE)
"""What mpirun has to say stands between two lines of dashes."""

_SIGNALS: dict[int, tuple[Kind, str]] = {
    9: ("killed", "was killed (SIGKILL): by hand, or because the machine ran out of memory"),
    15: ("killed", "was told to end (SIGTERM)"),
    7: ("crash", "crashed (SIGBUS): often /dev/shm is full"),
    11: ("crash", "crashed (SIGSEGV)"),
    6: ("crash", "aborted (SIGABRT)"),
    4: ("crash", "met an unknown instruction (SIGILL): the operators were compiled for another processor"),
}


def diagnose(folder: TrialFolder, exit_code: int, since: float) -> Failure:
    """Why an attempt that began at `since` (seconds since 1970) ended with `exit_code`.

    A rank's own words come first, the earliest of them; then mpirun's; the exit code is the last resort.
    """
    if exit_code < 0:
        return now("killed", "the guard of the ranks was killed from outside", socket.gethostname())
    own_words = earliest(folder.failure(0).parent, since)
    if own_words is not None:
        return own_words
    host = socket.gethostname()
    text = _tail(folder.launcher_log, since)
    noticed = _NOTICED.search(text)
    if noticed is not None:
        rank, number = int(noticed[1]), int(noticed[2])
        kind, words = _SIGNALS.get(number, ("crash", f"ended by signal {number}"))
        return now(kind, f"rank {rank} {words}", host, rank, _tail(folder.log(rank), since))
    if exit_code == DISK_FULL:
        return now("disk", "no space left on the disk of the runs folder; free some and run it again", host)
    if exit_code > 128 and "mpirun was unable" not in text:  # which ends it with a code of its own
        kind, words = _SIGNALS.get(exit_code - 128, ("crash", f"ended by signal {exit_code - 128}"))
        return now(kind, f"the ranks' starter {words}", host, trace=text or _tail(folder.log(0), since))
    message = f"the ranks did not come up (exit code {exit_code}): {_said(text)}"
    return now("start", f"{message}; all of it: {folder.launcher_log}", host, trace=text)


def _said(text: str) -> str:
    """One line out of what was printed: the last that is not mpirun's, else what mpirun's first frame begins with."""
    lines = [line.strip() for line in _FRAME.sub("", text).splitlines() if line.strip()]
    told = [line for line in lines if not line.endswith("failed to start")]
    if told:
        return told[-1]
    frame = _FRAME.search(text)
    return " ".join(frame[1].strip().split("\n\n")[0].split()) if frame is not None else "it said nothing"


def _tail(path: Path, since: float, num_lines: int = 40) -> str:
    try:
        if path.stat().st_mtime < since:
            return ""
        with path.open("rb") as opened:
            opened.seek(max(0, path.stat().st_size - 20_000))
            return "\n".join(opened.read().decode(errors="replace").splitlines()[-num_lines:])
    except OSError:
        return ""
