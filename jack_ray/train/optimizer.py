"""Update rules with PyTorch's formulas.

Jittor's own add eps before the bias correction (up to 32 times as large an eps in the first steps) and decay weights
that have no gradient; both change published results.
"""

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Protocol

import jittor as jt
import numpy as np

from jack_ray.contract.errors import WeightsError
from jack_ray.contract.schema import TrainConfig
from jack_ray.methods.roles import Group
from jack_ray.methods.shared.computing import compute

SYNC_EVERY = 3
"""Arrays updated before waiting for them, which frees the gradients and bounds the memory in flight."""


class Rule(Protocol):
    """How one parameter moves; `number` counts its updates from 1. `state` holds its Vars, empty at first."""

    def __call__(
        self, parameter: jt.Var, gradient: jt.Var, state: dict[str, jt.Var], lr: float, number: int
    ) -> jt.Var: ...


class Adam:
    """torch.optim.Adam: L2 penalty in the gradient, eps added after the bias correction."""

    def __init__(self, config: TrainConfig) -> None:
        self.config = config

    def __call__(self, parameter: jt.Var, gradient: jt.Var, state: dict[str, jt.Var], lr: float, number: int) -> jt.Var:
        """The parameter after the update."""
        first_decay, second_decay = self.config.betas
        if number == 1:
            state |= {"first": jt.zeros_like(parameter), "second": jt.zeros_like(parameter)}
        gradient = _decayed(parameter, gradient, self.config.weight_decay)
        first = state["first"] + (1 - first_decay) * (gradient - state["first"])
        second = second_decay * state["second"] + (1 - second_decay) * gradient * gradient
        state["first"].update(first)
        state["second"].update(second)
        root = jt.sqrt(second) / sqrt(1 - second_decay**number) + self.config.eps
        return parameter - lr / (1 - first_decay**number) * (first / root)


class Sgd:
    """torch.optim.SGD without dampening: L2 penalty in the gradient, momentum, Nesterov's form on request."""

    def __init__(self, config: TrainConfig) -> None:
        self.config = config

    def __call__(self, parameter: jt.Var, gradient: jt.Var, state: dict[str, jt.Var], lr: float, number: int) -> jt.Var:
        """The parameter after the update."""
        gradient = _decayed(parameter, gradient, self.config.weight_decay)
        if self.config.momentum == 0:
            return parameter - lr * gradient
        if number == 1:
            state["velocity"] = jt.zeros_like(parameter)
        velocity = self.config.momentum * state["velocity"] + gradient
        state["velocity"].update(velocity)
        return parameter - lr * (gradient + self.config.momentum * velocity if self.config.nesterov else velocity)


class Optimizer:
    """Moves the parameters of all groups in place."""

    def __init__(self, rule: Rule, groups: Sequence[Group]) -> None:
        self._rule = rule
        self._parameters = {name: var for group in groups for name, var in group.parameters.items()}
        self._rates = {name: group.rate for group in groups for name in group.parameters}
        self._numbers = dict.fromkeys(self._parameters, 0)
        self._state: dict[str, dict[str, jt.Var]] = {name: {} for name in self._parameters}

    def step(self, gradients: Mapping[str, jt.Var | None], lr: float) -> None:
        """One update; `lr` is multiplied by each group's rate. A parameter without a gradient stays as it is."""
        moved: list[jt.Var] = []
        for name, parameter in self._parameters.items():
            gradient = gradients.get(name)
            if gradient is None:
                continue
            self._numbers[name] += 1
            state = self._state[name]
            with jt.no_grad():  # else the old parameter and its state live on as what the new one came from
                moved_to = self._rule(parameter, gradient, state, lr * self._rates[name], self._numbers[name])
            parameter.update(moved_to)
            parameter.start_grad()
            moved += [parameter, *state.values()]
            if len(moved) >= SYNC_EVERY:
                compute(moved)
                moved = []
        compute(moved)

    def state(self) -> dict[str, np.ndarray]:
        """Everything to go on from, as arrays: `<parameter>/number`, `/first`, `/second` or `/velocity`."""
        arrays = {}
        for name, number in self._numbers.items():
            if number:
                arrays[f"{name}/number"] = np.array([number], np.int64)
                arrays |= {f"{name}/{part}": var.numpy() for part, var in self._state[name].items()}
        return arrays

    def load(self, state: Mapping[str, np.ndarray]) -> None:
        """Go on from what `state` gave, bit for bit. Raises WeightsError when it is another model's."""
        numbers = dict.fromkeys(self._parameters, 0)
        parts: dict[str, dict[str, jt.Var]] = {name: {} for name in self._parameters}
        for key, array in state.items():
            name, _, part = key.rpartition("/")
            if name not in parts or (part != "number" and array.shape != tuple(self._parameters[name].shape)):
                raise WeightsError(f"The optimiser's state has {key} {list(array.shape)}, which this model has not.")
            if part == "number":
                numbers[name] = int(array[0])
            else:
                parts[name][part] = jt.array(array)
        self._numbers, self._state = numbers, parts


def _decayed(parameter: jt.Var, gradient: jt.Var, weight_decay: float) -> jt.Var:
    return gradient + weight_decay * parameter if weight_decay else gradient


def make(config: TrainConfig, groups: Sequence[Group]) -> Optimizer:
    """The optimiser that `config.optimizer` names."""
    rules: dict[str, Rule] = {"adam": Adam(config), "sgd": Sgd(config)}
    return Optimizer(rules[config.optimizer], groups)
