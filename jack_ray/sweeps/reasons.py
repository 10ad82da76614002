"""Why a trial does not get on, in the words of whoever knows: the driver, the first rank that failed, its log."""

import time
from collections.abc import Iterator

from jack_ray.contract.control import Control, load_control
from jack_ray.contract.failure import Failure, earliest
from jack_ray.contract.paths import TrialFolder
from jack_ray.contract.state import load_state
from jack_ray.contract.status import TrialStatus
from jack_ray.sweeps.logs import LAUNCHER, last_lines, log_files
from jack_ray.sweeps.standing import OVER, Standing
from jack_ray.sweeps.table import below, settings, state_of
from jack_ray.sweeps.words import ago, plural

ECHO_S = 60.0
"""Within so many seconds the ranks of a gang fail one after the other."""
ALIKE = 3
"""Trials that wait for the same are told up to this many."""


def reasons(standing: Standing, trial: str | None, lines: int) -> list[str]:
    """The lines to print: of one trial, or of the sweep and of every trial in it that does not get on."""
    if trial is not None:
        return _of_trial(standing, _status(standing, trial), lines)
    told = [f"{standing.id} ({standing.status.name}) {_state(standing)}", *below(standing)]
    control = load_control(standing.folder.control)
    if standing.is_alive and control.paused:
        told.append(f"It is paused: python -m jack_ray.sweeps resume {standing.id}")
    failed = [one for one in standing.trials if one.status == "failed"]
    waiting = [one for one in standing.trials if one.status not in OVER and _waits(one, standing)]
    for one in failed:
        told += ["", *_of_trial(standing, one, lines)]
    for one in waiting[:ALIKE]:
        told += ["", *_of_trial(standing, one, lines)]
    if len(waiting) > ALIKE:
        told += ["", f"{plural(len(waiting) - ALIKE, 'more trial')} waiting: name one with --trial."]
    if not failed and not waiting and standing.is_alive:
        told += ["All trials that have been started get on."]
    return told


def _state(standing: Standing) -> str:
    done = f"{standing.done} of {plural(standing.status.total, 'trial')} done"
    words = {"died": "has lost its driver", "finished": "has finished", "running": "is running", "paused": "is paused",
             "failed": "has ended, not all well", "stopped": "was stopped", "killed": "was interrupted"}  # fmt: skip
    return f"{words.get(standing.state, standing.state)}, {done}."


def _status(standing: Standing, trial: str) -> TrialStatus:
    for one in standing.trials:
        if one.id == trial:
            return one
    return TrialStatus(trial, (), load_state(standing.trial_folder(trial).state).status, "", 0, 0)


def _waits(trial: TrialStatus, standing: Standing) -> bool:
    return (
        not standing.is_alive or trial.status != "running" or trial.phase.startswith(("waiting", "queued", "starting"))
    )


def _of_trial(standing: Standing, trial: TrialStatus, lines: int) -> list[str]:
    folder = standing.trial_folder(trial.id)
    named = f"{trial.id} {settings(trial.overrides)}".strip()
    told = [f"{named}: {state_of(trial, standing)}, step {trial.step} of {trial.steps}, attempt {trial.attempt}"]
    told += [f"  {line}" for line in _why(standing, trial, folder)]
    if trial.failures:
        counts = ", ".join(f"{count} {kind}" for kind, count in trial.failures.items())
        told.append(f"  Attempts that failed: {counts}")
    failure = _failure(folder) if _has_failed(trial) else None
    log = _log(folder, failure, lines) if _has_failed(trial) or trial.status == "running" else []
    trace = failure.trace.rstrip().splitlines()[-lines:] if failure is not None else []
    if trace and f"    {trace[-1]}" not in log:
        told += ["  The end of its traceback:", *(f"    {line}" for line in trace)]
    told += log
    return [*told, f"  All of it: {folder.path}"]


def _failure(folder: TrialFolder) -> Failure | None:
    """The first cause of the last failure; files of earlier attempts may lie beside it."""
    ranks = folder.launcher_log.parent
    newest = max((path.stat().st_mtime for path in ranks.glob("*.failed.json")), default=0.0)
    return earliest(ranks, newest - ECHO_S)


def _has_failed(trial: TrialStatus) -> bool:
    return trial.status == "failed" or bool(trial.failures)


def _why(standing: Standing, trial: TrialStatus, folder: TrialFolder) -> Iterator[str]:
    control: Control = load_control(standing.folder.control)
    if trial.status == "finished":
        yield "It has finished."
    elif trial.id in control.pause_trials:
        yield f"It was told to pause: python -m jack_ray.sweeps resume {standing.id} --trial {trial.id}"
    elif trial.status == "running" and standing.is_alive:
        if (silent_s := _silence(folder)) is not None:
            yield f"Its ranks gave their last sign of life {ago(silent_s)} ago."
    elif trial.status in ("running", "waiting", "new", "killed") and not standing.is_alive:
        yield f"Nobody works on it: python -m jack_ray.sweeps resume {standing.id}"
    elif trial.status in ("waiting", "new", "paused"):
        yield _room(standing, trial)
    if trial.message and (trial.failures or trial.status in ("failed", "stopped", "killed")):
        yield trial.message.replace("\n", " ")
    if trial.status == "failed" and not standing.is_alive:
        yield f"The same command tries it again: python -m jack_ray.sweeps resume {standing.id} --run"


def _room(standing: Standing, trial: TrialStatus) -> str:
    running = sum(one.status == "running" for one in standing.trials)
    need = f"; it needs {standing.status.need}" if standing.status.need else ""
    if trial.phase.startswith("waiting"):
        return f"{trial.phase}{need}"
    words = f" ({trial.phase})" if trial.phase else ""
    return f"It waits for its turn{words}: {plural(running, 'trial')} running{need}"


def _silence(folder: TrialFolder) -> float | None:
    """Seconds since the last sign of life of any rank."""
    beats = [path.stat().st_mtime for path in folder.launcher_log.parent.glob("*.beat")]
    return time.time() - max(beats) if beats else None


def _log(folder: TrialFolder, failure: Failure | None, lines: int) -> list[str]:
    """The end of the log that says most: of the rank that failed first, else of rank 0, else of mpirun."""
    logs = log_files(folder)
    wanted = [f"rank {failure.rank}"] if failure is not None and failure.rank is not None else []
    for who in [*wanted, "rank 0", LAUNCHER]:
        found = last_lines(logs[who], lines) if who in logs else []
        if found:
            return [f"  Last lines of {who} ({logs[who]}):", *(f"    {line}" for line in found)]
    return []
