"""A sweep's folder with trials as the ranks leave them, and a store in memory."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from jack_ray.contract import events
from jack_ray.contract.files import write_json
from jack_ray.contract.paths import SweepFolder, TrialFolder, sweep_folder, trial_folder
from jack_ray.contract.trial import Trial
from jack_ray.upload import SweepStarted, TrialStarted
from jack_ray.upload.store import DatasetInfo, MetricPoint, RefusedError, RunInfo, UnreachableError

TRIAL = Trial(
    method="tsl",
    model={"name": "tsl", "dropout": 0.7},
    data={"name": "tsl300", "root": "/data"},
    train={"lr": 1e-05, "select_on": "val"},
    data_identity="0123456789",
    ranks=2,
    threads=1,
)


@dataclass
class Scene:
    """Writes what the driver and the ranks write."""

    runs: Path
    uri: str = "memory"

    @property
    def folder(self) -> SweepFolder:
        return sweep_folder(self.runs, "lr-1234")

    def sweep(self, **changes: Any) -> SweepStarted:
        values: dict[str, Any] = {
            "sweep_id": "lr-1234",
            "name": "tsl lr",
            "command": "python -m jack_ray.launch model=tsl sweep=lr",
            "uri": self.uri,
            "experiment": "jack_ray",
            "metric": "val/average_mAP",
            "mode": "max",
            "flush_s": 0.2,
            "give_up_s": 2.0,
            "upload_checkpoints": True,
        }
        self.folder.path.mkdir(parents=True, exist_ok=True)
        return SweepStarted(**(values | changes))

    def trial(self, name: str = "tsl-a", attempt: int = 1) -> TrialStarted:
        folder = trial_folder(self.runs, name)
        folder.path.mkdir(parents=True, exist_ok=True)
        TRIAL.save(folder.trial)
        folder.config.write_text("model:\n  name: tsl\n")
        return TrialStarted(name, str(folder.path), attempt, "train.lr=1e-05", ("train.lr=1e-05",))

    def at(self, name: str = "tsl-a") -> TrialFolder:
        return trial_folder(self.runs, name)

    def begin(self, name: str = "tsl-a", attempt: int = 1) -> None:
        about: dict[str, Any] = {"ranks": 2, "threads": 1, "host": "lab1", "versions": {"jittor": "1.3.11.0"}}
        events.append(self.at(name).events, events.new("started", attempt, **about))

    def metrics(self, steps: Sequence[int], name: str = "tsl-a", attempt: int = 1, offset: float = 0.0) -> None:
        for step in steps:
            values = {"train/total": 1.0 / (step + 1) + offset, "val/mAP@0.10": step + offset}
            events.append(self.at(name).events, events.new("metrics", attempt, step, values))

    def picture(self, step: int, name: str = "tsl-a", path: str = "val/video.png") -> None:
        file = self.at(name).artifacts / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"picture")
        events.append(self.at(name).events, events.new("artifact", 1, step, path=path))

    def system(self, samples: int, name: str = "tsl-a") -> None:
        with self.at(name).system.open("a") as opened:
            for _ in range(samples):
                sample = {"time": time.time(), "values": {"system/cpu_utilization_percentage": 50.0}}
                opened.write(json.dumps(sample) + "\n")

    def checkpoint(self, step: int, name: str = "tsl-a", best: float | None = None) -> None:
        folder = self.at(name).checkpoints / f"step-{step:08d}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "model.safetensors").write_bytes(b"x" * 100)
        write_json(folder / "state.json", {"step": step})
        if best is not None:
            write_json(self.at(name).best, {"step": step, "metric": "average_mAP", "value": best})


@dataclass
class MemoryRun:
    """What a store keeps of a run."""

    name: str
    tags: dict[str, str]
    status: str = "RUNNING"
    points: list[MetricPoint] = field(default_factory=list)
    params: dict[str, str] = field(default_factory=dict)
    datasets: list[DatasetInfo] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    deleted: bool = False


class Killed(BaseException):
    """The process ends here."""


class MemoryStore:
    """Behaves as MLflow: keeps every point that it is given, doubled or not, and never changes a param.

    ends_at: the number of the call at which the process is killed; `acted` says whether the call was done by then.
    """

    def __init__(self) -> None:
        self.experiment_id = "7"
        self.runs: dict[str, MemoryRun] = {}
        self.calls = 0
        self.ends_at: int | None = None
        self.acted = False
        self.error: type[BaseException] = Killed
        self.is_away = False

    def _call(self, done: bool) -> None:
        if self.is_away:
            raise UnreachableError("no answer")
        if not done:
            self.calls += 1
        if self.calls == self.ends_at and done == self.acted:
            self.ends_at = None
            raise self.error("now")

    def _run(self, run_id: str) -> MemoryRun:
        run = self.runs[run_id]
        if run.deleted:
            raise RefusedError(f"run {run_id} is deleted")
        return run

    def info(self, run_id: str) -> RunInfo | None:
        self._call(False)
        run = self.runs.get(run_id)
        self._call(True)
        if run is None or run.deleted:
            return None
        return RunInfo(run.status == "RUNNING", not run.points and not run.params, run.params)

    def find(self, tags: Mapping[str, str]) -> list[str]:
        self._call(False)
        self._call(True)
        return [run_id for run_id, run in self.runs.items() if tags.items() <= run.tags.items()]

    def running(self, sweep_id: str) -> list[str]:
        found = self.find({"jack_ray.sweep": sweep_id})
        return [run_id for run_id in found if self.runs[run_id].status == "RUNNING"]

    def create(self, name: str, tags: Mapping[str, str], time_s: float) -> str:
        self._call(False)
        run_id = f"run{len(self.runs)}"
        self.runs[run_id] = MemoryRun(name, dict(tags))
        self._call(True)
        return run_id

    def reopen(self, run_id: str) -> None:
        self._call(False)
        self._run(run_id).status = "RUNNING"
        self._call(True)

    def logged(self, run_id: str) -> dict[str, set[int]]:
        self._call(False)
        steps: dict[str, set[int]] = {}
        for point in self._run(run_id).points:
            steps.setdefault(point.name, set()).add(point.step)
        self._call(True)
        return steps

    def log_metrics(self, run_id: str, points: Sequence[MetricPoint]) -> None:
        self._call(False)
        assert len(points) <= 1000
        self._run(run_id).points.extend(points)
        self._call(True)

    def log_params(self, run_id: str, params: Mapping[str, str]) -> None:
        self._call(False)
        known = self._run(run_id).params
        if any(known.get(name, value) != value for name, value in params.items()):
            raise RefusedError("changing a param is not allowed")
        known.update(params)
        self._call(True)

    def set_tags(self, run_id: str, tags: Mapping[str, str]) -> None:
        self._call(False)
        self._run(run_id).tags.update(tags)
        self._call(True)

    def log_dataset(self, run_id: str, dataset: DatasetInfo) -> None:
        self._call(False)
        self._run(run_id).datasets.append(dataset)
        self._call(True)

    def log_file(self, run_id: str, path: Path, folder: str) -> None:
        self._call(False)
        assert path.exists()
        self._run(run_id).files.append(f"{folder}/{path.name}".lstrip("/"))
        self._call(True)

    def log_folder(self, run_id: str, path: Path, folder: str) -> None:
        self._call(False)
        self._run(run_id).files += [f"{folder}/{file.name}" for file in sorted(path.iterdir())]
        self._call(True)

    def end(self, run_id: str, status: str, time_s: float) -> None:
        self._call(False)
        self._run(run_id).status = status
        self._call(True)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path / "runs")


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()
