"""Answers of a trained model for files: what `train.apply` writes once and `train.serve` gives again and again."""

import importlib
import math
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

import jittor as jt

from jack_ray.contract.errors import DataError, Fault, JackRayError, WeightsError
from jack_ray.contract.order import Order
from jack_ray.methods.roles import PredictorRole, Sample
from jack_ray.methods.shared.computing import computed
from jack_ray.train import weights
from jack_ray.train.method import Parts, typed


@dataclass
class Answered:
    """A file, and what is known of it by now: an answer or faults."""

    path: Path
    sample: Sample | None = None
    answer: dict[str, Any] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()


class Answering:
    """A model that is ready."""

    def __init__(self, order: Order, predictor: PredictorRole, model: Any) -> None:
        self.order = order
        self.predictor = predictor
        self.model = model

    def of(self, paths: Sequence[Path], over_time: bool) -> list[Answered]:
        """An answer for each file, or why there is none; one that cannot be read spoils no other.

        paths: no more than are to be in memory at once. over_time: also what changes in the course of each.
        """
        found = [self._read(path) for path in paths]
        self._answer([one for one in found if one.sample is not None])
        for one in found:
            if over_time and not one.faults:
                self._follow(one)
        return found

    def _answer(self, several: Sequence[Answered]) -> None:
        try:
            answers = self._batch([one.sample for one in several if one.sample is not None])
        except Exception as error:
            if len(several) == 1:
                several[0].faults = faults_of(several[0].path, error)
                return
            for one in several:  # to find out which of them it was
                self._answer([one])
            return
        for one, answer in zip(several, answers, strict=True):
            one.answer = answer
            self._hold_to_numbers(one)

    def _read(self, path: Path) -> Answered:
        try:
            return Answered(path, self.predictor.read(path, self.order.max_s))
        except Exception as error:  # whatever is wrong with a file, the next one is to be answered
            return Answered(path, faults=faults_of(path, error))

    def _follow(self, one: Answered) -> None:
        try:
            one.answer |= self.predictor.over_time(one.path, one.answer, self._ask, self.order.window_s)
        except Exception as error:
            one.faults = faults_of(one.path, error)
        else:
            self._hold_to_numbers(one)

    def _ask(self, samples: Iterable[Sample]) -> Iterator[Mapping[str, Any]]:
        """`methods.roles.Ask`"""
        remaining = iter(samples)
        while batch := list(islice(remaining, self.order.batch)):
            yield from self._batch(batch)

    def _batch(self, samples: Sequence[Sample]) -> list[dict[str, Any]]:
        return answers_of(self.predictor, self.model, samples)

    def _hold_to_numbers(self, one: Answered) -> None:
        """No answer has numbers that JSON does not know; a model that gives them is named."""
        place = next(not_finite(one.answer), "")
        if place:
            remedy = "Its training diverged, or its weights are damaged. Ask another checkpoint or version."
            found = f"the model {self.order.trial.id} gives no number (NaN)"
            one.faults = (Fault(f"{one.path}: {place}", found, "finite numbers", remedy),)


def answering_of(order: Order) -> Answering:
    """The order's model. Raises ConfigError, WeightsError."""
    predictor = predictor_of(order)
    return Answering(order, predictor, model_of(predictor, order))


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
    return loaded(Parts(order.trial.method, replace(typed(order.trial), model=predictor.model)), order)


def loaded(parts: Parts, order: Order) -> Any:
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


def answers_of(predictor: PredictorRole, model: Any, samples: Sequence[Sample]) -> list[dict[str, Any]]:
    """What the model says of samples, in their order."""
    answers: list[dict[str, Any]] = []
    if samples:
        with jt.no_grad():
            for batch in predictor.collate(samples):
                outputs = computed(model(batch))
                answers += predictor.answers(outputs, batch)
    return answers


def faults_of(path: Path, error: Exception) -> tuple[Fault, ...]:
    """Why a file has no answer. What is no error of the file itself goes to standard error, too."""
    if isinstance(error, DataError):
        return error.faults
    if isinstance(error, JackRayError):
        return (Fault(str(path), str(error), "a file that the model can answer for"),)
    if isinstance(error, OSError):
        return (Fault(str(path), f"cannot be read ({error.strerror or error})", "a file that can be read"),)
    traceback.print_exception(error)
    return (Fault(str(path), f"no answer ({type(error).__name__}: {error})", "a file of the kind that it says"),)


def not_finite(value: Any, place: str = "") -> Iterator[str]:
    """Where in an answer NaN or infinity stand: `probabilities.joy`."""
    if isinstance(value, float) and not math.isfinite(value):
        yield place
    inside = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inside:
        yield from not_finite(one, f"{place}.{key}" if place else str(key))
