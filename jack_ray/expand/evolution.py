"""Points by CMA-ES: a normal distribution that moves towards what did well, a generation after the other.

The distribution is not kept anywhere. Each point remembers its generation, the first of each also which trials formed
it; so the same distribution is computed again from the history, whoever was killed in between. It needs numbers: the
settings with a list of choices are drawn at random beside it.

Hansen, "The CMA Evolution Strategy: A Tutorial" (2016), in the implementation of the `cmaes` package.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from cmaes import CMA
from optuna.distributions import CategoricalDistribution
from threadpoolctl import threadpool_limits

from jack_ray.expand.history import Seen
from jack_ray.expand.space import Axis
from jack_ray.expand.unit import coordinates_of, params_at

GENERATION = "jack_ray.generation"
PARENTS = "jack_ray.parents"

_FIRST_SPREAD = 1 / 6
"""Of the first generation, around the middle of the space: Optuna's choice."""


def numbers_of(axes: Sequence[Axis]) -> list[Axis]:
    """The axes on which CMA-ES can move."""
    return [axis for axis in axes if not isinstance(axis.distribution, CategoricalDistribution)]


def draw(axes: Sequence[Axis], seen: Sequence[Seen], seed: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """A point of the current generation, and what is to be noted of it; a function of the history and the seed.

    axes: at least one, all numbers. A generation ends when as many of its trials have ended as form one; it takes the
    first of them by number, and trials that end later change nothing. Stopped trials count as worse than finished
    ones, failed ones as the worst.
    """
    with threadpool_limits(1):
        optimizer = _first(axes)
        generation = 0
        while parents := _parents_of(generation + 1, seen):
            _tell(axes, optimizer, [seen[number] for number in parents])
            generation += 1
        ended = [entry for entry in seen if entry.outcome != "running" and entry.notes.get(GENERATION) == generation]
        notes: dict[str, Any] = {GENERATION: generation}
        if len(ended) >= optimizer.population_size:
            chosen = ended[: optimizer.population_size]
            _tell(axes, optimizer, chosen)
            notes = {GENERATION: generation + 1, PARENTS: [entry.number for entry in chosen]}
        optimizer._rng = np.random.RandomState(seed % 2**32)
        return params_at(axes, optimizer.ask()), notes


def _first(axes: Sequence[Axis]) -> CMA:
    count = len(axes)
    bounds = np.array([[0.0, 1.0]] * count)
    return CMA(np.full(count, 0.5), _FIRST_SPREAD, bounds, n_max_resampling=10 * count, seed=0)


def _parents_of(generation: int, seen: Sequence[Seen]) -> list[int]:
    """The trials that were found to form a generation when its first point was drawn."""
    formed = (entry.notes.get(PARENTS) for entry in seen if entry.notes.get(GENERATION) == generation)
    return list(next((parents for parents in formed if parents), []))


def _tell(axes: Sequence[Axis], optimizer: CMA, parents: Sequence[Seen]) -> None:
    """Form the next generation. CMA-ES looks at the order of the values alone, so ranks do."""
    order = sorted(parents, key=_goodness, reverse=True)
    optimizer.tell([(np.array(coordinates_of(axes, entry.params)), float(rank)) for rank, entry in enumerate(order)])


def _goodness(entry: Seen) -> tuple[int, float]:
    return {"failed": 0, "stopped": 1}.get(entry.outcome, 2), entry.value if entry.value is not None else -np.inf
