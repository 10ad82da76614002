"""A few training steps of TSL-Net held against the authors' PyTorch code: losses, gradients, weights."""

import re
from collections.abc import Callable, Mapping, Sequence
from math import fsum, sqrt
from typing import Any, Protocol

import jittor as jt
import numpy as np

from jack_ray.contract.schema import TrainConfig
from jack_ray.methods.roles import Batch, Group, OneByOne, whole_loss
from jack_ray.methods.shared.batchnorm import absorb, drain
from jack_ray.methods.shared.recipe import Comparison, deviation_of_sums, deviation_of_values, draw
from jack_ray.methods.tsl import reference
from jack_ray.methods.tsl.config import CLASSES
from jack_ray.methods.tsl.loss import Loss
from jack_ray.methods.tsl.model import Model

LOSS_TOLERANCES = (1e-5, 1e-3, 5e-3, 5e-2)
NORM_TOLERANCES = (1e-4, 1e-2, 1e-1, 3e-1)
"""By step: rounding grows, because Adam's first steps depend on little more than a gradient's sign."""
GRADIENT_TOLERANCE = 1e-2
WEIGHTS_TOLERANCE = 5e-3
STATISTICS_TOLERANCE = 1e-3
CHANGE_TOLERANCE = 1e-2
"""Of the median over the parameters."""
WIDE_CHANGE_TOLERANCE = 1e-1
"""That 95 % of the parameters keep."""

POINT_VALUE = 0.9
"""Target of the class that a point names; the other one has the rest."""

Golden = Mapping[str, Any]
Tell = Callable[[str], None]
Gradients = dict[str, jt.Var]


class Stepper(Protocol):
    """An optimiser, as jack_ray.train has them."""

    def step(self, gradients: Mapping[str, jt.Var], lr: float) -> None:
        """Move the parameters in place."""
        ...


MakeOptimizer = Callable[[TrainConfig, Sequence[Group]], Stepper]


def check(golden: Golden, model: Model, make_optimizer: MakeOptimizer, tell: Tell) -> list[Comparison]:
    """Train as the file's recipe says, and compare every number that it holds."""
    if golden["recipe"]["dropout"] != 0:
        raise ValueError("dropout other than 0, which no two implementations draw alike")
    parameters = {name: var for group in model.groups() for name, var in group.parameters.items()}
    initial = {name: np.array(var.numpy()) for name, var in parameters.items()}
    rate, groups = _rates(golden["lr"], model.groups())
    optimizer = make_optimizer(reference.TRAIN, groups)
    comparisons: list[Comparison] = []
    for step, batch in enumerate(golden["recipe"]["batches"]):
        tell(f"training step {step + 1} of {len(golden['recipe']['batches'])}")
        seen, gradients = _accumulate(model, parameters, [_read_video(video) for video in batch["videos"]])
        comparisons += _compare_step(step, seen, gradients, golden["steps"][step])
        if step == 0:
            comparisons.append(_compare_gradients(gradients, golden))
        optimizer.step(gradients, rate)
    return comparisons + _compare_end(model, parameters, initial, golden)


def _rates(text: str, groups: Sequence[Group]) -> tuple[float, list[Group]]:
    """The rate of most parameters, and the groups; from "1e-5; a_extractor 1e-4"."""
    main, audio = (float(number) for number in re.findall(r"(?<![\w.])\d[\d.]*(?:e-?\d+)?", text))
    others, extractor = groups
    return main, [others, Group(extractor.parameters, audio / main)]


def _read_video(video: Golden) -> Batch:
    rgb, mel = draw(video["inputs"]["v"]), draw(video["inputs"]["a"])
    points = np.zeros((rgb.shape[1], len(CLASSES)), np.float32)
    counts = np.zeros(len(CLASSES), np.float32)
    for snippet, index in video["points"]:
        points[snippet] = 1 - POINT_VALUE
        points[snippet, index] = POINT_VALUE
        counts[index] += 1
    return {
        "name": "golden",
        "rgb": rgb,
        "mel": mel,
        "points": points,
        "video_labels": (counts > 0).astype(np.float32)[None],
        "label_distribution": counts / counts.sum(),
    }


def _accumulate(
    model: Model, parameters: Gradients, videos: Sequence[Batch]
) -> tuple[list[dict[str, float]], Gradients]:
    """Each video's loss terms, and the gradient of the mean loss."""
    seen: list[dict[str, float]] = []
    total: Gradients = {}
    for video in videos:
        loss, terms = whole_loss(Loss(reference.MODEL)(model, video, OneByOne()))
        for name, gradient in zip(parameters, jt.grad(loss / len(videos), list(parameters.values())), strict=True):
            total[name] = total[name] + gradient if name in total else gradient
        jt.sync(list(total.values()))
        seen.append({name: float(term.numpy()[0]) for name, term in (terms | {"total": loss}).items()})
        absorb(model, drain(model))
    return seen, total


def _compare_step(
    step: int, seen: Sequence[Mapping[str, float]], gradients: Gradients, expected: Golden
) -> list[Comparison]:
    place = min(step, len(LOSS_TOLERANCES) - 1)
    deviations = []
    for name in seen[0]:
        mean = fsum(video[name] for video in seen) / len(seen)
        deviations.append(deviation_of_values(mean, expected[name]))
        for ours, theirs in zip(seen, expected["videos"], strict=True):
            deviations.append(deviation_of_values(ours[name], theirs[name]))
    # Added up by numpy: Jittor's float32 sum of ten million squares is off by a thousandth.
    squares = (float(np.square(gradient.numpy(), dtype=np.float64).sum()) for gradient in gradients.values())
    norm = deviation_of_values(sqrt(fsum(squares)), expected["grad_norm"])
    return [
        Comparison(f"training step {step + 1}: loss terms", max(deviations), LOSS_TOLERANCES[place]),
        Comparison(f"training step {step + 1}: gradient norm", norm, NORM_TOLERANCES[place]),
    ]


def _compare_gradients(gradients: Gradients, golden: Golden) -> Comparison:
    compared = [name for name in golden["grad_step1"] if name not in golden.get("zero_gradient_names", ())]
    worst = max(deviation_of_sums(gradients[name].numpy(), golden["grad_step1"][name]) for name in compared)
    return Comparison("training step 1: every gradient", worst, GRADIENT_TOLERANCE)


def _compare_end(
    model: Model, parameters: Gradients, initial: Mapping[str, np.ndarray], golden: Golden
) -> list[Comparison]:
    weights = [deviation_of_sums(parameters[name].numpy(), sums) for name, sums in golden["params_after"].items()]
    changes = [
        deviation_of_sums(parameters[name].numpy().astype(np.float64) - initial[name], sums)
        for name, sums in golden["param_change"].items()
    ]
    state = model.state_dict()
    means = [deviation_of_sums(state[name].numpy(), sums) for name, sums in golden["running_mean_after"].items()]
    return [
        Comparison("after training: every parameter", max(weights), WEIGHTS_TOLERANCE),
        Comparison("after training: change, median", float(np.median(changes)), CHANGE_TOLERANCE),
        Comparison("after training: change, 95 %", float(np.quantile(changes, 0.95)), WIDE_CHANGE_TOLERANCE),
        Comparison("after training: running means", max(means), STATISTICS_TOLERANCE),
    ]
