"""A sweep of 16 trials beside Ray Tune with Ray Train, and beside hydra's joblib launcher; what a slot wastes.

All train the same narrow TSL-Net on the same generated data with the same steps, evaluations, checkpoint and MLflow
store. Times are from the command to its end, with everything that was compiled before. Beside Ray Tune a trial is a
gang of two processes and the machine one slot; beside joblib a trial is one process and each core a slot.

Ray Tune's trials leave the numbers of their evaluation in MLflow, and so do joblib's in `joblib_numbers`. In `joblib`
they leave what ours do, losses of all steps, checkpoint and pictures, by MLflow's own calls.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.figures import Figure, speedup
from benchmarks.options import Options
from benchmarks.sweep import ours
from benchmarks.sweep.work import prepare, rates, save_trial, words
from jack_ray.contract.environment import PACKAGE_PARENT, python_path

TRIALS = 16
FEW = 4
MOST_TURNS = 3
"""Of a whole sweep and its rivals, which take minutes."""
RIVALS = {"joblib": "all", "joblib_numbers": "numbers"}
"""What joblib's trials leave in MLflow."""


def measure(options: Options) -> Iterator[Figure]:
    """Turnaround, utilisation, and the whole sweep beside its rivals; `--only tune joblib` for parts."""
    cores = os.cpu_count() or 1
    turns = min(options.repeat, MOST_TURNS)
    parts = options.choose(("turnaround", "tune", "joblib", "joblib_numbers"))
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        data = prepare(root)
        ours.launch(root / "first", words(data, 2, 1))  # compiles what a gang needs
        if "turnaround" in parts:
            yield from _turnaround(root, data)
        if "tune" in parts:
            yield from _beside(root, data, ["tune"], _Shape(2, 1), turns)
        if alone := [part for part in parts if part.startswith("joblib")]:
            ours.launch(root / "single", words(data, 1, 1))
            yield from _beside(root, data, alone, _Shape(1, cores), turns)


def _turnaround(root: Path, data: Path) -> Iterator[Figure]:
    found = {}
    for kept in (True, False):
        folder = root / f"keep-{kept}"
        ours.launch(folder, [*words(data, 2, FEW), f"cluster.keep_ranks={str(kept).lower()}"])
        found[kept] = median(ours.turnarounds(ours.times(folder)))
    yield Figure("sweep.ranks_that_stay", "turnaround_warm_s", found[True], found[True], found[False], "s")
    yield Figure("sweep.new_ranks", "turnaround_warm_cache_s", found[False], found[False], None, "s")


@dataclass(frozen=True)
class _Shape:
    """Of a sweep: processes of a trial, and trials at a time."""

    ranks: int
    slots: int


def _beside(root: Path, data: Path, rivals: Sequence[str], shape: _Shape, turns: int) -> Iterator[Figure]:
    trial = root / f"{shape.ranks}.json"
    save_trial(data, shape.ranks, trial)
    took: dict[str, list[float]] = {name: [] for name in ("ours", *rivals)}
    busy = []
    for turn in range(turns):  # one after the other, so that an hour's share of the machine is the same for all
        folder = root / f"{rivals[0]}-{turn}"
        took["ours"].append(ours.launch(folder, words(data, shape.ranks, TRIALS)))
        busy.append(ours.utilisation(ours.times(folder), shape.slots))
        for rival in rivals:
            took[rival].append(_rival(rival, trial, root / f"{rival}-{turn}-theirs", shape))
    name = f"sweep.{TRIALS}_trials"
    yield Figure(f"{name}.{shape.ranks}_ranks", "slot_utilisation", median(busy), median(busy), None, "share")
    for rival in rivals:
        metric = "sweep_speedup_numbers" if rival == "joblib_numbers" else "sweep_speedup"
        yield speedup(f"{name}.beside_{rival}", metric, median(took["ours"]), median(took[rival]), "s")


def _rival(name: str, trial: Path, folder: Path, shape: _Shape) -> float:
    """Seconds that a rival's sweep takes, in a new folder."""
    folder.mkdir()
    _make_store(folder)
    command = _tune(trial, folder, shape.ranks) if name == "tune" else _joblib(trial, folder, shape.slots, RIVALS[name])
    return _timed(command, folder)


def _tune(trial: Path, folder: Path, ranks: int) -> list[str]:
    return ["benchmarks.sweep.by_tune", str(trial), str(folder), str(ranks), str(TRIALS)]


def _joblib(trial: Path, folder: Path, slots: int, keeps: str) -> list[str]:
    values = ",".join(map(str, rates(TRIALS)))
    return [
        "benchmarks.sweep.by_joblib", "--multirun", "hydra/launcher=joblib", f"hydra.launcher.n_jobs={slots}",
        f"hydra.sweep.dir={folder}", f"+trial={trial}", f"+folder={folder}", f"+keeps={keeps}",
        f"+lr={values}",
    ]  # fmt: skip


def _make_store(folder: Path) -> None:
    """Two processes that make it at the same time break it, so it stands before the rivals start."""
    code = "import sys, mlflow; mlflow.set_tracking_uri(sys.argv[1]); mlflow.set_experiment(sys.argv[2])"
    words = [sys.executable, "-c", code, f"sqlite:///{folder}/mlflow.db", folder.name]
    subprocess.run(words, stderr=subprocess.DEVNULL, check=True)


def _timed(command: Sequence[str], folder: Path) -> float:
    environment = os.environ | {"PYTHONPATH": python_path(), "RAY_TRAIN_V2_ENABLED": "1", "OMP_NUM_THREADS": "1"}
    began = time.monotonic()
    with (folder / "said.log").open("wb") as log:
        told = subprocess.run(
            [sys.executable, "-m", *command], cwd=PACKAGE_PARENT, env=environment,
            stdout=log, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
    if told.returncode != 0:
        said = (folder / "said.log").read_text(errors="replace")
        raise SystemExit(f"error: {command[0]} failed:\n{said[-3000:]}")
    return time.monotonic() - began
