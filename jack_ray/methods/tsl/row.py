"""Short videos in one row, so that a step computes several of them at once.

A network of a video takes a hundred operators, whatever its length; those of a short video last no longer than it takes
to begin them. In a row each video keeps its own statistics, neighbours and loss: between two of them lies an empty
snippet, which is what a convolution sees beyond a video's ends, too.
"""
# B videos  T snippets of a video  L snippets of the row, the empty ones included

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from jack_ray.methods.roles import Batch, Sample

FloatArray = NDArray[np.float32]
OVER_SNIPPETS = ("rgb", "mel", "points")
OVER_VIDEOS = ("video_labels", "label_distribution")
LISTED = ("name", "fps", "segments")


@dataclass(frozen=True)
class Row:
    """Where each video lies."""

    lengths: tuple[int, ...]
    """T of each."""

    @classmethod
    def of(cls, batch: Batch) -> "Row":
        """That of a batch; one that says nothing is one video."""
        return cls(tuple(batch["lengths"]) if "lengths" in batch else (batch["rgb"].shape[1],))

    @property
    def size(self) -> int:
        """L."""
        return sum(self.lengths) + len(self.lengths) - 1

    @cached_property
    def places(self) -> tuple[slice, ...]:
        """The snippets of each video."""
        starts = np.cumsum([0, *(length + 1 for length in self.lengths[:-1])])
        return tuple(slice(int(start), int(start) + length) for start, length in zip(starts, self.lengths, strict=True))

    @cached_property
    def filled(self) -> FloatArray:
        """(L,): 0 where the row is empty, else 1."""
        return self.membership.any(0).astype(np.float32)

    @cached_property
    def numbers(self) -> NDArray[np.int32]:
        """(L,): the number of each snippet among those of all videos, -1 where the row is empty."""
        filled = self.filled > 0
        return np.where(filled, np.cumsum(filled) - 1, -1).astype(np.int32)

    @cached_property
    def membership(self) -> FloatArray:
        """(B, L): 1 / T in a video's own snippets, so that a sum is its mean."""
        members = np.zeros((len(self.lengths), self.size), np.float32)
        for member, place, length in zip(members, self.places, self.lengths, strict=True):
            member[place] = 1 / length
        return members

    @cached_property
    def together(self) -> FloatArray:
        """(L, L): 1 where two snippets are of one video, or the same."""
        members = self.membership > 0
        found = (members[:, :, None] & members[:, None, :]).any(0)
        np.fill_diagonal(found, True)
        return found.astype(np.float32)

    def shares(self, weights: FloatArray) -> FloatArray:
        """Weights (L, C) by which a sum over the row is the mean over videos of each one's weighted mean.

        A video's weights are divided by the sum over its snippets of the largest in each; one without any adds nothing.
        """
        shares = np.zeros(weights.shape, np.float32)
        for place in self.places:
            total = weights[place].max(axis=1).sum()
            if total > 0:
                shares[place] = weights[place] / (total * len(self.lengths))
        return shares


def lay_out(samples: Sequence[Sample]) -> Batch:
    """The batch of some videos in a row.

    rgb (1, L, V), mel (1, L, F, M), points (L, K), which are 0 between videos; video_labels and label_distribution
    (B, K); lengths, name, fps and segments: an entry for each.
    """
    row = Row(tuple(len(sample["rgb"]) for sample in samples))
    batch: Batch = {"lengths": row.lengths}
    for key in OVER_SNIPPETS:
        first = samples[0][key]
        laid = np.zeros((row.size, *first.shape[1:]), first.dtype)
        for place, sample in zip(row.places, samples, strict=True):
            laid[place] = sample[key]
        batch[key] = laid if key == "points" else laid[None]
    batch |= {key: np.stack([sample[key] for sample in samples]) for key in OVER_VIDEOS}
    return batch | {key: [sample[key] for sample in samples] for key in LISTED}
