"""Golden files: weights and inputs by recipe, numbers by another implementation, and how far ours are from them.

A file's `recipe` says how everything is drawn with numpy's RandomState, so that a comparison needs neither the
weights nor the data, nor the implementation that it compares with.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, prod, sqrt
from pathlib import Path
from typing import Any

import numpy as np

from jack_ray.contract.errors import JackRayError


@dataclass(frozen=True)
class Comparison:
    """One quantity held against the file's."""

    quantity: str
    deviation: float
    """The largest, relative to the quantity's size."""
    tolerance: float

    @property
    def holds(self) -> bool:
        """Whether we are near enough; NaN never is."""
        return isfinite(self.deviation) and self.deviation <= self.tolerance


def read_golden(path: Path) -> dict[str, Any]:
    """A golden file's content. Raises JackRayError naming the file when it cannot be one."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise JackRayError(f"{path}: there is no such file; expected a golden file (.json).") from None
    except (OSError, ValueError) as error:
        raise JackRayError(f"{path} is no JSON file ({error}); expected a golden file.") from error
    if not isinstance(content, dict):
        raise JackRayError(f"{path} holds a {type(content).__name__}; expected a mapping with a recipe.")
    return content


def draw(about: Mapping[str, Any]) -> np.ndarray:
    """An input, float32, from {seed, draw, shape, scale}."""
    generator, shape = np.random.RandomState(about["seed"]), tuple(about["shape"])
    match about["draw"]:
        case "normal":
            values = about.get("scale", 1) * generator.standard_normal(shape)
        case "abs_normal":
            values = np.abs(generator.standard_normal(shape))
        case "uniform":
            values = generator.uniform(0, 1, shape)
        case "randint256":
            values = generator.randint(0, 256, shape)
        case other:
            raise ValueError(f"the unknown draw {other!r}; expected normal, abs_normal, uniform or randint256")
    return np.asarray(values, np.float32)


def published_places(names: Sequence[str]) -> list[int]:
    """The place of each state-dict entry in PyTorch's list, which counts `num_batches_tracked` after `running_var`."""
    places = []
    place = 0
    for name in names:
        places.append(place)
        place += 2 if name.endswith("running_var") else 1
    return places


def draw_weight(name: str, shape: tuple[int, ...], place: int, recipe: Mapping[str, Any]) -> np.ndarray:
    """A state-dict entry, float32, by the recipe's `weights_base` and `gain`; the first rule that fits holds."""
    values = np.random.RandomState(recipe["weights_base"] + place).standard_normal(prod(shape)).reshape(shape)
    if name.endswith("running_mean"):
        values = 0.1 * values
    elif name.endswith("running_var"):
        values = 1 + 0.2 * np.abs(values)
    elif name.endswith(".alpha"):
        values = np.full(shape, 0.5)
    elif name.endswith(".PA"):
        values = 0.01 * values
    elif len(shape) >= 2:
        values = values * sqrt(recipe["gain"] / (prod(shape) / shape[0]))
    elif name.endswith("weight"):
        values = 1 + 0.1 * values
    else:
        values = 0.05 * values
    return values.astype(np.float32)


def sums(values: np.ndarray) -> tuple[float, float]:
    """The sum and the sum of magnitudes, in float64."""
    return float(values.sum(dtype=np.float64)), float(np.abs(values).sum(dtype=np.float64))


def deviation_of_sums(values: np.ndarray, golden: Sequence[float]) -> float:
    """How far [sum, abs_sum] are from the file's, relative to its abs_sum."""
    ours = sums(values)
    return max(abs(ours[0] - golden[0]), abs(ours[1] - golden[1])) / max(golden[1], 1e-30)


def deviation_of_values(values: Any, golden: Any) -> float:
    """The largest difference, relative to the largest magnitude; infinite when the shapes differ."""
    ours, theirs = np.asarray(values, np.float64), np.asarray(golden, np.float64)
    if ours.shape != theirs.shape:
        return float("inf")
    if not theirs.size:
        return 0.0
    return float(np.abs(ours - theirs).max() / max(np.abs(theirs).max(), 1e-30))


def deviation_of_summary(values: np.ndarray, golden: Mapping[str, Any]) -> float:
    """The same for {shape, sum, abs_sum, first, last}; infinite when the shapes differ."""
    if list(values.shape) != list(golden["shape"]):
        return float("inf")
    flat = values.reshape(-1)
    ends = zip(
        (flat[: len(golden["first"])], flat[-len(golden["last"]) :]), (golden["first"], golden["last"]), strict=True
    )
    listed = [deviation_of_values(ours, theirs) for ours, theirs in ends]
    return max(deviation_of_sums(values, (golden["sum"], golden["abs_sum"])), *listed)
