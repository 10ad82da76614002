"""`python -m jack_ray.sweeps.draw SWEEP_FOLDER [TRIAL ..]`: draw a sweep as it stands, and how trials learnt.

A process of its own, started by the MLflow writer: what goes wrong in a drawing, or takes long, is nobody else's
business. It leaves the sweep's overview.png and report.html, each trial's learning_curves.png, and drawn.json.
"""

import argparse
import ctypes
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

from jack_ray.contract.drawn import Drawn, save_drawn
from jack_ray.contract.files import write_text
from jack_ray.contract.paths import SweepFolder
from jack_ray.contract.state import load_state
from jack_ray.sweeps.report import page
from jack_ray.sweeps.results import read_curves, results_of
from jack_ray.sweeps.standing import Standing, read_standing

NICE = 10
"""Training goes first."""
_PR_SET_PDEATHSIG = 1
LEAST = 3
"""Trials for which a process more is worth its while."""


def main(arguments: Sequence[str] | None = None) -> int:
    """0."""
    parser = argparse.ArgumentParser(prog="python -m jack_ray.sweeps.draw", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="SWEEP_FOLDER")
    parser.add_argument("trials", nargs="*", metavar="TRIAL", help="whose learning curves are drawn")
    parser.add_argument("--seconds", type=float, default=20.0, help="no further trial is begun after so many")
    parser.add_argument("--processes", type=int, default=1, help="that draw trials at the same time")
    options = parser.parse_args(arguments)
    os.nice(NICE)
    until = time.monotonic() + options.seconds
    standing = read_standing(SweepFolder(options.folder.resolve()))
    files = draw_sweep(standing)
    drawn = draw_beside(standing, options.trials, until, min(options.processes, len(options.trials) // LEAST))
    save_drawn(standing.folder.overview / "drawn.json", Drawn(files, drawn))
    return 0


def draw_sweep(standing: Standing) -> tuple[str, ...]:
    """Write the overview and the report of a sweep with trials; the names of the files that there are."""
    from jack_ray.sweeps.overview_picture import draw

    if not standing.trials:
        return ()
    results, folder = results_of(standing), standing.folder.overview
    write_text(folder / "report.html", page(results, [standing]))
    places = {trial.id: place for place, trial in enumerate(standing.trials)}
    in_order = sorted(results, key=lambda result: places[result.trial.id])
    is_drawn = draw(folder / "overview.png", standing.status.name, in_order, standing.status.typed)
    return ("overview.png", "report.html") if is_drawn else ("report.html",)


def draw_beside(standing: Standing, trials: Sequence[str], until: float, processes: int) -> dict[str, int]:
    """The same as `draw_trials`, in several processes."""
    if processes < 2:
        return draw_trials(standing, trials, until)
    parts = [trials[first::processes] for first in range(processes)]
    # forked: they have all that is imported
    with ProcessPoolExecutor(processes, multiprocessing.get_context("fork"), _end_with_parent) as pool:
        begun = [pool.submit(draw_trials, standing, part, until) for part in parts]
        return {trial: size for one in begun for trial, size in one.result().items()}


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def draw_trials(standing: Standing, trials: Sequence[str], until: float) -> dict[str, int]:
    """Draw how each trial learnt, while there is time (monotonic clock): trial -> bytes of its events that are shown.

    A trial with too few numbers has no picture, and is none to be asked for again.
    """
    from jack_ray.sweeps.learning_picture import draw

    drawn: dict[str, int] = {}
    for trial in trials:
        folder = standing.trial_folder(trial)
        size = folder.events.stat().st_size if folder.events.exists() else 0
        for told in results_of(standing, trial):
            ended = load_state(folder.state).status  # the status file of the sweep is up to a second behind
            result = replace(told, trial=replace(told.trial, status=ended))
            draw(folder.learning_curves, result, read_curves(folder))
        drawn[trial] = size
        if time.monotonic() > until:
            break
    return drawn


if __name__ == "__main__":
    sys.exit(main())
