"""data.clips=fixed: a few variants of each video's clips, the same in every step, whose features can be kept.

# S segments
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jack_ray.contract.files import digest
from jack_ray.methods.shared.clip_source import Clips, ClipSource, take_clips
from jack_ray.methods.shared.clips_config import DataConfig
from jack_ray.methods.shared.kept_features import Seen, Shelf

MIDDLE = None
"""The variant that is evaluated: the middle of each segment, without a draw."""

DRAWING = 1
"""To be raised whenever another code draws, crops or decodes other pictures for the same settings."""


@dataclass(frozen=True)
class FixedClips:
    """The variants of one video. shelf: where their features are, if they are kept."""

    source: ClipSource
    data: DataConfig
    name: str
    shelf: Shelf | None

    def draw(self, generator: np.random.Generator) -> int:
        """The number of a variant."""
        return int(generator.integers(self.data.clip_variants))

    def look(self, variant: int | None, rows: NDArray[np.int64] | None = None) -> Seen | Clips:
        """A variant's clips, or with a shelf what is known of them; rows: which of them count, in this order.

        Nothing is decoded where the features are there. Raises DataError naming the file.
        """
        if self.shelf is None:
            clips = self._clips(variant)
            return clips if rows is None else clips[rows]
        recipe = self.recipe(variant)
        kept = self.shelf.find(recipe)
        if kept is not None:
            return Seen(self.shelf, recipe, kept, None, kept.duration_s, rows)
        return Seen(self.shelf, recipe, None, self._clips(variant), self.source.pictures.duration_s(), rows)

    def redraw(self, kept_segments: Sequence[int], seed: int) -> Seen | NDArray[np.float32]:
        """The clips that a variant, drawn by the seed, has of the kept segments: S of them, in their order.

        Where fewer segments are kept, their clips come more than once; none means all.
        """
        generator = np.random.default_rng(seed)
        found = self.look(self.draw(generator), rows_of(kept_segments, self.source.segments))
        return found if isinstance(found, Seen) else found.astype(np.float32)

    def recipe(self, variant: int | None) -> str:
        """A digest of all that a variant's clips follow from: content of the video, settings, seed, versions.

        Raises DataError naming the file.
        """
        source, data = self.source, self.data
        drawn: list[Any] = [] if variant is MIDDLE else [self.name, data.clip_seed, variant]
        sizes = [source.segments, source.clip_frames, source.size, source.frame_step, source.min_frames]
        return digest([DRAWING, source.pictures.identity(), sizes, drawn, _versions()], 64)

    def _clips(self, variant: int | None) -> Clips:
        if variant is MIDDLE:
            return take_clips(self.source, None)
        text = f"{self.data.clip_seed}/{self.name}/{variant}"
        seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
        return take_clips(self.source, np.random.default_rng(seed))


def rows_of(kept_segments: Sequence[int], segments: int) -> NDArray[np.int64]:
    """The segment whose clip stands at each of S places: the kept ones in order, as evenly as possible; none: all."""
    kept = np.array(sorted(kept_segments) or range(segments), np.int64)
    return kept[np.arange(segments) * len(kept) // segments]


@cache
def _versions() -> list[str]:
    return [f"{name} {version(name)}" for name in ("numpy", "pillow")]
