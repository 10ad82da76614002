"""Clips of one video, drawn or taken from the middle.

# S segments  D pictures of a clip  H W height and width
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jack_ray.contract.errors import DataError, Fault
from jack_ray.methods.shared.clips import Numbers, kept_numbers, picture_numbers, sample_clips
from jack_ray.methods.shared.frames import Pictures
from jack_ray.methods.shared.picture_transform import EvaluationTransform, Transform, draw_transform

Clips = NDArray[np.uint8]
"""(S, 3, D, H, W), RGB 0..255."""


@dataclass(frozen=True)
class ClipSource:
    """Where clips come from, and how many."""

    pictures: Pictures
    segments: int
    clip_frames: int
    size: int
    frame_step: int
    min_frames: int

    def num_frames(self) -> int:
        """How many pictures there are. Raises DataError if that is too few."""
        count = self.pictures.count()
        if count < self.min_frames:
            expected = f"at least {self.min_frames} (data.min_frames)"
            raise DataError([Fault(str(self.pictures.where), f"{count} pictures", expected)])
        return count

    def clips(self, numbers: Numbers, transform: Transform) -> Clips:
        """(S, 3, D, H, W) of picture numbers (S, D); each picture is decoded once, however often it comes."""
        clips = np.empty((numbers.shape[0], 3, numbers.shape[1], self.size, self.size), np.uint8)
        pictures = clips.transpose(0, 2, 1, 3, 4)  # each goes to its places at once: no second copy of everything
        for number, picture in self.pictures.read(np.unique(numbers).tolist(), transform.part):
            pictures[numbers == number] = transform(picture)
        return clips


def take_clips(source: ClipSource, generator: np.random.Generator | None) -> Clips:
    """(S, 3, D, H, W): drawn clips and changes; or, without a generator, the middle of each segment as it is."""
    numbers = picture_numbers(source.num_frames(), source.frame_step)
    chosen = sample_clips(numbers, source.segments, source.clip_frames, generator)
    transform = EvaluationTransform(source.size) if generator is None else draw_transform(source.size, generator)
    return source.clips(chosen, transform)


@dataclass(frozen=True)
class RedrawnVideo:
    """A video of a batch, to be read again in the middle of a step (CTEN's temporal erasing)."""

    source: ClipSource

    def redraw(self, kept_segments: Sequence[int], seed: int) -> NDArray[np.float32]:
        """(S, 3, D, H, W) float32, 0..255: clips drawn from the kept segments alone, as for training.

        kept_segments: which of the S equal parts of the video may be taken, counted from 0; none means all. One
        transform for the whole video. The same arguments give the same clips. Raises DataError naming the file.
        """
        source = self.source
        generator = np.random.default_rng(seed)
        count = source.num_frames()
        numbers = kept_numbers(picture_numbers(count, source.frame_step), count, source.segments, kept_segments)
        chosen = sample_clips(numbers, source.segments, source.clip_frames, generator)
        return source.clips(chosen, draw_transform(source.size, generator)).astype(np.float32)
