"""Exact numbers over a split: every sample scored once, on some rank, and the parts put together on all."""

import math
from pathlib import Path
from typing import Any

import jittor as jt

from jack_ray.contract.errors import TrainError
from jack_ray.methods.roles import MetricRole, Split
from jack_ray.train.method import Parts
from jack_ray.train.order import share
from jack_ray.train.ranks import Ranks
from jack_ray.train.reading import read_ahead
from jack_ray.train.report import Report


def score(parts: Parts, model: Any, split: Split, ranks: Ranks, report: Report) -> MetricRole:
    """The metric of a whole split, the same on every rank. Leaves the model in training mode."""
    data = parts.data(split)
    metric = parts.metric()
    mine = share(len(data), ranks.rank, ranks.size)
    model.eval()
    with jt.no_grad():
        for sample in read_ahead(data, mine, parts.settings.train.prefetch):
            for batch in data.collate([sample]):
                outputs = {name: value.numpy() for name, value in model(batch).items()}
                metric.update(outputs, batch)
                report.beat()
    model.train()
    whole = parts.metric()
    for state in ranks.gather(metric.state()):
        whole.merge(state)
    return whole


def named(metric: MetricRole, split: Split) -> dict[str, float]:
    """The metric's numbers with their split in front. Raises TrainError if one is not finite."""
    values = {f"{split}/{name}": float(value) for name, value in metric.result().items()}
    broken = [name for name, value in values.items() if not math.isfinite(value)]
    if broken:
        raise TrainError(f"the evaluation gave no finite number for {', '.join(broken)}")
    return values


def draw(metric: MetricRole, folder: Path, report: Report, step: int) -> None:
    """Draw the split's pictures into the artifacts folder; called on rank 0."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in metric.pictures(folder):
        report.artifact(step, path)
