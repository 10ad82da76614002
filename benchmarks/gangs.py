"""Ranks for a measurement: programs that mpirun starts as it starts a trial's ranks, and trials without Ray."""

import contextlib
import io
import json
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jack_ray.compose import make_plan, read_command
from jack_ray.contract.environment import PACKAGE_PARENT, default_jittor_home, interpreter, rank_environment
from jack_ray.contract.events import Event
from jack_ray.contract.paths import TrialFolder, trial_folder
from jack_ray.contract.schema import MpiConfig
from jack_ray.contract.trial import load_trial
from jack_ray.data.__main__ import main as data_command
from jack_ray.place.lead import Lead
from jack_ray.place.news import Order
from jack_ray.spawn import preflight
from jack_ray.spawn.mpirun import Host, command

PATIENCE_S = 1200.0
"""Of one program or trial: the first one compiles."""


def home() -> Path:
    """Where Jittor's core stands compiled; compiles it the first time."""
    found = default_jittor_home().absolute()
    os.environ["JACK_RAY_JITTOR_HOME"] = str(found)
    preflight.prepare(found, lambda words, share: None)
    return found


def mpi(ranks: int) -> MpiConfig:
    """As conf/mpi has it; one rank needs no mpirun."""
    return MpiConfig("openmpi" if ranks > 1 else "none", PATIENCE_S, None, 5.0)


def argv(ranks: int, module: str, words: Sequence[str]) -> list[str]:
    """The command that starts so many ranks of a module with the flags of a trial's ranks."""
    started = command(mpi(ranks), [Host("localhost", "127.0.0.1", "127.0.0.0/8", ranks)], Path("trial.json"))
    program = [interpreter(), "-m", "jack_ray.train", "trial.json"]
    assert started[-len(program) :] == program
    return [*started[: -len(program)], interpreter(), "-m", module, *words]


def run(ranks: int, module: str, words: Sequence[str], threads: int = 1) -> list[dict[str, Any]]:
    """Start the ranks of a module and wait; the lines of JSON that they printed."""
    done = subprocess.run(
        argv(ranks, module, words), cwd=PACKAGE_PARENT, env=rank_environment(home(), threads),
        capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    found = answers(done.stdout)
    if done.returncode != 0 or not found:
        raise SystemExit(f"error: {ranks} ranks of {module} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    return found


def answers(printed: str) -> list[dict[str, Any]]:
    """The lines that are objects of JSON; mpirun and libraries print others."""
    return [json.loads(line) for line in printed.splitlines() if line.startswith("{")]


@dataclass(frozen=True)
class Trained:
    """A trial that has ended well."""

    folder: TrialFolder
    events: tuple[Event, ...]

    def steps_s(self, skip: int) -> list[float]:
        """Seconds from each told step to the next, without the first ones, which compile and allocate."""
        times = [event.time for event in self.events if "train/total" in event.values]
        return [after - before for before, after in zip(times[skip:], times[skip + 1 :], strict=False)]


def demo_data(method: str, folder: Path) -> Path:
    """Generated data of a method, in a folder below this one."""
    data = folder / "data"
    with contextlib.redirect_stdout(io.StringIO()):
        code = data_command(["demo", method, str(data)])
    if code != 0:
        raise SystemExit(f"error: no demo data for {method}")
    return data


def new_trial(runs: Path, words: Sequence[str], ranks: int, threads: int = 1) -> TrialFolder:
    """The folder of the trial that these words are, ready for its ranks."""
    typed = [*words, f"site.runs={runs}", f"cluster.ranks={ranks}", f"cluster.cpus_per_rank={threads}"]
    trial, _ = make_plan(read_command(typed)).trial(())
    folder = trial_folder(runs, trial.id)
    trial.save(folder.trial)
    return folder


def train(runs: Path, words: Sequence[str], ranks: int, threads: int = 1) -> Trained:
    """Train one trial to its end, by the owner of an attempt that the cluster uses, without a cluster."""
    folder = new_trial(runs, words, ranks, threads)
    order = Order(load_trial(folder.trial), folder.path, 1, gpu=False, jittor_home=home(), mpi=mpi(ranks))
    return Trained(folder, tuple(_follow(Lead(order))))


def _follow(lead: Lead) -> Iterator[Event]:
    offset, deadline = 0, time.monotonic() + PATIENCE_S
    with _stopped_at_last(lead):
        while time.monotonic() < deadline:
            news, offset = lead.poll(offset)
            yield from news.events
            if news.ended is not None:
                if news.ended.status != "finished":
                    raise SystemExit(f"error: the trial {news.ended.status}: {news.ended.failure}")
                return
            time.sleep(0.05)
        raise SystemExit(f"error: no end of the trial after {PATIENCE_S:g} s")


@contextmanager
def _stopped_at_last(lead: Lead) -> Iterator[None]:
    try:
        yield
    finally:
        lead.stop()
