"""Which samples a step learns from, and which of them are a rank's; pure."""

from dataclasses import dataclass

import numpy as np

from jack_ray.train.seeds import seed_of


@dataclass(frozen=True)
class Step:
    """The samples of one optimiser step, of all ranks."""

    epoch: int
    indices: tuple[int, ...]


def step_samples(num_samples: int, batch: int, seed: int, step: int) -> Step:
    """The samples of a step: a new shuffle every epoch, an epoch's remainder is left out (TSL300 main.py).

    step: counted from 0. A data set smaller than the batch is taken whole, each epoch one step.
    """
    steps_per_epoch = max(1, num_samples // batch)
    epoch, place = divmod(step, steps_per_epoch)
    shuffled = np.random.default_rng(seed_of(seed, "order", epoch)).permutation(num_samples)
    chosen = shuffled[place * batch : (place + 1) * batch]
    return Step(epoch, tuple(int(index) for index in chosen))


def share(num_samples: int, rank: int, ranks: int) -> range:
    """The positions of a rank: contiguous, none lost or doubled, sizes differ by one at most."""
    return range(num_samples * rank // ranks, num_samples * (rank + 1) // ranks)
