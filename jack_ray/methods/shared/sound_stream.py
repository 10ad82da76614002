"""Sound that is never whole in memory: decoded in pieces, and once more for each pass over it.

# C channels  N samples
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, inf
from pathlib import Path
from typing import Any, Protocol, TypeVar

import av
import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from jack_ray.contract.errors import DataError, Fault
from jack_ray.methods.shared.class_tree import SOUND_SUFFIXES
from jack_ray.methods.shared.sound_file import EXPECTED, REMEDY, FloatArray, file_blocks, sound_error, track_blocks
from jack_ray.methods.shared.video_file import open_media

Samples = TypeVar("Samples", bound=NDArray[np.floating[Any]])

PIECE = 1 << 16
"""Samples that are passed on at once, at least: decoders give about a thousand."""


class Heard(Protocol):
    """Sound that can be gone through several times: `sound_file.Sound`, or that of a file."""

    @property
    def rate_hz(self) -> int:
        """Samples a second."""
        ...

    def pieces(self) -> Iterator[FloatArray]:
        """(C, N) of one stretch after the other. Raises DataError naming the file."""
        ...


@dataclass(frozen=True)
class SoundOfFile:
    """A file's sound."""

    path: Path
    rate_hz: int
    max_s: float = inf
    """Longer sound is a fault."""

    def pieces(self) -> Iterator[FloatArray]:
        """(C, N) of one stretch after the other. Raises DataError for what cannot be decoded, NaN, and too much."""
        is_sound_file = self.path.suffix in SOUND_SUFFIXES
        samples = 0
        for piece in joined(file_blocks(self.path, PIECE) if is_sound_file else track_blocks(self.path)):
            samples += piece.shape[1]
            if samples > self.max_s * self.rate_hz:
                found = f"more than {self.max_s:g} s of sound"
                raise DataError([Fault(str(self.path), found, f"at most max_s={self.max_s:g}")])
            if not np.isfinite(piece).all():
                raise DataError([Fault(str(self.path), "samples that are no finite numbers", EXPECTED, REMEDY)])
            yield piece

    def is_empty(self) -> bool:
        """Whether there is no sample in it."""
        return next(self.pieces(), None) is None


def open_sound(path: Path, max_s: float = inf) -> SoundOfFile | None:
    """The sound of a sound file or a video file; None if it has none. Raises DataError when it cannot be opened."""
    rate = 0
    try:
        if path.suffix in SOUND_SUFFIXES:
            rate = int(soundfile.info(str(path)).samplerate)
        else:
            with open_media(path) as container:
                rate = int(container.streams.audio[0].rate or 0) if container.streams.audio else 0
    except (soundfile.SoundFileError, av.FFmpegError, OSError, ValueError) as error:
        raise sound_error(path, error) from error
    sound = SoundOfFile(path, rate, max_s) if rate else None
    return None if sound is None or sound.is_empty() else sound


def joined(blocks: Iterator[FloatArray]) -> Iterator[FloatArray]:
    """The same samples in pieces of at least PIECE, but for the last."""
    held: list[FloatArray] = []
    size = 0
    for block in blocks:
        held.append(block)
        size += block.shape[1]
        if size >= PIECE:
            yield np.concatenate(held, axis=1)
            held, size = [], 0
    if size:
        yield np.concatenate(held, axis=1)


def mono(sound: Heard, rate_hz: int) -> Iterator[NDArray[np.float32]]:
    """The mean of the channels at another rate, in pieces (N,): `librosa.resample` of the whole, bit for bit."""
    if sound.rate_hz == rate_hz:
        for piece in sound.pieces():
            yield piece.mean(axis=0)
        return
    stream = soxr.ResampleStream(sound.rate_hz, rate_hz, 1, dtype="float32", quality="HQ")
    taken = given = 0
    for piece in sound.pieces():
        taken += piece.shape[1]
        resampled = stream.resample_chunk(piece.mean(axis=0))
        given += len(resampled)
        yield resampled
    missing = ceil(taken * (float(rate_hz) / sound.rate_hz)) - given
    rest = stream.resample_chunk(np.empty(0, np.float32), last=True)[:missing]
    yield np.pad(rest, (0, missing - len(rest)))


def stretches(sound: Heard, bounds: Sequence[tuple[float, float]]) -> Iterator[FloatArray]:
    """(C, N) from one second to another, for each of `bounds`, which follow each other without a gap.

    N is 0 where the sound has ended, and less than the whole where it ends.
    """
    pieces = sound.pieces()
    held = next(pieces, np.empty((1, 0), np.float32))
    start = 0
    for _, end_s in bounds:
        size = round(end_s * sound.rate_hz) - start
        parts = [held]
        have = held.shape[1]
        while have < size and (piece := next(pieces, None)) is not None:
            parts.append(piece)
            have += piece.shape[1]
        whole = np.concatenate(parts, axis=1)
        yield whole[:, :size]
        held, start = whole[:, size:], start + size


def windows_at_once(pieces: Iterator[Samples], size: int, hop: int, count: int) -> Iterator[Samples]:
    """(N,) of `count` windows each, the last of fewer: samples that windows of `size` every `hop` lie on.

    pieces: (N,) of one sound. What is left of it behind the last whole window is dropped.
    """
    least = (count - 1) * hop + size
    held: list[Samples] = []
    have = 0
    for piece in pieces:
        held.append(piece)
        have += len(piece)
        if have < least:
            continue
        whole, start = np.concatenate(held), 0
        while start + least <= len(whole):
            yield whole[start : start + least]
            start += count * hop
        held, have = [whole[start:]], len(whole) - start
    if have >= size:
        yield np.concatenate(held)[: (have - size) // hop * hop + size]
