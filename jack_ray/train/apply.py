"""Use a trained model: `python -m jack_ray.train.apply ORDER.json`, started by `jack_ray.test` and `jack_ray.predict`.

The answer is written beside the order (contract/order.py). Exit code 0, or 2 with one message for a user's mistake.
"""

import importlib
import os
import sys
import time
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import jittor as jt

from jack_ray.contract.errors import DataError, JackRayError, WeightsError
from jack_ray.contract.files import write_json
from jack_ray.contract.order import RESULT, Order, load_order
from jack_ray.methods.roles import PredictorRole, Sample
from jack_ray.train import evaluate, weights
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


def _model(parts: Parts, order: Order) -> Any:
    """The model with its weights, in evaluation mode. Raises WeightsError when they are another model's."""
    model = parts.model()
    found = weights.read_weights(Path(order.weights))
    told = weights.load_into(model, found, Path(order.weights))
    if not told.loaded:
        raise WeightsError(f"{order.weights} holds none of the model's tensors\n{told}")
    if told.missing:
        print(f"{order.weights}: {told}", file=sys.stderr)
    model.eval()
    return model


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
    model = _model(parts, order)
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


def predictor_of(order: Order) -> PredictorRole:
    """What reads files for the order's model. Raises ConfigError."""
    settings = typed(order.trial)
    module = importlib.import_module(f"jack_ray.methods.{order.trial.method}.predict")
    made: PredictorRole = module.Predictor(settings.model, settings.data, order.labels)
    return made


def model_of(predictor: PredictorRole, order: Order) -> Any:
    """The order's model, and the networks that reading needs, with their weights. Raises WeightsError."""
    for network in predictor.networks():
        weights.load_network(network)
    return _model(Parts(order.trial.method, typed(order.trial)), order)


def predict(order: Order) -> dict[str, Any]:
    """Answer for every input; those that cannot be read are listed under `faults`. Raises DataError, WeightsError."""
    predictor = predictor_of(order)
    paths = predictor.find(Path(order.input))
    model = model_of(predictor, order)
    told = Told("predicting")
    answers: list[dict[str, Any]] = []
    faults: list[str] = []
    for start in range(0, len(paths), order.batch):
        samples, readable = _read(predictor, paths[start : start + order.batch], faults)
        found = answers_of(predictor, model, samples)
        told.beat()
        for answer, sample, path in zip(found, samples, readable, strict=True):
            answers.append({"input": str(path)} | answer)
            if order.pictures:
                answers[-1]["picture"] = _draw(predictor, answer, sample, Path(order.pictures), len(answers))
    return {"labels": list(order.labels), "answers": answers, "faults": faults}


def _read(predictor: PredictorRole, paths: Sequence[Path], faults: list[str]) -> tuple[list[Sample], list[Path]]:
    samples, readable = [], []
    for path in paths:
        try:
            samples.append(predictor.read(path))
            readable.append(path)
        except DataError as error:
            faults += [str(fault) for fault in error.faults]
    return samples, readable


def answers_of(predictor: PredictorRole, model: Any, samples: Sequence[Sample]) -> list[dict[str, Any]]:
    """What the model says of samples, in their order."""
    answers: list[dict[str, Any]] = []
    if samples:
        with jt.no_grad():
            for batch in predictor.collate(samples):
                outputs = {name: value.numpy() for name, value in model(batch).items()}
                answers += predictor.answers(outputs, batch)
    return answers


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
