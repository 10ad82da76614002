"""What is dropped in training, which depends on a sample's seed and not on the batch or the rank that it is in."""
# B batch

import numpy as np
from numpy.typing import NDArray


def dropout_mask(seeds: NDArray[np.int64], number: int, width: int, share: float) -> NDArray[np.float32]:
    """(B, width): 0 for what a sample's seed drops in the pass of that number, else 1 / (1 - share)."""
    drawn = np.stack([np.random.default_rng([int(seed), number]).random(width) for seed in seeds])
    return ((drawn >= share) / (1 - share)).astype(np.float32)
