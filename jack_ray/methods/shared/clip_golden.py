"""What the golden files of VAANet and CTEN hold, held against ours: a pass, and a few training steps."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import fsum, sqrt
from pathlib import Path
from typing import Any, Protocol

import jittor as jt
import numpy as np
from jittor import nn

from jack_ray.contract.errors import JackRayError
from jack_ray.contract.schema import TrainConfig
from jack_ray.methods.roles import Batch, Group, LossRole, OneByOne, whole_loss
from jack_ray.methods.shared.recipe import (
    Comparison,
    deviation_of_summary,
    deviation_of_sums,
    deviation_of_values,
    draw,
    draw_weight,
    published_places,
    read_golden,
)

FORWARD_TOLERANCE = 1e-4
GRADIENT_TOLERANCE = 1e-2
VANISHING_TOLERANCE = 2e-1
WIDE_CHANGE_TOLERANCE = 1e-1
"""That 95 % of the parameters keep."""

Golden = Mapping[str, Any]
Tell = Callable[[str], None]
Gradients = dict[str, np.ndarray]


class Stepper(Protocol):
    """An optimiser, as jack_ray.train has them."""

    def step(self, gradients: Mapping[str, jt.Var], lr: float) -> None:
        """Move the parameters in place."""
        ...


Arrange = Callable[[np.ndarray], np.ndarray]
MakeOptimizer = Callable[[TrainConfig, Sequence[Group]], Stepper]


@dataclass(frozen=True)
class Published:
    """A method as the file's numbers were made with it."""

    title: str
    config: Any
    train: TrainConfig
    classes: tuple[str, ...]
    make_model: Callable[[Any], Any]
    make_loss: Callable[[Any], LossRole]
    parts: Mapping[str, tuple[str, Arrange]]
    """The file's name of what a part of the model gives -> the part's name, and how the file has it."""
    vanishing: Callable[[str], bool]
    """Parameters whose gradient nearly vanishes, and is mostly rounding."""
    outputs: Mapping[str, tuple[str, Arrange]]
    """The file's name of an output of evaluation -> our name, and how the file has it."""
    changes_without_gradient: bool
    """Whether parameters whose exact gradient is 0 move alike: not where Adam turns rounding into whole steps."""


def check_file(
    path: Path, published: Published, extra: Mapping[str, Callable[[Golden], list[Comparison]]],
    make_optimizer: MakeOptimizer, tell: Tell,
) -> list[Comparison]:  # fmt: skip
    """Every quantity of a golden file against ours, at full width; `tell` hears what is being computed.

    extra: further keys of the method's files. Raises JackRayError naming the file when it is broken or another's.
    """
    golden = read_golden(path)
    checks: dict[str, Callable[[Golden], list[Comparison]]] = {
        "logits": lambda found: _check_pass(found, published),
        **extra,
        "steps": lambda found: _check_training(found, published, make_optimizer, tell),
    }
    present = [name for name in checks if name in golden]
    if not present:
        keys = ", ".join(map(str, golden)) or "nothing"
        folder = path.parent if path.parent.name == "golden" else "the folder golden/ of the method"
        raise JackRayError(f"{path} is no golden file of {published.title}: it holds {keys}. There is one in {folder}.")
    comparisons: list[Comparison] = []
    for name in present:
        tell(f"{path.name}: {name}")
        try:
            comparisons += checks[name](golden)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            told = f"{type(error).__name__}: {error}"
            raise JackRayError(f"{path}: {name} cannot be read as {published.title}'s ({told}).") from error
    return comparisons


def build(recipe: Golden, published: Published) -> Any:
    """The published model with the recipe's weights, in the recipe's mode."""
    frozen = recipe.get("backbone_bn") == "eval"
    model = published.make_model(replace(published.config, freeze_bn=frozen))
    state = model.state_dict()
    for (name, var), place in zip(state.items(), published_places(list(state)), strict=True):
        var.update(jt.array(draw_weight(name, tuple(var.shape), place, recipe)))
        var.sync()
    if recipe["mode"] == "train":
        model.train()
    else:
        model.eval()
    return model


def read_batch(about: Golden, published: Published) -> Batch:
    """A batch from {inputs, labels} of a recipe."""
    inputs = {name: draw(how) for name, how in about["inputs"].items()}
    labels = np.asarray(about.get("labels", ()), np.int64)
    return {**inputs, "label": labels, "classes": published.classes}


def _check_pass(golden: Golden, published: Published) -> list[Comparison]:
    model, batch = build(golden["recipe"], published), read_batch(golden["recipe"], published)
    before = batch["visual"].copy()
    given = _noted(model, published.parts)
    outputs = {name: var.numpy() for name, var in model(batch).items()}
    compared = {
        name: _deviation(arrange(given[name].numpy()), golden["intermediate"][name])
        for name, (_, arrange) in published.parts.items()
    }
    for name, (output, arrange) in published.outputs.items():
        ours, theirs = arrange(outputs[output]), golden[name]
        compared[name] = _deviation(ours, theirs) if isinstance(theirs, Mapping) else deviation_of_values(ours, theirs)
    compared["inputs after the pass"] = deviation_of_values(batch["visual"], before)
    return [Comparison(f"forward: {name}", deviation, FORWARD_TOLERANCE) for name, deviation in compared.items()]


def _deviation(ours: np.ndarray, summary: Golden) -> float:
    """Axes of length 1 count nothing: the files keep those of pooled maps."""
    return deviation_of_summary(ours.reshape(summary["shape"]), summary)


def _noted(model: Any, parts: Mapping[str, tuple[str, Arrange]]) -> dict[str, jt.Var]:
    """What parts of the model will give in its next pass, by the names of the file."""
    given: dict[str, jt.Var] = {}

    def note(name: str, module: nn.Module) -> None:
        execute = module.execute

        def noting(*inputs: jt.Var) -> jt.Var:
            given[name] = execute(*inputs)
            return given[name]

        module.execute = noting

    for name, (part, _) in parts.items():
        note(name, getattr(model, part))
    return given


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


PUBLISHED_RATE = Tolerances((1e-5, 1e-3, 5e-3, 5e-2), (1e-4, 1e-2, 1e-1, 3e-1), 5e-3, 1e-2, 1e-2)
LOW_RATE = Tolerances((1e-5, 5e-5, 5e-5, 5e-5), (1e-4, 5e-4, 5e-4, 5e-4), 1e-4, 1e-3, 1e-4)


def _check_training(
    golden: Golden, published: Published, make_optimizer: MakeOptimizer, tell: Tell
) -> list[Comparison]:
    """Train as the file's recipe says, and again at its low rate; compare every number that it holds."""
    method = replace(published, config=_without_chance(published.config, golden["recipe"]))
    comparisons = Run(method, golden, PUBLISHED_RATE, "training").train(golden, make_optimizer, tell)
    if "low_lr" in golden:
        slow = Run(method, golden, LOW_RATE, "training at a low rate")
        comparisons += slow.train(golden["low_lr"], make_optimizer, tell)
    return comparisons


def _without_chance(config: Any, recipe: Golden) -> Any:
    """The config without dropout and without passes whose clips are drawn."""
    if recipe.get("dropout", 0):
        raise ValueError("dropout in a training, which no two implementations draw alike")
    settled = {"dropout": 0.0, "erasing": "none"}
    return replace(config, **{key: value for key, value in settled.items() if hasattr(config, key)})


def _compare_gradients(gradients: Gradients, golden: Golden, published: Published) -> list[Comparison]:
    skipped = golden.get("zero_gradient_names", ())
    deviations = {
        name: deviation_of_sums(gradients[name], sums)
        for name, sums in golden["grad_step1"].items()
        if name not in skipped
    }
    vanishing = {name: deviation for name, deviation in deviations.items() if published.vanishing(name)}
    sound = max(deviation for name, deviation in deviations.items() if name not in vanishing)
    comparisons = [Comparison("training step 1: every gradient", sound, GRADIENT_TOLERANCE)]
    if vanishing:
        title = "training step 1: gradients that nearly vanish"
        comparisons.append(Comparison(title, max(vanishing.values()), VANISHING_TOLERANCE))
    return comparisons


class Run:
    """One training by a recipe."""

    def __init__(self, published: Published, golden: Golden, tolerances: Tolerances, title: str) -> None:
        self.published = published
        self.batches = golden["recipe"]["batches"]
        self.rounding = () if published.changes_without_gradient else golden.get("zero_gradient_names", ())
        self.tolerances = tolerances
        self.title = title
        self.model = build(golden["recipe"], published)
        self.parameters = {name: var for group in self.model.groups() for name, var in group.parameters.items()}

    def train(self, expected: Golden, make_optimizer: MakeOptimizer, tell: Tell) -> list[Comparison]:
        """Take the steps; every number of the file against ours."""
        state = self.model.state_dict()
        initial = {name: np.array(state[name].numpy()) for name in expected["params_after"]}
        optimizer = make_optimizer(self.published.train, self.model.groups())
        loss = self.published.make_loss(self.published.config)
        comparisons: list[Comparison] = []
        for step, about in enumerate(self.batches):
            tell(f"{self.title}: step {step + 1} of {len(self.batches)}")
            values, gradients = self._differentiate(loss, read_batch(about, self.published))
            comparisons += self._compare_step(step, values, gradients, expected["steps"][step])
            if step == 0 and "grad_step1" in expected:
                comparisons += _compare_gradients(gradients, expected, self.published)
            optimizer.step({name: jt.array(gradient) for name, gradient in gradients.items()}, expected["lr"])
        return comparisons + self._compare_end(initial, expected)

    def _differentiate(self, loss: LossRole, batch: Batch) -> tuple[dict[str, float], Gradients]:
        """The loss terms and the gradients, as arrays: Vars would keep the whole pass in memory."""
        total, terms = whole_loss(loss(self.model, batch, OneByOne()))
        gradients = jt.grad(total, list(self.parameters.values()))
        jt.sync([*gradients, *self.model.state_dict().values()])
        found = {"total": total, "loss_ce": next(iter(terms.values()))}
        values = {name: float(term.numpy().reshape(-1)[0]) for name, term in found.items()}
        return values, {name: np.array(one.numpy()) for name, one in zip(self.parameters, gradients, strict=True)}

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
        state = self.model.state_dict()
        final = {name: state[name].numpy().astype(np.float64) for name in initial}
        weights = [deviation_of_sums(final[name], sums) for name, sums in expected["params_after"].items()]
        changes = [
            deviation_of_sums(final[name] - initial[name], sums)
            for name, sums in expected["param_change"].items()
            if name not in self.rounding
        ]
        means = [deviation_of_sums(state[name].numpy(), sums) for name, sums in expected["running_mean_after"].items()]
        return [
            Comparison(f"after {self.title}: every parameter", max(weights), self.tolerances.weights),
            Comparison(f"after {self.title}: change, median", float(np.median(changes)), self.tolerances.change),
            Comparison(f"after {self.title}: change, 95 %", float(np.quantile(changes, 0.95)), WIDE_CHANGE_TOLERANCE),
            Comparison(f"after {self.title}: running means", float(np.median(means)), self.tolerances.statistics),
        ]
