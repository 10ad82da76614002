"""What a frozen backbone makes of a video's clips, kept so that no step, trial or sweep computes it again.

# S clips of a video  C features
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from jack_ray.methods.shared.clip_source import Clips

Features = NDArray[np.float32]
"""(S, C, ...): of each clip of a video."""


@dataclass(frozen=True)
class Kept:
    """What is remembered of a video's clips."""

    features: Features
    duration_s: float
    """Of the video, so that its file need not be opened."""


class Shelf(Protocol):
    """Where features are kept. Used by several threads at once; the same features may be put there twice."""

    def find(self, recipe: str) -> Kept | None:
        """What was made by a recipe; None if it is not there, or is damaged."""
        ...

    def keep(self, recipe: str, kept: Kept) -> None:
        """Remember it, if that is possible."""
        ...


@dataclass(frozen=True)
class Seen:
    """A video's clips as a model gets them where features are kept: the features, or the clips to make them of."""

    shelf: Shelf
    recipe: str
    kept: Kept | None
    clips: Clips | None
    duration_s: float
    rows: NDArray[np.int64] | None = None
    """Which clips count, in this order; None: each as it is."""

    def features(self, make: Callable[[Clips], Features]) -> Features:
        """(S, C, ...) of the clips that count. What is made is made of all clips of the recipe, and kept."""
        kept = self.kept
        if kept is None:
            assert self.clips is not None
            kept = Kept(make(self.clips), self.duration_s)
            self.shelf.keep(self.recipe, kept)
        return kept.features if self.rows is None else kept.features[self.rows]


@runtime_checkable
class FrozenPart(Protocol):
    """A model with a part whose features may be kept."""

    def frozen_identity(self) -> str:
        """A digest of all that the features follow from beside the clips: weights, statistics, shapes."""
        ...


@runtime_checkable
class KeepsFeatures(Protocol):
    """Examples that find kept features instead of reading clips."""

    def use_shelf(self, shelf: Shelf) -> None:
        """Look for them there from now on."""
        ...
