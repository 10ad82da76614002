"""A sweep -> the parent run, and its trials' runs below it."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from jack_ray.contract.drawn import Drawn
from jack_ray.contract.paths import SweepFolder, TrialFolder
from jack_ray.contract.repeats import spreads
from jack_ray.contract.state import load_state
from jack_ray.upload.describe import Best, load_best, metric_name
from jack_ray.upload.notice import parent_run, remember_parent_run
from jack_ray.upload.painter import Painter
from jack_ray.upload.protocol import SweepStarted, Told
from jack_ray.upload.store import MetricPoint, RefusedError, Store
from jack_ray.upload.trial import RUN_STATUS, TrialDelivery


@dataclass
class SweepDelivery:
    """Delivers all that was told; `deliver` is called again and again, and does what is new."""

    store: Store
    folder: SweepFolder
    sweep: SweepStarted
    told: Told
    source: dict[str, str]
    """Tags that say which code this is."""
    painter: Painter | None = None
    """Draws the sweep and its trials; None: nobody does."""
    run_id: str = ""
    trials: dict[str, TrialDelivery] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    is_done: bool = False
    _tags: dict[str, str] = field(default_factory=dict)
    _drawn: Drawn | None = None
    """Pictures that are not delivered yet."""
    _num_drawn: int = 0
    """Trials that had ended when the last drawing began."""
    _is_last_drawn: bool = False

    def begin(self) -> None:
        """Find or make the parent run, and end the runs that a driver before this one left running."""
        if self.run_id:
            return
        sweep = self.sweep
        # A run that is really going on is opened again as soon as its trial is delivered.
        for run_id in self.store.running(sweep.sweep_id):
            self.store.end(run_id, "KILLED", time.time())
        tags = {"jack_ray.sweep": sweep.sweep_id, "jack_ray.kind": "sweep"}
        known = self._known_run(tags)
        if known is not None:
            self.store.reopen(known)
        run_id = known or self.store.create(sweep.name, tags, time.time())
        remember_parent_run(self.folder.tracking, sweep.uri, run_id, self.store.experiment_id)
        about = {
            "jack_ray.command": sweep.command,
            "mlflow.note.content": f"`{sweep.command}`",
            "jack_ray.status": "running",
            "jack_ray.folder": str(self.folder.path),
        }
        self.store.set_tags(run_id, sweep.tags | self.source | about)
        if self.folder.sweep.is_file():
            self.store.log_file(run_id, self.folder.sweep, "")
        self.run_id = run_id

    def deliver(self) -> None:
        """Bring all runs up to date. Raises UnreachableError; what was delivered until then stays delivered."""
        self.begin()
        if self.is_done:
            return
        self._take_trials()
        for trial in self.trials.values():
            if not trial.is_done:
                self._guard(trial, trial.deliver)
        self._summarise()
        if self.painter is not None and self.told.endings:
            self._draw(self.painter)
        if self.told.closed is not None:
            self._end(self.told.closed.status, self.told.closed.message)

    def abandon(self, until: float) -> None:
        """The driver is gone: leave no run that counts as running, as far as the time allows (monotonic clock)."""
        if not self.run_id:
            return
        self._take_trials()
        for trial in self.trials.values():
            if time.monotonic() < until:
                self._guard(trial, trial.abandon)
        self._end("killed", "the driver ended without a word")
        for run_id in self.store.running(self.sweep.sweep_id):
            self.store.end(run_id, "KILLED", time.time())

    def _take_trials(self) -> None:
        """Hold what was told against the deliveries there are; a new attempt is a new delivery."""
        for trial_id, started in self.told.trials.items():
            known, ended = self.trials.get(trial_id), self.told.endings.get(trial_id)
            if known is None or known.started != started or (known.is_done and known.ended != ended):
                self.trials[trial_id] = TrialDelivery(self.store, self.sweep, self.run_id, started, self.source)
            self.trials[trial_id].ended = ended

    def _guard(self, trial: TrialDelivery, act: Callable[[], None]) -> None:
        """A trial that MLflow refuses to hear of (its run was deleted by hand) does not stop the others."""
        try:
            act()
        except RefusedError as error:
            trial.problems.append(f"{trial.started.trial_id}: {error}")
            trial.is_done = True
        self.problems += trial.problems
        trial.problems.clear()

    def _summarise(self) -> None:
        """Tags of the parent run: how many trials ended how, and the best; only when they change."""
        counts = Counter(ending.status for ending in self.told.endings.values())
        tags = {f"jack_ray.trials.{status}": str(count) for status, count in counts.items()}
        best = self._best()
        if best is not None:
            trial_id, found = best
            tags |= {"jack_ray.best_trial": trial_id, "jack_ray.best_value": repr(found.value)}
            tags["jack_ray.best_run"] = self.trials[trial_id].record.run_id
        if tags != self._tags:
            self.store.set_tags(self.run_id, tags)
            self._tags = tags

    def _draw(self, painter: Painter) -> None:
        """Deliver what was drawn, and have drawn what is new: now and then as trials end, and when the sweep closes."""
        self._drawn = self._drawn or painter.take()
        self._deliver_drawn()
        ended = [trial for trial in self.told.endings if trial in self.trials]
        stale = [trial for trial in ended if self.trials[trial].has_new_curves]
        if self.told.closed is None and painter.is_due and len(ended) > self._num_drawn:
            self._num_drawn = len(ended)
            painter.begin(stale)
        elif self.told.closed is not None and not self._is_last_drawn:
            self._is_last_drawn = True
            self._drawn = painter.draw(stale)
            self._deliver_drawn()

    def _deliver_drawn(self) -> None:
        if self._drawn is None:
            return
        for name in self._drawn.files:
            try:
                self.store.log_file(self.run_id, self.folder.overview / name, "")
            except RefusedError as error:
                self.problems.append(f"{name}: was refused: {error}")
        for trial_id, shown in self._drawn.trials.items():
            if trial_id in self.trials:
                self.trials[trial_id].add_curves(shown)
                self.problems += self.trials[trial_id].problems
                self.trials[trial_id].problems.clear()
        self._drawn = None

    def _best(self) -> tuple[str, Best] | None:
        found: list[tuple[str, Best]] = []
        for trial_id, ending in self.told.endings.items():
            if ending.status in ("finished", "stopped") and trial_id in self.trials:
                best = load_best(TrialFolder(Path(self.told.trials[trial_id].folder)).best)
                if best is not None:
                    found.append((trial_id, best))
        sign = -1 if self.sweep.mode == "min" else 1
        return max(found, key=lambda pair: sign * pair[1].value, default=None)

    def _finals(self) -> list[dict[str, float]]:
        """The last numbers of every trial that finished."""
        finished = [trial for trial, ending in self.told.endings.items() if ending.status == "finished"]
        folders = [TrialFolder(Path(self.told.trials[trial].folder)) for trial in finished if trial in self.told.trials]
        return [load_state(folder.state).values for folder in folders]

    def _end(self, status: str, message: str) -> None:
        """Close the parent run; its numbers get a new step each time the sweep ends."""
        counts = Counter(ending.status for ending in self.told.endings.values())
        values = {f"trials/{name}": float(count) for name, count in counts.items()}
        for name in ("hours", "gpu_hours"):
            values[name] = sum(ending.numbers.get(name, 0.0) for ending in self.told.endings.values())
        best = self._best()
        if best is not None:
            values[f"best/{metric_name(self.sweep.metric)}"] = best[1].value
        if self.sweep.repeats:
            for name, spread in spreads(self._finals()).items():
                values |= {f"mean/{metric_name(name)}": spread.mean, f"std/{metric_name(name)}": spread.deviation}
        steps = [step for steps in self.store.logged(self.run_id).values() for step in steps]
        step = max(steps, default=-1) + 1
        now = time.time()
        self.store.log_metrics(self.run_id, [MetricPoint(name, value, now, step) for name, value in values.items()])
        self.store.set_tags(self.run_id, {"jack_ray.status": status, "jack_ray.message": message})
        self.store.end(self.run_id, RUN_STATUS[status], now)
        self.is_done = True

    def _known_run(self, tags: dict[str, str]) -> str | None:
        """The parent run of an earlier life of this sweep, if it is still there."""
        run_id = parent_run(self.folder.tracking, self.sweep.uri)
        if run_id is not None and self.store.info(run_id) is not None:
            return run_id
        return next(iter(self.store.find(tags)), None)
