"""Deliver a sweep that was written while MLflow was away, or to another store."""

import fcntl
from dataclasses import replace
from pathlib import Path

from jack_ray.contract.errors import JackRayError
from jack_ray.contract.paths import SweepFolder
from jack_ray.contract.state import load_state
from jack_ray.upload.protocol import Close, Ending, Told, TrialEnded, TrialStarted, read_told
from jack_ray.upload.service import Inbox, OpenStore, Service
from jack_ray.upload.uri import absolute_uri, check_uri, without_password

_ENDINGS: dict[str, Ending] = {"finished": "finished", "stopped": "stopped", "failed": "failed"}


def replay(folder: SweepFolder, uri: str | None, open_store: OpenStore) -> str:
    """Deliver everything; the text that says so. Raises JackRayError if that is not possible, or not now."""
    told = read_told(folder.commands)
    if told.sweep is None:
        raise JackRayError(
            f"{folder.path} holds no sweep that was tracked ({folder.commands.name} is missing or empty). "
            "Name a folder of <runs>/sweeps."
        )
    if _is_running(folder):
        raise JackRayError(f"The sweep in {folder.path} is running; it delivers its numbers itself.")
    if uri is not None:
        check_uri(uri)
        told.sweep = replace(told.sweep, uri=absolute_uri(uri))
    for trial in told.trials.values():
        told.endings.setdefault(trial.trial_id, _ending(trial))
    told.closed = told.closed or Close("killed", "the driver ended without a word")
    return _serve(folder, told, open_store)


def _serve(folder: SweepFolder, told: Told, open_store: OpenStore) -> str:
    assert told.sweep is not None
    inbox = Inbox()
    for command in told.commands():
        inbox.put(command)
    service = Service(folder, inbox, open_store)
    where = without_password(told.sweep.uri)
    if not service.run():
        raise JackRayError(f"Not everything could be delivered to {where}: {service.last_error}.")
    return f"{len(told.trials)} trials delivered to {where}, experiment {told.sweep.experiment}."


def _ending(trial: TrialStarted) -> TrialEnded:
    """How a trial ended that the driver said nothing more of."""
    state = load_state(Path(trial.folder) / "state.json")
    return TrialEnded(trial.trial_id, _ENDINGS.get(state.status, "killed"), state.message)


def _is_running(folder: SweepFolder) -> bool:
    """Whether a driver holds the sweep's lock."""
    try:
        with folder.lock.open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
