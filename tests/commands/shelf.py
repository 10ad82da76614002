"""Sweeps on disk as a driver leaves them, without a driver."""

import fcntl
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from jack_ray.contract import events
from jack_ray.contract.control import load_control
from jack_ray.contract.files import write_json
from jack_ray.contract.paths import SweepFolder, TrialFolder, sweep_folder, trial_folder
from jack_ray.contract.state import State, save_state
from jack_ray.contract.status import SweepStatus, TrialStatus, load_status, save_status
from jack_ray.contract.trial import Trial
from jack_ray.sweeps.standing import Standing, read_standing

METRIC = "val/score"
RATES = (0.001, 0.01, 0.1)
SWEEP_RUN, TRIAL_RUN = "a" * 32, "b" * 32


def trial_with(rate: float) -> Trial:
    """One of the trials; its numbers depend on the rate."""
    train = {"lr": rate, "steps": 20, "seed": 1, "betas": [0.9, 0.999]}
    return Trial("toy", {"name": "toy", "width": 4}, {"name": "toys", "root": "/data"}, train, "0123456789", 2, 1)


@dataclass(frozen=True)
class Made:
    """A sweep on disk."""

    runs: Path
    folder: SweepFolder

    @property
    def standing(self) -> Standing:
        """As the commands read it."""
        return read_standing(self.folder)

    def trial(self, number: int) -> TrialFolder:
        """Where a trial lies; numbered by the rates."""
        return trial_folder(self.runs, trial_with(RATES[number]).id)

    def change(self, **changes: object) -> None:
        """Let the driver tell something else."""
        status = load_status(self.folder.status)
        assert status is not None
        save_status(self.folder.status, replace(status, **{"changed": time.time(), **changes}))  # type: ignore[arg-type]

    def change_trial(self, number: int, **changes: object) -> None:
        """Let it tell something else of one trial."""
        trials = list(self.standing.trials)
        trials[number] = replace(trials[number], **changes)  # type: ignore[arg-type]
        self.change(trials=tuple(trials))

    @contextmanager
    def driven(self) -> Iterator[None]:
        """A driver that holds the sweep and does what it is told, within a tenth of a second."""
        ended = threading.Event()
        with self.folder.lock.open("a+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            self.change(state="running")
            thread = threading.Thread(target=self._drive, args=(ended, lock.fileno()), daemon=True)
            thread.start()
            try:
                yield
            finally:
                ended.set()
                thread.join()

    def _drive(self, ended: threading.Event, lock: int) -> None:
        while not ended.wait(0.05) and self.standing.status.state != "stopped":
            self.obey()
        fcntl.flock(lock, fcntl.LOCK_UN)

    def obey(self) -> None:
        """What a driver does each round."""
        control = load_control(self.folder.control)
        trials = tuple(_obeying(trial, control.stop_trials, control.pause_trials) for trial in self.standing.trials)
        state = "stopped" if control.stop else "paused" if control.paused else "running"
        if control.stop or control.paused:
            trials = tuple(replace(one, status="killed") if one.status == "running" else one for one in trials)
        self.change(state=state, trials=trials)


def _obeying(trial: TrialStatus, stopped: tuple[str, ...], paused: tuple[str, ...]) -> TrialStatus:
    if trial.id in stopped:
        return replace(trial, status="stopped")
    if trial.id in paused:
        return replace(trial, status="killed", message="paused")
    return replace(trial, status="running") if trial.message == "paused" else trial


def make(runs: Path, sweep_id: str = "grid-1111111111", began: float = 1000.0) -> Made:
    """A finished sweep of three learning rates; the larger the rate, the better."""
    made = Made(runs, sweep_folder(runs, sweep_id))
    write_json(made.folder.sweep, {"id": sweep_id, "typed": ["model=toy", "sweep=lr"], "folder": str(runs.parent)})
    write_json(made.folder.tracking, {"runs": {"sqlite:///x": SWEEP_RUN}})
    trials = tuple(_make_trial(runs, sweep_id, number) for number in range(len(RATES)))
    status = SweepStatus(
        sweep_id, "toy grid train.lr", "finished", ("model=toy", "sweep=lr"), str(runs.parent), METRIC, "max",
        socket.gethostname(), os.getpid(), 3, began, time.time(), need="2 cores on one machine", trials=trials,
    )  # fmt: skip
    save_status(made.folder.status, status)
    return made


def _make_trial(runs: Path, sweep_id: str, number: int) -> TrialStatus:
    rate = RATES[number]
    trial = trial_with(rate)
    folder = trial_folder(runs, trial.id)
    trial.save(folder.trial)
    folder.launcher_log.parent.mkdir(parents=True, exist_ok=True)
    for rank in range(2):
        folder.log(rank).write_text(f"rank {rank} begins\nlr {rate}\n")
    if not folder.events.exists():
        for step in (10, 20):
            score = rate * step
            events.append(folder.events, events.new("metrics", 1, step, {METRIC: score, "train/total": 1 / score}))
    run_id = TRIAL_RUN if number == 0 else "cd"[number - 1] * 32
    records = json.loads(folder.tracking.read_text()) if folder.tracking.exists() else []
    write_json(folder.tracking, [*records, {"uri": "sqlite:///x", "sweep": sweep_id, "run_id": run_id}])
    checkpoint = folder.checkpoints / "step-00000020"
    checkpoint.mkdir(parents=True, exist_ok=True)
    write_json(folder.best, {"step": 20, "metric": "score", "value": rate * 20})
    save_state(folder.state, State("finished", 1, "", 20, {METRIC: rate * 20, "test/score": rate * 19}, 1800.0))
    return TrialStatus(
        trial.id, (f"train.lr={rate}",), "finished", "", 20, 20, epoch=2.0, best=rate * 20, attempt=1,
        nodes=("alpha",), cpus=2, gpus=2.0, seconds=1800.0,
    )  # fmt: skip
