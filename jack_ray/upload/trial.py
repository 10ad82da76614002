"""One trial -> one MLflow run. Every step can be repeated: what was delivered before is recognised, not added again."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from jack_ray.contract import events
from jack_ray.contract.events import Event
from jack_ray.contract.paths import TrialFolder
from jack_ray.upload import describe
from jack_ray.upload.protocol import SweepStarted, TrialEnded, TrialStarted
from jack_ray.upload.record import Record, load_record, save_record
from jack_ray.upload.store import MetricPoint, RefusedError, Store, UnreachableError
from jack_ray.upload.system import read_system

_BATCH = 1000
"""MLflow's limit for the numbers of one call."""

RUN_STATUS = {"finished": "FINISHED", "stopped": "FINISHED", "failed": "FAILED", "killed": "KILLED"}


@dataclass
class TrialDelivery:
    """Delivers one trial to one run, and goes on with that run over attempts and over lives of the driver.

    A run belongs to one sweep: the same trial in another sweep gets a run of its own there, with its whole
    history, since MLflow knows only one parent of a run.
    """

    store: Store
    sweep: SweepStarted
    parent_run: str
    started: TrialStarted
    source: dict[str, str] = field(default_factory=dict)
    """Tags that say which code this is."""
    ended: TrialEnded | None = None
    is_done: bool = False
    problems: list[str] = field(default_factory=list)
    """What MLflow refused for good."""

    def __post_init__(self) -> None:
        self.folder = TrialFolder(Path(self.started.folder))
        self.record = load_record(self.folder.tracking, self.sweep.uri, self.sweep.sweep_id)
        self._seen: dict[str, set[int]] | None = None
        self._is_known = False
        self._is_open = False

    def deliver(self) -> None:
        """Bring the run up to date; raises UnreachableError anywhere, and is called again later."""
        if self.is_done:
            return
        self._know_run()
        if self._is_settled():
            self.is_done = self.ended is not None
            return
        self._open_run()
        self._describe()
        self._deliver_events()
        self._deliver_system()
        self._deliver_files()
        if self.ended is not None:
            self._end(self.ended)

    def abandon(self) -> None:
        """The driver is gone: deliver the numbers, which is quick, and leave no run that counts as running."""
        if self.is_done or not self.record.run_id:
            return
        self._know_run()
        if self._is_settled():
            return
        self._open_run()
        self._deliver_events()
        self._end_run("killed" if self.ended is None else self.ended.status)
        if self.ended is not None:
            self.record.status = ""  # its files are still to come, from whoever delivers the rest
            self._save()

    def _know_run(self) -> None:
        """Find the run that this trial has in this sweep, if it is still there."""
        if self._is_known:
            return
        if self.record.run_id:
            info = self.store.info(self.record.run_id)
            if info is None:
                self.record = Record(self.sweep.uri, self.sweep.sweep_id)
            else:
                self._is_open = info.is_running
        for size_of, offset in ((self.folder.events, self.record.events), (self.folder.system, self.record.system)):
            if offset > _size(size_of):  # the trial's folder was made anew
                self.record.events = self.record.files = self.record.system = self.record.system_lines = 0
        self._is_known = True

    def _is_settled(self) -> bool:
        """The run was ended before in the way it should end, and nothing was added since."""
        record = self.record
        nothing_new = record.events == record.files == _size(self.folder.events)
        nothing_new = nothing_new and record.system == _size(self.folder.system)
        wanted = record.status if self.ended is None else self.ended.status
        is_same = record.attempt == self.started.attempt and record.status == wanted
        return bool(record.status) and nothing_new and is_same

    def _open_run(self) -> None:
        if not self.record.run_id:
            self.record.run_id = self._adopt() or self._create()
            self._save()
        if not self._is_open:
            self.store.reopen(self.record.run_id)
            self._is_open = True
        if self._seen is None:
            self._seen = self.store.logged(self.record.run_id)
        self.record.status = ""

    def _adopt(self) -> str | None:
        """A run made just before a crash, whose id nobody wrote down: nothing was added to it yet."""
        tags = {"jack_ray.sweep": self.sweep.sweep_id, "jack_ray.trial": self.started.trial_id}
        for run_id in self.store.find(tags):
            info = self.store.info(run_id)
            if info is not None and info.is_bare:
                self._is_open = info.is_running
                return run_id
        return None

    def _create(self) -> str:
        first = events.read_from(self.folder.events, 0)[0][:1]
        tags = {
            "mlflow.parentRunId": self.parent_run,
            "jack_ray.sweep": self.sweep.sweep_id,
            "jack_ray.trial": self.started.trial_id,
        }
        run_id = self.store.create(self.started.name, tags, first[0].time if first else time.time())
        self._is_open = True
        return run_id

    def _describe(self) -> None:
        """Tags of this attempt, params, data set and config."""
        if self.record.attempt == self.started.attempt:
            return
        run_id = self.record.run_id
        trial = describe.load_trial_values(self.folder.trial)
        self.store.set_tags(run_id, self.sweep.tags | self.source | describe.trial_tags(self.started, trial))
        info = self.store.info(run_id)
        known = info.params if info is not None else {}
        params = describe.trial_params(trial, self.started.overrides)
        # MLflow never changes a param; those that may differ between attempts do not change the numbers.
        self.store.log_params(run_id, {name: value for name, value in params.items() if name not in known})
        dataset = describe.trial_dataset(trial)
        if dataset is not None:
            self.store.log_dataset(run_id, dataset)
        for path in (self.folder.trial, self.folder.config):
            self._upload_file(path, "")
        self.record.attempt = self.started.attempt
        self._save()

    def _deliver_events(self) -> None:
        found, offset = events.read_from(self.folder.events, self.record.events)
        if offset == self.record.events:
            return
        self._log(_points(found))
        tags = describe.event_tags(found)
        if tags:
            self.store.set_tags(self.record.run_id, tags)
        self.record.events = offset
        self._save()

    def _deliver_system(self) -> None:
        points, offset, lines = read_system(self.folder.system, self.record.system, self.record.system_lines)
        if offset == self.record.system:
            return
        self._log(points)
        self.record.system, self.record.system_lines = offset, lines
        self._save()

    def _deliver_files(self) -> None:
        found, offset = events.read_from(self.folder.events, self.record.files)
        if offset == self.record.files:
            return
        names = dict.fromkeys(str(event.about.get("path", "")) for event in found if event.kind == "artifact")
        for name in names:
            parent = str(Path(name).parent)
            self._upload_file(self.folder.artifacts / name, "" if parent == "." else parent)
        self.record.files = offset
        self._save()

    def _log(self, points: Iterable[MetricPoint]) -> None:
        """Deliver the points whose (metric, step) the run does not have; the first value stays."""
        if self._seen is None:
            self._seen = self.store.logged(self.record.run_id)
        fresh: list[MetricPoint] = []
        for point in points:
            steps = self._seen.setdefault(point.name, set())
            if point.step not in steps:
                steps.add(point.step)
                fresh.append(point)
        for start in range(0, len(fresh), _BATCH):
            try:
                self.store.log_metrics(self.record.run_id, fresh[start : start + _BATCH])
            except RefusedError as error:
                self.problems.append(f"{self.started.trial_id}: numbers were refused: {error}")
            except UnreachableError:
                self._seen = None  # whether MLflow has the batch, only MLflow knows: ask it the next time
                raise

    def _upload_file(self, path: Path, folder: str) -> None:
        if not path.is_file():
            return
        try:
            self.store.log_file(self.record.run_id, path, folder)
        except RefusedError as error:
            self.problems.append(f"{path}: was refused: {error}")

    def _end(self, ended: TrialEnded) -> None:
        tags = {"jack_ray.status": ended.status, "jack_ray.phase": "ended"}
        if ended.status == "failed":
            tags |= {"jack_ray.failure": ended.message, "mlflow.note.content": ended.message}
            ranks = self.folder.launcher_log.parent
            for path in sorted([*ranks.glob("*.log"), *ranks.glob("*.failed.json")]):
                self._upload_file(path, "ranks")
        self.store.set_tags(self.record.run_id, tags)
        now, attempt = time.time(), self.started.attempt
        self._log(MetricPoint(name, value, now, attempt) for name, value in ended.numbers.items())
        if self.sweep.upload_checkpoints:
            self._upload_checkpoints()
        self._end_run(ended.status)

    def _upload_checkpoints(self) -> None:
        for name, path in _checkpoints(self.folder).items():
            if self.record.checkpoints.get(name) == path.name:
                continue
            try:
                self.store.log_folder(self.record.run_id, path, f"checkpoints/{name}")
            except RefusedError as error:
                self.problems.append(f"{path}: was refused: {error}")
            self.record.checkpoints[name] = path.name
            self._save()

    @property
    def has_new_curves(self) -> bool:
        """Whether there are events that the uploaded learning curves do not show."""
        return bool(self.record.run_id) and self.record.curves != _size(self.folder.events)

    def add_curves(self, shown: int) -> None:
        """Deliver the learning curves, which show so many bytes of the events; the run may have ended."""
        self._upload_file(self.folder.learning_curves, "")
        self.record.curves = shown
        self._save()

    def _end_run(self, status: str) -> None:
        last = events.read_from(self.folder.events, 0)[0][-1:]
        self.store.set_tags(self.record.run_id, {"jack_ray.status": status})
        self.store.end(self.record.run_id, RUN_STATUS[status], last[0].time if last else time.time())
        self.record.status = status
        self._save()
        self._is_open, self.is_done = False, True

    def _save(self) -> None:
        save_record(self.folder.tracking, self.record)


def undelivered(sweep: SweepStarted, started: TrialStarted, ended: TrialEnded | None) -> int:
    """Events and samples of a trial that the store has not got, and the end of its run; reads files only."""
    folder = TrialFolder(Path(started.folder))
    record = load_record(folder.tracking, sweep.uri, sweep.sweep_id)
    waiting = _count_lines(folder.events, min(record.events, record.files)) + _count_lines(folder.system, record.system)
    return waiting + (1 if ended is not None and record.status != ended.status else 0)


def _points(found: Iterable[Event]) -> Iterable[MetricPoint]:
    for event in found:
        if event.kind in ("metrics", "finished"):
            for name, value in event.values.items():
                yield MetricPoint(describe.metric_name(name), value, event.time, event.step or 0)


def _checkpoints(folder: TrialFolder) -> dict[str, Path]:
    """The checkpoints to upload: the latest, and the best one that `best.json` names."""
    steps = sorted(path for path in folder.checkpoints.glob("step-*") if path.is_dir())
    found = {"last": steps[-1]} if steps else {}
    best = describe.load_best(folder.best)
    if best is not None:
        for path in steps:
            if int(path.name.removeprefix("step-")) == best.step:
                found["best"] = path
    return found


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _count_lines(path: Path, offset: int) -> int:
    try:
        with path.open("rb") as opened:
            opened.seek(offset)
            return opened.read().count(b"\n")
    except FileNotFoundError:
        return 0
