"""A few training steps of BPM-GCN held against the authors' PyTorch code: losses, gradients, weights."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum, sqrt
from typing import Any, Protocol

import jittor as jt
import numpy as np

from jack_ray.contract.schema import TrainConfig
from jack_ray.methods.gait import reference
from jack_ray.methods.gait.loss import Loss
from jack_ray.methods.gait.model import Model
from jack_ray.methods.roles import Batch, Group, OneByOne, whole_loss
from jack_ray.methods.shared.recipe import Comparison, deviation_of_sums, deviation_of_values, draw

GRADIENT_TOLERANCE = 1e-2
ILL_CONDITIONED = "fusion2.att_N_m."
"""Its gradient nearly vanishes: rounding the inputs the other way in their last digit moves it by up to 3e-2."""
ILL_CONDITIONED_TOLERANCE = 2e-1
WIDE_CHANGE_TOLERANCE = 1e-1
"""That 95 % of the parameters keep."""
Golden = Mapping[str, Any]
Tell = Callable[[str], None]
Gradients = dict[str, np.ndarray]


@dataclass(frozen=True)
class Tolerances:
    """Losses and gradient norms by step, as rounding grows with the learning rate; and what is compared at the end."""

    losses: tuple[float, ...]
    norms: tuple[float, ...]
    weights: float
    change: float
    """Of the median over the parameters."""
    statistics: float
    """Likewise of the running means."""


PUBLISHED_RATE = Tolerances((1e-5, 1e-3, 5e-3, 5e-2), (1e-4, 1e-2, 1e-1, 3e-1), 1e-1, 5e-2, 1e-2)
LOW_RATE = Tolerances((1e-5, 5e-5, 5e-5, 5e-5), (1e-4, 5e-4, 5e-4, 5e-4), 1e-4, 1e-3, 1e-4)


class Stepper(Protocol):
    """An optimiser, as jack_ray.train has them."""

    def step(self, gradients: Mapping[str, jt.Var], lr: float) -> None:
        """Move the parameters in place."""
        ...


MakeOptimizer = Callable[[TrainConfig, Sequence[Group]], Stepper]


def check(
    golden: Golden, build: Callable[[Golden], Model], make_optimizer: MakeOptimizer, tell: Tell
) -> list[Comparison]:
    """Train as the file's recipe says, and again at its low rate; compare every number that it holds."""
    recipe = golden["recipe"]
    run = Run(build(recipe), recipe["batches"], PUBLISHED_RATE, "training")
    comparisons = run.train(golden, make_optimizer, tell)
    if "low_lr" in golden:
        slow = Run(build(recipe), recipe["batches"], LOW_RATE, "training at a low rate")
        comparisons += slow.train(golden["low_lr"], make_optimizer, tell)
    return comparisons


def _compare_gradients(gradients: Gradients, golden: Golden) -> list[Comparison]:
    skipped = golden.get("zero_gradient_names", ())
    deviations = {
        name: deviation_of_sums(gradients[name], sums)
        for name, sums in golden["grad_step1"].items()
        if name not in skipped
    }
    sound = max(deviation for name, deviation in deviations.items() if not name.startswith(ILL_CONDITIONED))
    ill = max(deviation for name, deviation in deviations.items() if name.startswith(ILL_CONDITIONED))
    return [
        Comparison("training step 1: every gradient but one", sound, GRADIENT_TOLERANCE),
        Comparison("training step 1: the vanishing gradient", ill, ILL_CONDITIONED_TOLERANCE),
    ]


def read_batch(about: Golden) -> Batch:
    """A batch from {inputs, labels} of a recipe."""
    inputs = {name: draw(how) for name, how in about["inputs"].items()}
    targets = np.eye(len(reference.MODEL.labels), dtype=np.float32)[np.asarray(about["labels"])]
    # The files have a last axis for persons, of which there is one.
    posture, movement = inputs["x_p"][..., 0], inputs["x_m"][..., 0]
    return {"posture": posture, "movement": movement, "affective": inputs["target"], "targets": targets}


class Run:
    """One training by a recipe."""

    def __init__(self, model: Model, batches: Sequence[Golden], tolerances: Tolerances, title: str) -> None:
        self.model = model
        self.batches = batches
        self.tolerances = tolerances
        self.title = title
        self.parameters = {name: var for group in model.groups() for name, var in group.parameters.items()}

    def train(self, expected: Golden, make_optimizer: MakeOptimizer, tell: Tell) -> list[Comparison]:
        """Take the steps; every number of the file against ours."""
        initial = {name: np.array(var.numpy()) for name, var in self.parameters.items()}
        optimizer = make_optimizer(reference.TRAIN, self.model.groups())
        comparisons: list[Comparison] = []
        for step, about in enumerate(self.batches):
            tell(f"{self.title}: step {step + 1} of {len(self.batches)}")
            found, gradients = self._differentiate(read_batch(about))
            comparisons += self._compare_step(step, found, gradients, expected["steps"][step])
            if step == 0 and "grad_step1" in expected:
                comparisons += _compare_gradients(gradients, expected)
            optimizer.step({name: jt.array(gradient) for name, gradient in gradients.items()}, expected["lr"])
        return comparisons + self._compare_end(initial, expected)

    def _differentiate(self, batch: Batch) -> tuple[dict[str, float], Gradients]:
        """The loss terms and the gradients, as arrays: Vars would keep the whole pass in memory."""
        total, terms = whole_loss(Loss(reference.MODEL)(self.model, batch, OneByOne()))
        gradients = jt.grad(total, list(self.parameters.values()))
        jt.sync([*gradients, *self.model.state_dict().values()])
        found = {name: float(term.numpy()[0]) for name, term in (terms | {"total": total}).items()}
        return found, {name: np.array(one.numpy()) for name, one in zip(self.parameters, gradients, strict=True)}

    def _compare_step(
        self, step: int, found: Mapping[str, float], gradients: Gradients, expected: Golden
    ) -> list[Comparison]:
        worst = max(deviation_of_values(value, expected[name]) for name, value in found.items())
        # Added up by numpy: Jittor's float32 sum of millions of squares is off by a thousandth.
        squares = (float(np.square(gradient, dtype=np.float64).sum()) for gradient in gradients.values())
        norm = deviation_of_values(sqrt(fsum(squares)), expected["grad_norm"])
        limits, title = self.tolerances, f"{self.title} step {step + 1}"
        return [
            Comparison(f"{title}: loss terms", worst, limits.losses[min(step, len(limits.losses) - 1)]),
            Comparison(f"{title}: gradient norm", norm, limits.norms[min(step, len(limits.norms) - 1)]),
        ]

    def _compare_end(self, initial: Mapping[str, np.ndarray], expected: Golden) -> list[Comparison]:
        final = {name: var.numpy().astype(np.float64) for name, var in self.parameters.items()}
        weights = [deviation_of_sums(final[name], sums) for name, sums in expected["params_after"].items()]
        changes = [
            deviation_of_sums(final[name] - initial[name], sums) for name, sums in expected["param_change"].items()
        ]
        state = self.model.state_dict()
        means = [deviation_of_sums(state[name].numpy(), sums) for name, sums in expected["running_mean_after"].items()]
        return [
            Comparison(f"after {self.title}: every parameter", max(weights), self.tolerances.weights),
            Comparison(f"after {self.title}: change, median", float(np.median(changes)), self.tolerances.change),
            Comparison(f"after {self.title}: change, 95 %", float(np.quantile(changes, 0.95)), WIDE_CHANGE_TOLERANCE),
            Comparison(f"after {self.title}: running means", float(np.median(means)), self.tolerances.statistics),
        ]
