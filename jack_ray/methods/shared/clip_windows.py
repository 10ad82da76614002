"""The windows of a video, each read as a video of its own, in one stream through the file.

# S segments  D pictures of a clip  C channels  N samples
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from jack_ray.methods.roles import Sample
from jack_ray.methods.shared.clip_samples import SILENCE
from jack_ray.methods.shared.clip_source import Clips, ClipSource
from jack_ray.methods.shared.clips import Numbers, picture_numbers, sample_clips
from jack_ray.methods.shared.frames import AS_PUBLISHED_FPS, Pictures
from jack_ray.methods.shared.picture_transform import EvaluationTransform
from jack_ray.methods.shared.sound_file import FloatArray, Sound
from jack_ray.methods.shared.sound_stream import Heard, stretches
from jack_ray.methods.shared.windows import Window

LEAST_SOUND_S = 0.1
"""A window in which less is heard, as the sound has ended, is silent."""


def length_s(pictures: Pictures) -> float:
    """How long a video lasts; by the number of its pictures where its file does not say."""
    return pictures.duration_s() or pictures.count() / AS_PUBLISHED_FPS


def clips_of(source: ClipSource, windows: Sequence[Window]) -> Iterator[Clips]:
    """(S, 3, D, H, W) of each window: the middle clips of its pictures. Raises DataError naming the file.

    A window without a picture of its own has the one that is still shown.
    """
    chosen = [_numbers(source, *bounds) for bounds in _bounds(source.pictures, windows)]
    transform = EvaluationTransform(source.size)
    reading = source.pictures.read(np.unique(np.concatenate(chosen)), transform.part)
    latest, small = 0, np.empty(0, np.uint8)
    for numbers in chosen:
        clips = np.empty((source.segments, 3, source.clip_frames, source.size, source.size), np.uint8)
        pictures = clips.transpose(0, 2, 1, 3, 4)
        for number in np.unique(numbers):
            if number != latest:  # two windows may share a picture
                latest, picture = next(reading)
                small = transform(picture)
            pictures[numbers == number] = small
        yield clips


def _bounds(pictures: Pictures, windows: Sequence[Window]) -> Iterator[tuple[int, int]]:
    """The first and the last number of each window's pictures."""
    shown = 0
    for place, (_, end_s) in enumerate(windows, start=1):
        last = pictures.count() if place == len(windows) else pictures.before(end_s)
        yield max(1, min(shown + 1, last)), max(1, last)
        shown = last


def _numbers(source: ClipSource, first: int, last: int) -> Numbers:
    inside = picture_numbers(last - first + 1, source.frame_step)
    return first - 1 + sample_clips(inside, source.segments, source.clip_frames, None)


def heard_in(sound: Heard, windows: Sequence[Window]) -> Iterator[Sound]:
    """What is heard in each window. Raises DataError naming the file."""
    for samples in stretches(sound, windows):
        is_heard = samples.shape[1] >= LEAST_SOUND_S * sound.rate_hz
        yield Sound(samples, sound.rate_hz) if is_heard else SILENCE


def samples_of(
    source: ClipSource, sound: Heard, windows: Sequence[Window], hear: Callable[[Heard, Path], FloatArray]
) -> Iterator[Sample]:
    """What a model takes of each window, in order; without labels, so `label` is -1. Raises DataError."""
    both = zip(windows, clips_of(source, windows), heard_in(sound, windows), strict=True)
    for (start_s, end_s), clips, heard in both:
        audio = hear(heard, source.pictures.where)
        yield {"name": "", "label": -1, "visual": clips, "audio": audio, "duration_s": end_s - start_s}
