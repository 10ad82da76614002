"""Use a trained model: `python -m jack_ray.train.apply ORDER.json`, started by `jack_ray.test` and `jack_ray.predict`.

The answer is written beside the order (contract/order.py). Exit code 0, or 2 with one message for a user's mistake.
"""

import os
import sys
import time
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import jittor as jt

from jack_ray.contract.errors import JackRayError
from jack_ray.contract.files import write_json
from jack_ray.contract.order import RESULT, Order, load_order
from jack_ray.methods.roles import PredictorRole, Sample
from jack_ray.train import evaluate
from jack_ray.train.answering import answering_of, loaded, predictor_of
from jack_ray.train.evaluate import Surroundings
from jack_ray.train.features import shelf_of
from jack_ray.train.method import Parts, typed
from jack_ray.train.ranks import Ranks
from jack_ray.train.reading import Reader
from jack_ray.train.report import MAX_NOTED

SAY_EVERY_S = 5.0


class Told:
    """Shows on standard error that it gets on."""

    def __init__(self, doing: str) -> None:
        self.doing = doing
        self._count = 0
        self._last = time.monotonic()
        self._noted: set[str] = set()

    def beat(self) -> None:
        """Another batch is done."""
        self._count += 1
        if time.monotonic() - self._last >= SAY_EVERY_S:
            self._last = time.monotonic()
            print(f"{self.doing}: {self._count} batches done", file=sys.stderr, flush=True)

    def note_once(self, text: str) -> None:
        """Something that the user should read; of very many only the first."""
        if text in self._noted:
            return
        self._noted.add(text)
        if len(self._noted) <= MAX_NOTED:
            print(text, file=sys.stderr, flush=True)
        elif len(self._noted) == MAX_NOTED + 1:
            print("and more like this; python -m jack_ray.data check tells them", file=sys.stderr, flush=True)


def test(order: Order) -> dict[str, Any]:
    """Score a split. Raises DataError or WeightsError."""
    settings = typed(order.trial)
    settings = replace(settings, train=replace(settings.train, batch=order.batch))
    parts = Parts(order.trial.method, settings)
    data = parts.data(order.split)
    if order.labels and tuple(data.labels) != order.labels:
        told = (
            f"The data set's classes are {', '.join(data.labels)}; the model was trained on {', '.join(order.labels)}."
        )
        raise JackRayError(told)
    if not len(data):
        raise JackRayError(f"The {order.split} split has no samples.")
    model = loaded(parts, order)
    ranks = Ranks()
    parts.use_shelf(shelf_of(model, settings, ranks))
    with Reader(settings.train.workers, settings.train.prefetch) as reader:
        around = Surroundings(ranks, Told("scoring"), reader)
        metric = evaluate.score(parts, model, order.split, around)
    pictures: list[str] = []
    if order.pictures:
        pictures = [str(path) for path in evaluate.write_files(metric, Path(order.pictures))]
    numbers = evaluate.named(metric, order.split)
    return {"split": order.split, "samples": len(data), "numbers": numbers, "files": pictures}


def predict(order: Order) -> dict[str, Any]:
    """Answer for every input; those that cannot be read are listed under `faults`. Raises DataError, WeightsError."""
    paths = predictor_of(order).find(Path(order.input))
    answering = answering_of(order)
    told = Told("predicting")
    answers: list[dict[str, Any]] = []
    faults: list[str] = []
    for start in range(0, len(paths), order.batch):
        for one in answering.of(paths[start : start + order.batch], order.timeline):
            faults += [str(fault) for fault in one.faults]
            if one.faults or one.sample is None:
                continue
            answers.append({"input": str(one.path)} | one.answer)
            if order.pictures:
                place = Path(order.pictures)
                answers[-1]["picture"] = _draw(answering.predictor, one.answer, one.sample, place, len(answers))
        told.beat()
    return {"labels": list(order.labels), "answers": answers, "faults": faults}


def _draw(predictor: PredictorRole, answer: dict[str, Any], sample: Sample, folder: Path, number: int) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{number:04d}.png"
    predictor.draw(answer, sample, path)
    return str(path)


def make_ready() -> None:
    """Processors or a GPU, as the environment says."""
    warnings.filterwarnings("ignore", message="The value of the smallest subnormal")  # Jittor flushes them to zero
    jt.flags.use_cuda = int(os.environ.get("JACK_RAY_GPU", "0"))


def main(arguments: Sequence[str]) -> int:
    """Do what the order says."""
    path = Path(arguments[0])
    order = load_order(path)
    make_ready()
    try:
        result = test(order) if order.task == "test" else predict(order)
    except JackRayError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    write_json(path.parent / RESULT, result)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
