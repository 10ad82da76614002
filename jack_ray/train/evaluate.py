"""Exact numbers over a split: every sample scored once, on some rank, and the parts put together on all."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import jittor as jt

from jack_ray.contract.errors import DataError, Fault, TrainError
from jack_ray.contract.files import write_json
from jack_ray.contract.scored import SCORED
from jack_ray.methods.roles import MetricRole, Sample, Split
from jack_ray.methods.shared.computing import computed
from jack_ray.train.method import Parts
from jack_ray.train.order import share
from jack_ray.train.ranks import Ranks
from jack_ray.train.reading import Reader, Samples
from jack_ray.train.report import Report


class Listener(Protocol):
    """Who is told that an evaluation gets on: the trial's report, or a terminal."""

    def beat(self) -> None:
        """Another batch is done."""

    def note_once(self, text: str) -> None:
        """Something that the user should read once."""


@dataclass(frozen=True)
class Surroundings:
    """What an evaluation works with."""

    ranks: Ranks
    report: Listener
    reader: Reader


def score(parts: Parts, model: Any, split: Split, around: Surroundings) -> MetricRole:
    """The metric of a whole split, the same on every rank. Leaves the model in training mode.

    Raises DataError when no sample of the split can be read.
    """
    train, ranks = parts.settings.train, around.ranks
    data, metric = parts.data(split), parts.metric()
    samples = Samples(data, train.on_unreadable)
    mine = share(len(data), ranks.rank, ranks.size)
    size = 1 if data.separate else max(1, train.batch // ranks.size)
    scored = 0
    model.eval()
    with jt.no_grad():
        for read in _batches(around.reader.ahead(samples.evaluated(index) for index in mine), size):
            for batch in data.collate(read):
                outputs = computed(model(batch))
                metric.update(outputs, batch)
                around.report.beat()
            scored += len(read)
    model.train()
    whole = parts.metric()
    faults: list[str] = []
    total = 0
    for state, read_here, faults_here in ranks.gather((metric.state(), scored, samples.take_faults())):
        whole.merge(state)
        total += read_here
        faults += faults_here
    if faults and not total:
        raise DataError([Fault(f"the {split} split", "no sample can be read", "at least one", faults[0])])
    tell_unreadable(faults, around.report)
    return whole


def _batches(samples: Iterable[Sample | None], size: int) -> Iterator[list[Sample]]:
    readable = (sample for sample in samples if sample is not None)
    while batch := list(islice(readable, size)):
        yield batch


def tell_unreadable(faults: Sequence[str], report: Listener) -> None:
    """Tell what could not be read, each fault once in an attempt."""
    for fault in faults:
        report.note_once(f"left out, as train.on_unreadable=skip: {fault}")


def named(metric: MetricRole, split: Split) -> dict[str, float]:
    """The metric's numbers with their split in front. Raises TrainError if one is not finite."""
    values = {f"{split}/{name}": float(value) for name, value in metric.result().items()}
    broken = [name for name, value in values.items() if not math.isfinite(value)]
    if broken:
        raise TrainError(f"the evaluation gave no finite number for {', '.join(broken)}")
    return values


def draw(metric: MetricRole, folder: Path, report: Report, step: int) -> None:
    """Draw the split's pictures into the artifacts folder; called on rank 0."""
    for path in write_files(metric, folder):
        report.artifact(step, path)


def write_files(metric: MetricRole, folder: Path) -> list[Path]:
    """Pictures and lists of a split, and every sample's truth and answer (scored.json)."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = metric.pictures(folder)
    write_json(folder / SCORED, metric.scored())
    return [*paths, folder / SCORED]
