"""Which gaits are trained on, chosen on and tested on; every class in proportion.

# K classes
"""

from collections.abc import Sequence

import numpy as np

from jack_ray.methods.gait.config import DataConfig
from jack_ray.methods.roles import Split

Kind = tuple[float, ...]
"""The targets of a gait: gaits with the same ones are spread evenly."""


def indices(own: Sequence[str], kinds: Sequence[Kind], data: DataConfig, split: Split, seed: int) -> list[int]:
    """The gaits of a split, in the order of the files.

    own: train or test, as the files have it. Deterministic in its arguments; the parts of a cross-validation with the
    same seed are disjoint and together all gaits.
    """
    if data.folds:
        parts = folds(kinds, data.folds, seed)
        tested = [part == data.fold for part in parts]
    else:
        tested = [one == "test" for one in own]
    if split == "test":
        return [index for index, is_test in enumerate(tested) if is_test]
    training = [index for index, is_test in enumerate(tested) if not is_test]
    held = held_out([kinds[index] for index in training], data.val_fraction, seed)
    return [index for place, index in enumerate(training) if (place in held) == (split == "val")]


def folds(kinds: Sequence[Kind], number: int, seed: int) -> list[int]:
    """The part of each gait, 0 to number - 1: parts of the same size, give or take one, as are those of each kind."""
    generator = np.random.default_rng([seed, 1])
    part = [0] * len(kinds)
    dealt = 0
    for kind in sorted(set(kinds)):
        members = [index for index, one in enumerate(kinds) if one == kind]
        for index in generator.permutation(members):
            part[int(index)] = dealt % number
            dealt += 1
    return part


def held_out(kinds: Sequence[Kind], fraction: float, seed: int) -> frozenset[int]:
    """The places set aside for `val`: at least one unless `fraction` is 0, and at least one is left."""
    if fraction == 0 or len(kinds) < 2:
        return frozenset()
    total = min(max(1, round(fraction * len(kinds))), len(kinds) - 1)
    generator = np.random.default_rng([seed, 2])
    # Each gait's place within its kind, stretched over 0..1: the first `total` have every kind in proportion.
    ranks: list[tuple[float, int]] = []
    for kind in sorted(set(kinds)):
        members = [index for index, one in enumerate(kinds) if one == kind]
        shuffled = generator.permutation(members)
        ranks += [((place + 0.5) / len(members), int(index)) for place, index in enumerate(shuffled)]
    return frozenset(index for _, index in sorted(ranks)[:total])
