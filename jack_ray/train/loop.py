"""The training loop of one trial, the same on every rank."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import jittor as jt
import numpy as np

from jack_ray.contract.checkpoint import About
from jack_ray.contract.errors import DataError, Fault, TrainError, WeightsError
from jack_ray.contract.paths import TrialFolder
from jack_ray.contract.schema import TrainConfig
from jack_ray.contract.trial import Trial
from jack_ray.methods.roles import Batch, MetricRole, Sample, Split
from jack_ray.methods.shared.batchnorm import absorb, drain
from jack_ray.train import checkpoint, evaluate, features, optimizer, schedule, weights
from jack_ray.train.checkpoint import Checkpoint, Progress
from jack_ray.train.evaluate import Surroundings
from jack_ray.train.feature_folder import FeatureFolder
from jack_ray.train.feature_store import store_of_machines
from jack_ray.train.gradients import add_gradient
from jack_ray.train.method import Parts, Settings
from jack_ray.train.order import Step, share, step_samples
from jack_ray.train.ranks import Ranks
from jack_ray.train.reading import Read, Reader, Samples
from jack_ray.train.report import Report
from jack_ray.train.seeds import seed_of


@dataclass(frozen=True)
class Seen:
    """What a batch gave beside its gradient; travels between ranks."""

    terms: Mapping[str, float]
    samples: int
    statistics: Any
    """of `SampleBatchNorm` layers"""


class Training:
    """Everything that changes while a trial trains."""

    def __init__(self, trial: Trial, settings: Settings, folder: TrialFolder, ranks: Ranks, report: Report) -> None:
        self.config: TrainConfig = settings.train
        self.folder = folder
        self.ranks = ranks
        self.report = report
        self.trial = trial
        self.parts = Parts(trial.method, settings)
        self.data = self.parts.data("train")
        if not self.data.separate and len(self.data) < ranks.size:
            where, found = "the training split", f"{len(self.data)} samples"
            raise DataError([Fault(where, found, f"at least one for each of {ranks.size} ranks")])
        self.samples = Samples(self.data, self.config.on_unreadable)
        self.reader = Reader(self.config.workers, self.config.prefetch)
        self._incoming: Iterator[Sample | None] = iter(())
        jt.set_global_seed(seed_of(self.config.seed, "weights"), different_seed_for_mpi=False)
        self.model = self.parts.model()
        self.model.train()
        jt.sync_all(True)  # random weights are drawn when they are first needed, which is after another seed is set
        self.loss = self.parts.loss()
        groups = self.model.groups()
        self.parameters: dict[str, jt.Var] = {name: var for group in groups for name, var in group.parameters.items()}
        self.optimizer = optimizer.make(self.config, groups)
        self._state: list[jt.Var] = list(self.model.state_dict().values())
        self.progress = Progress(0, self.config.seed)
        self.shelf: FeatureFolder | None = None

    def begin(self) -> None:
        """Go on from the last whole checkpoint, or start from random or given weights."""
        found = self._found() if self.ranks.is_main else None  # the others may have another disk
        progress = self.ranks.gather(found.progress if found else None)[0]
        if progress is not None:
            weights.load_into(self.model, self.ranks.share(found.model if found else None))
            self.optimizer.load(self.ranks.share(found.optimizer if found else None))
            self.progress = progress
        elif self.config.weights is not None:
            path = Path(self.config.weights)
            told = weights.load_into(self.model, weights.read_weights(path), path)
            if not told.loaded:
                raise WeightsError(f"{self.config.weights} holds none of the model's tensors\n{told}")
            self.report.note(f"started from {self.config.weights}\n{told}")
        else:
            for part in self.model.pretrained():
                self.report.note(f"started from {part.path}\n{weights.load_part(self.model, part)}")
        settings, store = self.parts.settings, store_of_machines()
        self.shelf = features.shelf_of(self.model, settings, self.ranks, self.report.note, store)
        self.parts.use_shelf(self.shelf)
        self.parts.furnish(self.data)
        self._incoming = self.reader.ahead(self._reads())

    def _found(self) -> Checkpoint | None:
        """The checkpoint to go on from: the trial's own, else that of its origin, whose best is not this trial's."""
        own, origin = checkpoint.latest(self.folder), self.trial.origin
        if own is not None or origin is None:
            return own
        other = checkpoint.load(TrialFolder(self.folder.path.parent / origin["trial"]), origin["step"])
        if other is None:
            raise TrainError(
                f"no whole checkpoint of step {origin['step']} of {origin['trial']}, where this one begins"
            )
        return replace(other, progress=Progress(origin["step"], self.config.seed))

    def _reads(self) -> Iterator[Read]:
        """This rank's samples of all steps to come."""
        for number in range(self.progress.step, self.trial.last_step):
            indices = step_samples(len(self.data), self.config.batch, self.config.seed, number).indices
            for position in share(len(indices), self.ranks.rank, self.ranks.size):
                yield self.samples.drawn(indices[position], seed_of(self.config.seed, "sample", number, position))

    def step(self) -> dict[str, float]:
        """One optimiser step over all ranks; its loss terms, averaged over the step's samples."""
        number = self.progress.step
        samples = step_samples(len(self.data), self.config.batch, self.config.seed, number)
        gradients, seen = self._accumulate(number, samples)
        gradients = self.ranks.sum_gradients(gradients)
        parts = self.ranks.gather((seen, self.samples.take_faults()))
        everyone = [entry for of_rank, _ in parts for entry in of_rank]
        evaluate.tell_unreadable([fault for _, faults in parts for fault in faults], self.report)
        for entry in everyone:
            absorb(self.model, entry.statistics)
        values = _mean(everyone)
        if not all(math.isfinite(value) for value in values.values()):
            raise TrainError(f"the loss is not finite at step {number + 1}: {_shown(values)}; try a smaller train.lr")
        values["gradient_norm"] = self._norm(gradients)
        rate = schedule.rate(self.config, number)
        self.optimizer.step(self._clipped(gradients, values["gradient_norm"]), rate)
        self.progress = Progress(number + 1, self.config.seed, self.progress.best_step, self.progress.best_value)
        return values | {"lr": rate, "epoch": float(samples.epoch)}

    def _accumulate(self, number: int, samples: Step) -> tuple[dict[str, jt.Var], list[Seen]]:
        """This rank's part of the gradient, and what each of its batches gave, in order."""
        total: dict[str, jt.Var] = {}
        seen: list[Seen] = []
        for first, read in self._batches(samples):
            # the place in the whole batch, not in this rank's part: the same masks on any number of ranks
            places = range(first, first + len(read))
            seeds = [seed_of(self.config.seed, "step", number, position) for position in places]
            for batch in self.data.collate(read):
                jt.set_seed(seeds[0])
                weight = len(read) / len(samples.indices)
                terms = self._backward({**batch, "seeds": np.array(seeds, np.int64)}, weight, total)
                seen.append(Seen(terms, len(read), drain(self.model)))
        return total, seen

    def _batches(self, samples: Step) -> Iterator[tuple[int, Sequence[Sample]]]:
        """This rank's samples of a step as batches, with the position of each one's first sample."""
        mine = share(len(samples.indices), self.ranks.rank, self.ranks.size)
        # training has a sample for every read: one that cannot be read is replaced
        read = (sample for sample in self._incoming if sample is not None)
        if self.data.separate:
            yield from self._joined(mine.start, islice(read, len(mine)))
        else:
            # every rank has the same number of parts: they wait for each other in each
            parts = max(1, min(self.config.parts, len(samples.indices) // self.ranks.size))
            for part in range(parts):
                places = share(len(mine), part, parts)
                yield mine.start + places.start, [next(read) for _ in places]

    def _joined(self, first: int, read: Iterator[Sample]) -> Iterator[tuple[int, Sequence[Sample]]]:
        """Separate samples, as many at once as fit together."""
        joined: list[Sample] = []
        for sample in read:
            if joined and not self.data.fit_together([*joined, sample]):
                yield first, joined
                first, joined = first + len(joined), []
            joined.append(sample)
        if joined:
            yield first, joined

    def _backward(self, batch: Batch, weight: float, total: dict[str, jt.Var]) -> dict[str, float]:
        values: dict[str, float] = {}
        whole: list[float] = []
        for loss, terms in self.loss(self.model, batch, self.reader):
            add_gradient(total, loss, self.parameters, weight, terms=terms.values(), state=self._state)
            values |= {name: _number(term) for name, term in terms.items()}
            whole.append(_number(loss))
            self.report.beat()
        return values | {"total": math.fsum(whole)}

    def _norm(self, gradients: Mapping[str, jt.Var]) -> float:
        # in float64: Jittor's float32 sum of 12 million squares is off in the third digit
        squares = [_number((gradient * gradient).float64().sum()) for gradient in gradients.values()]
        norm = math.sqrt(math.fsum(squares))
        if not math.isfinite(norm):
            raise TrainError(f"the gradient is not finite at step {self.progress.step + 1}; try a smaller train.lr")
        return norm

    def _clipped(self, gradients: dict[str, jt.Var], norm: float) -> dict[str, jt.Var]:
        limit = self.config.clip_norm
        if limit is None or norm <= limit:
            return gradients
        return {name: gradient * (limit / norm) for name, gradient in gradients.items()}

    def _score(self, split: Split) -> MetricRole:
        return evaluate.score(self.parts, self.model, split, Surroundings(self.ranks, self.report, self.reader))

    def evaluate(self) -> dict[str, float]:
        """Score the split that chooses the best checkpoint, and remember if this is it."""
        split = self.config.select_on
        metric = self._score(split)
        values = evaluate.named(metric, split)
        value = values[f"{split}/{self.config.metric}"]
        best = self.progress.best_value
        if best is None or (value > best if self.config.mode == "max" else value < best):
            self.progress = Progress(self.progress.step, self.config.seed, self.progress.step, value)
        return values

    def save(self) -> None:
        """Write a checkpoint on rank 0 and wait for it on all."""
        if self.ranks.is_main:
            state = {name: np.array(value.numpy()) for name, value in self.model.state_dict().items()}
            about = About(self.trial, tuple(self.data.labels))
            path = checkpoint.save(self.folder, self.progress, state, self.optimizer.state(), about)
            checkpoint.point_to_best(self.folder, self.progress, self.config.metric)
            checkpoint.prune(self.folder, self.config.keep_checkpoints, self.progress.best_step)
            is_best = self.progress.best_step == self.progress.step
            self.report.checkpoint(self.progress.step, path, is_best, self.progress.best_value if is_best else None)
        self.ranks.gather(None)

    def finish(self) -> dict[str, float]:
        """The trial's final numbers, from its best checkpoint; pictures of the last split scored."""
        split = self.config.select_on
        values = {"best_step": float(self.progress.best_step or 0)}
        if self.progress.best_value is not None:
            values[f"best/{self.config.metric}"] = self.progress.best_value
        best = checkpoint.load(self.folder, self.progress.best_step or 0) if self.ranks.is_main else None
        if self.ranks.gather(best is not None)[0]:
            weights.load_into(self.model, self.ranks.share(best.model if best else None))
        scored = "test" if self.config.test_at_end else split
        metric = self._score(scored)
        values |= evaluate.named(metric, scored) if self.config.test_at_end else {}
        if self.ranks.is_main:
            evaluate.draw(metric, self.folder.artifacts / scored, self.report, self.progress.step)
        if self.shelf is not None:
            self.report.note(features.told_of_all(self.shelf, self.ranks))
        return values


def _number(scalar: jt.Var) -> float:
    return float(np.asarray(scalar.numpy()).reshape(-1)[0])


def _mean(entries: Sequence[Seen]) -> dict[str, float]:
    """The mean of each term over samples; summed exactly, so that the number of ranks does not show."""
    samples = sum(entry.samples for entry in entries)
    names = entries[0].terms
    return {name: math.fsum(entry.terms[name] * entry.samples for entry in entries) / samples for name in names}


def _shown(values: Mapping[str, float]) -> str:
    return ", ".join(f"{name}={value:g}" for name, value in values.items())


def fit(trial: Trial, settings: Settings, folder: TrialFolder, ranks: Ranks, report: Report) -> None:
    """Train a trial to its end, from wherever it stands."""
    config = settings.train
    training = Training(trial, settings, folder, ranks, report)
    with training.reader:
        training.begin()
        report.phase("training", training.progress.step)
        while training.progress.step < trial.last_step:
            values = training.step()
            step = training.progress.step
            is_last = step == trial.last_step
            if step % config.log_every == 0 or is_last:
                report.metrics(step, {f"train/{name}": value for name, value in values.items()})
            if step % config.evaluate_every == 0 or is_last:
                report.metrics(step, training.evaluate())
            if is_last or step % config.checkpoint_every == 0 or training.progress.best_step == step:
                training.save()
        report.phase("evaluating")
        report.finished(training.progress.step, training.finish())
