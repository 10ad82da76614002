"""One trial of the small model on the demo data, trained by real ranks without Ray."""

import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from jack_ray.compose import make_plan, read_command
from jack_ray.contract import events
from jack_ray.contract.events import Event
from jack_ray.contract.files import file_sha256
from jack_ray.contract.paths import TrialFolder, trial_folder
from jack_ray.contract.schema import MpiConfig
from jack_ray.contract.trial import load_trial
from jack_ray.place.lead import Lead
from jack_ray.place.news import Ended, Order

SMALL = ("model=tsl_small", "train.batch=4", "train.steps=4", "train.evaluate_every=2", "train.checkpoint_every=1")
"""A few seconds of training."""


@dataclass
class Ran:
    """What an attempt told and how it ended."""

    folder: TrialFolder
    ended: Ended
    told: list[Event] = field(default_factory=list)
    phases: list[str] = field(default_factory=list)

    def curve(self, name: str) -> dict[int, float]:
        """Step -> a metric."""
        return {
            event.step: event.values[name] for event in self.told if event.step is not None and name in event.values
        }

    @property
    def final(self) -> dict[str, float]:
        """The values of the `finished` event."""
        return next(event.values for event in self.told if event.kind == "finished")

    @property
    def message(self) -> str:
        """Why it failed."""
        assert self.ended.failure is not None, self.ended
        return self.ended.failure.message


def new_trial(runs: Path, data: Path, *words: str) -> TrialFolder:
    """The folder of a trial, ready for its ranks."""
    plan = make_plan(read_command([*SMALL, f"data.root={data}", f"site.runs={runs}", "cluster.ranks=2", *words]))
    trial, _ = plan.trial(())
    folder = trial_folder(runs, trial.id)
    trial.save(folder.trial)
    return folder


def order_of(folder: TrialFolder, home: Path, attempt: int, ranks: int, timeout_s: float = 600.0) -> Order:
    """An attempt of a trial; one rank is started without mpirun."""
    mpi = MpiConfig("openmpi" if ranks > 1 else "none", timeout_s, None, 5.0)
    trial = replace(load_trial(folder.trial), ranks=ranks, threads=1)
    return Order(trial, folder.path, attempt, gpu=False, jittor_home=home, mpi=mpi)


def follow(lead: Lead, until: str | None = None, timeout_s: float = 1500.0) -> Ran:
    """Listen to an attempt to its end, or to the first event of a kind, which has to come before the end."""
    ran = Ran(lead.folder, Ended("killed"))
    offset = 0
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        news, offset = lead.poll(offset)
        ran.told += news.events
        if news.phase not in ran.phases[-1:]:
            ran.phases.append(news.phase)
        if news.ended is not None:
            ran.ended = news.ended
            assert until is None, f"ended before the test could see {until}: {ran.ended}; {ran.told[-1:]}"
            return ran
        if until is not None and any(event.kind == until for event in ran.told):
            return ran
        time.sleep(0.05)
    lead.stop()
    raise AssertionError(f"no end after {timeout_s:g} s; {ran.phases}; {ran.told[-1:]}")


def train(
    folder: TrialFolder,
    home: Path,
    attempt: int = 1,
    ranks: int = 2,
    timeout_s: float = 600.0,
    *,
    storage: Path | None = None,
) -> Ran:
    """Run an attempt to its end. storage: where machines that share no disk meet."""
    order = order_of(folder, home, attempt, ranks, timeout_s)
    return follow(Lead(replace(order, storage=None if storage is None else str(storage))))


def fingerprint(folder: TrialFolder) -> dict[str, str]:
    """Checkpoint file -> sha256, for all that training left."""
    files = sorted(folder.checkpoints.glob("step-*/*.safetensors"))
    return {str(path.relative_to(folder.checkpoints)): file_sha256(path) for path in files}


def numbers(folder: TrialFolder) -> dict[tuple[int, str], float]:
    """(step, metric) -> the first value that any attempt told."""
    found: dict[tuple[int, str], float] = {}
    for event in events.read_from(folder.events, 0)[0]:
        for name, value in event.values.items():
            found.setdefault((event.step or 0, f"{event.kind} {name}"), value)
    return found
