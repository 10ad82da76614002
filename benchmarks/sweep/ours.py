"""A sweep by jack_ray, as it is typed, and when its trials did what."""

import itertools
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from jack_ray.contract import events
from jack_ray.contract.environment import python_path
from jack_ray.contract.paths import TrialFolder


@dataclass(frozen=True)
class Times:
    """Of one trial, in seconds since 1970."""

    trained: float
    """Its first step began."""
    stepped: float
    """Its first step had ended."""
    step_s: float
    """A step of it, the median of all but the first."""
    ended: float


def launch(folder: Path, words: Sequence[str]) -> float:
    """Run a sweep in a folder of its own; its wall time in seconds. Raises SystemExit with what it said if it fails."""
    folder.mkdir(parents=True)
    environment = os.environ | {"PYTHONPATH": python_path(), "COLUMNS": "200"}
    began = time.monotonic()
    told = subprocess.run(
        [sys.executable, "-m", "jack_ray.launch", *words, "site.runs=runs", "tracking.uri=sqlite:///mlflow.db"],
        cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    if told.returncode != 0:
        raise SystemExit(f"error: jack_ray.launch {' '.join(words)} failed:\n{told.stdout[-3000:]}")
    return time.monotonic() - began


def times(folder: Path) -> list[Times]:
    """Of all trials, in the order in which they began."""
    found = []
    for path in (folder / "runs" / "trials").iterdir():
        told, _ = events.read_from(TrialFolder(path).events, 0)
        trained = next(event.time for event in told if event.kind == "phase" and event.about["name"] == "training")
        steps = [event.time for event in told if event.kind == "metrics" and "train/total" in event.values]
        ended = next(event.time for event in told if event.kind == "finished")
        between = [after - before for before, after in itertools.pairwise(steps)]
        found.append(Times(trained, steps[0], median(between), ended))
    return sorted(found, key=lambda entry: entry.trained)


def utilisation(trials: Sequence[Times], slots: int) -> float:
    """Share of the slots' time in which trials trained and evaluated, from the first step to the last result."""
    busy = sum(trial.ended - trial.trained for trial in trials)
    whole = max(trial.ended for trial in trials) - min(trial.trained for trial in trials)
    return busy / (slots * whole)


def turnarounds(trials: Sequence[Times]) -> list[float]:
    """From the end of a trial to the first step of the next one, without that step; for a sweep on one slot."""
    return [after.stepped - after.step_s - before.ended for before, after in itertools.pairwise(trials)]
