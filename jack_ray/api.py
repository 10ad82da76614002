"""Sweeps from Python, for notebooks: the same command line, in a process of its own."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from jack_ray.contract.environment import python_path
from jack_ray.contract.errors import ConfigError, Fault, JackRayError
from jack_ray.contract.paths import SweepFolder, sweep_folder
from jack_ray.sweeps.files import frame
from jack_ray.sweeps.find import Shelf, default_runs
from jack_ray.sweeps.logs import Stream
from jack_ray.sweeps.one_trial import trial_of
from jack_ray.sweeps.results import results_of
from jack_ray.sweeps.standing import Standing, driver_of, read_standing, words_again
from jack_ray.sweeps.wishes import Wish, settled, wish

if TYPE_CHECKING:
    import pandas

LOOK_S = 0.2
START_S = 60.0
"""A driver that does not hold its sweep after so long has not come up."""
WAIT_S = 30.0
"""How long a wish may take to show."""


class Sweep:
    """A sweep, running or ended. It goes on when this process ends; `stop` ends it.

    `Sweep.id` names it in every command of `python -m jack_ray.sweeps`, too.
    """

    def __init__(self, folder: SweepFolder, process: "subprocess.Popen[bytes] | None" = None) -> None:
        self._folder = folder
        self._process = process

    @property
    def id(self) -> str:
        """Its id."""
        return self._folder.path.name

    @property
    def folder(self) -> Path:
        """Where its state lies."""
        return self._folder.path

    def status(self) -> Standing:
        """How it stands now; shows itself as a table."""
        self._reap()
        return read_standing(self._folder)

    def results(self) -> "pandas.DataFrame":
        """One row a trial so far, best first: settings, metrics, GPU-hours, checkpoint, run id."""
        return frame([result.row() for result in results_of(self.status())])

    def wait(self, timeout_s: float | None = None) -> Standing:
        """Until it has ended. Raises TimeoutError after `timeout_s`; the sweep goes on then."""
        until = None if timeout_s is None else time.monotonic() + timeout_s
        while (standing := self.status()).is_alive or self._is_running():
            if until is not None and time.monotonic() > until:
                raise TimeoutError(f"{self.id} has not ended after {timeout_s:g} s; {standing.done} trials are done")
            time.sleep(LOOK_S)
        return self.status()

    def stop(self, trial: str | None = None) -> str:
        """End it as Ctrl-C does, or one trial of it; what was done, in words. Raises JackRayError if nothing runs."""
        return self._wish("stop", trial)

    def pause(self, trial: str | None = None) -> str:
        """Let it, or one trial of it, wait after its last checkpoint. Raises JackRayError if nothing runs."""
        return self._wish("pause", trial)

    def resume(self, trial: str | None = None) -> str:
        """Let it, or one trial of it, go on; a sweep that has ended is started again as it was typed.

        Raises JackRayError when it cannot be started.
        """
        standing = settled(self.status(), WAIT_S)
        if standing.is_alive:
            return self._wish("resume", trial)
        if standing.state == "finished":
            return f"{self.id} has finished; there is nothing to go on with."
        self._process = _start(words_again(standing.status.typed), self._folder, Path(standing.status.folder))
        return f"{self.id} goes on"

    def logs(self, trial: str | None = None, rank: int | None = None) -> str:
        """What its ranks have printed, with trial and rank in front of each line."""
        return "\n".join(self._lines(trial, rank))

    def _lines(self, trial: str | None, rank: int | None) -> Iterator[str]:
        stream = Stream(self._folder, trial_of(self.status(), trial) if trial is not None else None, rank)
        yield from stream.read()
        yield from stream.rest()

    def _wish(self, kind: Wish, trial: str | None) -> str:
        standing = self.status()
        named = trial_of(standing, trial) if trial is not None else None
        words = wish(standing, kind, named, WAIT_S).words
        self._reap()
        return words

    def _reap(self) -> None:
        """Take the exit code of a driver that has ended, so that it does not stay as a zombie."""
        if self._process is not None:
            self._process.poll()

    def _is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def __repr__(self) -> str:
        return repr(self.status())

    def _repr_html_(self) -> str:
        return self.status()._repr_html_()


def sweep(*overrides: str) -> Sweep:
    """Start what `python -m jack_ray.launch OVERRIDES` would, in the background and in the current folder.

    What it prints goes to `launch.log` in the sweep's folder. Raises ConfigError or DataError with every fault
    before anything starts, JackRayError when it does not come up, or runs already.
    """
    from jack_ray.compose import read_command  # loads Hydra and Optuna: what only a launch needs
    from jack_ray.launch import checked

    command = read_command(list(overrides))
    if command.help or command.version or command.show is not None:
        flag = next(word for word in overrides if word.startswith("-"))
        raise ConfigError([Fault(flag, "a flag", "settings such as train.lr=1e-4; flags are for the command line")])
    plan, _, _ = checked(command)
    if plan.base.dry_run:
        raise ConfigError([Fault("dry_run", "true", "a sweep to start; every check has passed", "Leave it out.")])
    folder = sweep_folder(Path(plan.base.site.runs), plan.sweep_id)
    return Sweep(folder, _start(list(overrides), folder, Path.cwd()))


def open_sweep(id: str | None = None, runs: str | Path | None = None) -> Sweep:
    """A sweep by its id, a trial's or an MLflow run's, or the beginning of one; none: the newest.

    runs: the folder of trials and sweeps, `site.runs` of the config unless given. Raises JackRayError.
    """
    return Sweep(_shelf(runs).find(id).folder)


def list_sweeps(runs: str | Path | None = None) -> "pandas.DataFrame":
    """All sweeps, newest first, one row each."""
    return frame([standing.plain() for standing in _shelf(runs).standings])


def _shelf(runs: str | Path | None) -> Shelf:
    return Shelf(Path(runs).expanduser().resolve() if runs is not None else default_runs())


def _start(words: list[str], folder: SweepFolder, where: Path) -> "subprocess.Popen[bytes]":
    """The driver, once it holds its sweep. Raises JackRayError with its last words if it ends before."""
    if (driver := driver_of(folder)) is not None:
        raise JackRayError(
            f"sweep {folder.path.name} runs already, in process {driver}; "
            f"jack_ray.open_sweep({folder.path.name!r}) is it"
        )
    folder.path.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {"PYTHONPATH": python_path(), "PYTHONUNBUFFERED": "1"}
    with folder.launch_log.open("ab") as log:
        before = log.tell()
        process = subprocess.Popen(
            [sys.executable, "-m", "jack_ray.launch", *words],
            cwd=where, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    until = time.monotonic() + START_S
    while process.poll() is None and driver_of(folder) != process.pid:
        if time.monotonic() > until:
            process.terminate()
            raise JackRayError(f"the sweep did not start within {START_S:g} s; see {folder.launch_log}")
        time.sleep(LOOK_S)
    if process.poll() == 2:
        printed = folder.launch_log.read_bytes()[before:].decode("utf-8", "replace")
        raise JackRayError(printed.strip().removeprefix("error: ") or f"it did not start; see {folder.launch_log}")
    return process
