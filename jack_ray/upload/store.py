"""What a delivery needs of MLflow, and the two ways in which it can fail."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol


class UnreachableError(Exception):
    """MLflow does not answer, or not now: to be tried again; nothing may be counted as delivered."""


class RefusedError(Exception):
    """MLflow answered that it will never take this; trying again is pointless."""


class MetricPoint(NamedTuple):
    """One number of one step."""

    name: str
    value: float
    time_s: float
    step: int


@dataclass(frozen=True)
class RunInfo:
    """What MLflow knows of a run."""

    is_running: bool
    is_bare: bool
    """Made, and nothing else: no number, no param."""
    params: Mapping[str, str]


@dataclass(frozen=True)
class DatasetInfo:
    """What a trial was trained on, for MLflow's column of data sets."""

    name: str
    digest: str
    source: str


class Store(Protocol):
    """MLflow's tracking store. Every method raises UnreachableError or RefusedError."""

    experiment_id: str
    """Of the experiment that runs are made in."""

    def info(self, run_id: str) -> RunInfo | None:
        """None if there is no such run, or somebody deleted it."""
        ...

    def find(self, tags: Mapping[str, str]) -> list[str]:
        """Ids of the runs with all these tags."""
        ...

    def running(self, sweep_id: str) -> list[str]:
        """Ids of the sweep's runs, its own and its trials', that count as running."""
        ...

    def create(self, name: str, tags: Mapping[str, str], time_s: float) -> str:
        """A new run; its id."""
        ...

    def reopen(self, run_id: str) -> None:
        """Let an ended run count as running again."""
        ...

    def logged(self, run_id: str) -> dict[str, set[int]]:
        """The steps that each metric has."""
        ...

    def log_metrics(self, run_id: str, points: Sequence[MetricPoint]) -> None:
        """Add at most 1000 points."""
        ...

    def log_params(self, run_id: str, params: Mapping[str, str]) -> None:
        """Add params that the run does not have yet."""
        ...

    def set_tags(self, run_id: str, tags: Mapping[str, str]) -> None:
        """Set tags, over those that are there."""
        ...

    def log_dataset(self, run_id: str, dataset: DatasetInfo) -> None:
        """Say what the run was trained on."""
        ...

    def log_file(self, run_id: str, path: Path, folder: str) -> None:
        """Add an artifact in a folder of the run's artifacts ('' is the top)."""
        ...

    def log_folder(self, run_id: str, path: Path, folder: str) -> None:
        """Add a folder whose files nobody changes any more."""
        ...

    def end(self, run_id: str, status: str, time_s: float) -> None:
        """FINISHED, FAILED or KILLED."""
        ...
