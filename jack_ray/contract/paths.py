"""The names of all files of a trial and of a sweep; nobody else spells them."""

from dataclasses import dataclass
from pathlib import Path

KNOWN_GRAPHS = "known_graphs"
"""A folder in Jittor's cache."""


@dataclass(frozen=True)
class TrialFolder:
    """`<runs>/trials/<trial id>/`: everything one trial leaves behind, over all its attempts."""

    path: Path

    @property
    def trial(self) -> Path:
        """The trial itself; the only argument of a rank."""
        return self.path / "trial.json"

    @property
    def config(self) -> Path:
        """The composed config as YAML, for people and for MLflow."""
        return self.path / "config.yaml"

    @property
    def events(self) -> Path:
        """What rank 0 has to tell, one JSON object a line (contract/events.py)."""
        return self.path / "events.jsonl"

    @property
    def system(self) -> Path:
        """Use of processor and memory, one JSON object a line, written beside the ranks."""
        return self.path / "system.jsonl"

    @property
    def state(self) -> Path:
        """How the last attempt stands (contract/state.py)."""
        return self.path / "state.json"

    @property
    def checkpoints(self) -> Path:
        """One folder a checkpoint: `step-00000100/`."""
        return self.path / "checkpoints"

    @property
    def best(self) -> Path:
        """Which checkpoint is the best: {"step", "metric", "value"}."""
        return self.checkpoints / "best.json"

    @property
    def artifacts(self) -> Path:
        """Files for people: pictures, predictions."""
        return self.path / "artifacts"

    @property
    def learning_curves(self) -> Path:
        """Drawn of the events when the trial has ended, on the driver's machine."""
        return self.artifacts / "learning_curves.png"

    @property
    def tracking(self) -> Path:
        """How much of the events the MLflow writer has delivered, and to which run."""
        return self.path / "tracking.json"

    @property
    def lock(self) -> Path:
        """Held while an attempt runs, so that two sweeps never train the same trial at once."""
        return self.path / "lock"

    def log(self, rank: int) -> Path:
        """What one rank printed, over all attempts."""
        return self.path / "ranks" / f"{rank:02d}.log"

    def failure(self, rank: int) -> Path:
        """Why one rank could not go on (contract/failure.py)."""
        return self.path / "ranks" / f"{rank:02d}.failed.json"

    def beat(self, rank: int) -> Path:
        """Touched by a rank whenever it gets on; too old means that it hangs."""
        return self.path / "ranks" / f"{rank:02d}.beat"

    @property
    def launcher_log(self) -> Path:
        """What mpirun and the guard printed."""
        return self.path / "ranks" / "mpirun.log"


@dataclass(frozen=True)
class SweepFolder:
    """`<runs>/sweeps/<sweep id>/`: the state of one search."""

    path: Path

    @property
    def journal(self) -> Path:
        """Optuna's append-only journal: every trial asked for, reported and told."""
        return self.path / "journal.log"

    @property
    def sweep(self) -> Path:
        """What was typed, as JSON."""
        return self.path / "sweep.json"

    @property
    def tracking(self) -> Path:
        """The MLflow run of the sweep."""
        return self.path / "tracking.json"

    @property
    def lock(self) -> Path:
        """Held by the driver, so that the same command is not run twice at once."""
        return self.path / "lock"

    @property
    def control(self) -> Path:
        """What the user wants of it while it runs (contract/control.py)."""
        return self.path / "control.json"

    @property
    def status(self) -> Path:
        """How it stands (contract/status.py)."""
        return self.path / "status.json"

    @property
    def launch_log(self) -> Path:
        """What the driver printed, where it was started from Python."""
        return self.path / "launch.log"

    @property
    def overview(self) -> Path:
        """What `jack_ray.sweeps.draw` draws: overview.png, report.html, and drawn.json, which names what it drew."""
        return self.path / "overview"

    @property
    def commands(self) -> Path:
        """What the driver told the MLflow writer, one JSON object a line; a late delivery is made from it."""
        return self.path / "tracking.jsonl"

    @property
    def tracking_log(self) -> Path:
        """What the MLflow writer printed."""
        return self.path / "tracking.log"


def trial_folder(runs: Path, trial_id: str) -> TrialFolder:
    """The folder of a trial below the runs folder."""
    return TrialFolder(runs / "trials" / trial_id)


def sweep_folder(runs: Path, sweep_id: str) -> SweepFolder:
    """The folder of a sweep below the runs folder."""
    return SweepFolder(runs / "sweeps" / sweep_id)


def known_graph(cache: Path, graph: str) -> Path:
    """The empty file that says that Jittor's cache has all operators of a graph of that digest (train/known.py)."""
    return cache / KNOWN_GRAPHS / graph
