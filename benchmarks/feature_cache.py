"""A sweep of five trials over a frozen backbone, with its features kept and without (data.feature_cache).

Both sides are the same command but for the switch, with the same fixed clips, and end with the same numbers. The folder
of features is empty at the beginning of each turn: the first trial of the sweep computes what the others read.
"""

import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.figures import Figure
from benchmarks.options import Options
from jack_ray.contract import events
from jack_ray.contract.environment import PACKAGE_PARENT, default_jittor_home, interpreter, python_path
from jack_ray.contract.paths import TrialFolder
from jack_ray.spawn import preflight

MODELS = ("vaanet_small", "cten_smoke")
RATES = "0.002,0.001,0.0005,0.0002,0.0001"
FROZEN = ("model.backbone=frozen", "model.freeze_bn=true", "data.clips=fixed")
PLAIN = ("cluster=inline", "mpi=none", "cluster.ranks=1", "tracking=none", "model.num_classes=8")
MOST_TURNS = 3
"""Of some minutes each."""
SAME = 1e-3
"""How far the losses of the two sides may be apart, relatively, at the end of a trial."""

Losses = Mapping[str, float]
"""Trial -> its last loss."""


@dataclass(frozen=True)
class Cost:
    """Of a sweep."""

    wall_s: float
    cpu_s: float
    """Of all its processes, which says more than the clock where others use the machine, too."""
    losses: Losses


def measure(options: Options) -> Iterator[Figure]:
    """The wall time of the sweep, from the command to its table; in turns, the median of each side."""
    home = default_jittor_home()
    preflight.prepare(home, lambda words, share: None)
    for model in options.choose(MODELS):
        with tempfile.TemporaryDirectory() as folder:
            data = Path(folder) / "data"
            _run(["jack_ray.data", "demo", model.partition("_")[0], str(data)])
            for kept in ("true", "false"):  # compiles what is not yet compiled
                _sweep(
                    model, data, Path(folder) / f"warm-{kept}", kept, options.threads, "train.steps=1", "train.lr=0.001"
                )
            count = min(options.repeat, MOST_TURNS)
            turns = [_turn(model, data, Path(folder) / str(turn), options.threads) for turn in range(count)]
        _hold_together(*(side.losses for side in turns[0]))
        ours, rival = (median(turn[side].wall_s for turn in turns) for side in range(2))
        yield Figure(f"features.{model}", "feature_cache_speedup", rival / ours, ours, rival, "s")
        ours, rival = (median(turn[side].cpu_s for turn in turns) for side in range(2))
        yield Figure(f"features.{model}", "feature_cache_cpu_speedup", rival / ours, ours, rival, "CPU s")


def _turn(model: str, data: Path, folder: Path, threads: int) -> list[Cost]:
    return [_sweep(model, data, folder / kept, kept, threads) for kept in ("true", "false")]


def _sweep(model: str, data: Path, folder: Path, kept: str, threads: int, *changes: str) -> Cost:
    """What a sweep costs, and what its trials come to."""
    words = [
        f"model={model}",
        *(changes or (f"train.lr={RATES}",)),
        f"data.root={data}",
        f"data.feature_cache={kept}",
        *FROZEN,
        *PLAIN,
    ]
    words += [
        f"site.runs={folder / 'runs'}",
        f"site.features={folder / 'features'}",
        f"cluster.cpus_per_rank={threads}",
    ]
    wall, cpu = time.perf_counter(), _cpu_s()
    _run(["jack_ray.launch", *words])
    wall, cpu = time.perf_counter() - wall, _cpu_s() - cpu
    trials = sorted((folder / "runs" / "trials").iterdir())
    return Cost(wall, cpu, {path.name: _last_loss(TrialFolder(path)) for path in trials})


def _cpu_s() -> float:
    """Of all processes that were started here, and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _last_loss(folder: TrialFolder) -> float:
    told = [event.values for event in events.read_from(folder.events, 0)[0] if "train/total" in event.values]
    return told[-1]["train/total"]


def _run(words: list[str]) -> None:
    environment = os.environ | {"PYTHONPATH": python_path()}
    done = subprocess.run(
        [interpreter(), "-m", *words], cwd=PACKAGE_PARENT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise SystemExit(f"error: {' '.join(words)}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def _hold_together(ours: Losses, rival: Losses) -> None:
    apart = [name for name, loss in rival.items() if name not in ours or abs(ours[name] - loss) > SAME * abs(loss)]
    if apart:
        raise SystemExit(f"error: the two sides do not compute the same: {', '.join(apart)}")
