"""Sound files as waveforms: mp3, flac and wav, and the sound track of a video file.

# C channels  N samples
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import av
import numpy as np
import soundfile
from numpy.typing import NDArray

from jack_ray.contract.errors import DataError, Fault
from jack_ray.methods.shared.class_tree import SOUND_SUFFIXES
from jack_ray.methods.shared.video_file import open_media, reason

FloatArray = NDArray[np.float32]
EXPECTED = "sound that can be decoded"
REMEDY = "Extract this video's sound again."
WHOLE = 0.95
"""A file with less than this share of what it says it has was cut short."""


@dataclass(frozen=True)
class Sound:
    """A waveform."""

    samples: FloatArray
    """(C, N), -1..1"""
    rate_hz: int

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return self.samples.shape[1] / self.rate_hz

    def pieces(self) -> Iterator[FloatArray]:
        """(C, N), all of it at once (`sound_stream.Heard`)."""
        yield self.samples


def read_sound(path: Path) -> Sound:
    """All of a file's sound. Raises DataError naming the file if it holds none or cannot be decoded."""
    sound = _read_sound_file(path) if path.suffix in SOUND_SUFFIXES else read_track(path)
    if sound is None:
        raise DataError([Fault(str(path), "no sound track", EXPECTED)])
    if not sound.samples.size:
        raise DataError([Fault(str(path), "no samples in it", EXPECTED, REMEDY)])
    if not np.isfinite(sound.samples).all():
        raise DataError([Fault(str(path), "samples that are no finite numbers", EXPECTED, REMEDY)])
    return sound


def _read_sound_file(path: Path) -> Sound:
    blocks = list(file_blocks(path, -1))
    rate = int(soundfile.info(str(path)).samplerate)
    return Sound(np.ascontiguousarray(blocks[0]), rate) if blocks else Sound(np.empty((1, 0), np.float32), rate)


def file_blocks(path: Path, size: int) -> Iterator[FloatArray]:
    """(C, N) of a sound file, at most `size` samples at once; -1: all. Raises DataError naming the file."""
    try:
        _refuse_cut(path, share_of_bytes(path))  # before decoding, of which libmpg123 tells on standard error
        taken = 0
        with soundfile.SoundFile(str(path)) as opened:
            announced = int(opened.frames)
            while len(samples := opened.read(size, dtype="float32", always_2d=True)):
                taken += len(samples)
                yield samples.T
        if announced and _num_bytes_of_mp3(path):
            _refuse_cut(path, taken / announced)
    except (soundfile.SoundFileError, OSError, ValueError) as error:
        raise sound_error(path, error) from error


def _refuse_cut(path: Path, share: float) -> None:
    if share < WHOLE:
        raise DataError([Fault(str(path), f"cut short: {share:.0%} of it is there", "the whole sound", REMEDY)])


def share_of_bytes(path: Path) -> float:
    """How much of what a sound file says it has is in it, told without decoding; 1 where it does not say.

    Raises OSError.
    """
    size = path.stat().st_size
    announced = _num_bytes_of_mp3(path) if path.suffix == ".mp3" else 0
    if path.suffix == ".wav":
        with path.open("rb") as opened:
            beginning = opened.read(8)
        riff = int.from_bytes(beginning[4:], "little") + 8 if beginning.startswith(b"RIFF") else 0
        announced = riff if 44 < riff < 2**32 - 1 else 0  # a writer that cannot go back leaves the size open
    return size / announced if announced else 1.0


def _num_bytes_of_mp3(path: Path) -> int:
    """What the Xing header of an mp3 file says; 0 if it has none."""
    if path.suffix != ".mp3":
        return 0
    with path.open("rb") as opened:
        beginning = opened.read(8192)
    place = max(beginning.find(b"Xing"), beginning.find(b"Info"))
    flags = int.from_bytes(beginning[place + 4 : place + 8], "big") if place >= 0 else 0
    if not flags & 2:
        return 0
    start = place + (12 if flags & 1 else 8)
    return int.from_bytes(beginning[start : start + 4], "big")


def read_track(path: Path) -> Sound | None:
    """The first sound track of a video file; None if it has none. Raises DataError when it cannot be decoded."""
    try:
        with open_media(path) as container:
            if not container.streams.audio:
                return None
            rate = int(container.streams.audio[0].rate or 0)
    except (av.FFmpegError, OSError, ValueError) as error:
        raise sound_error(path, error) from error
    blocks = list(track_blocks(path))
    if not blocks or not rate:
        return Sound(np.empty((1, 0), np.float32), rate or 1)
    return Sound(np.concatenate(blocks, axis=1), rate)


def track_blocks(path: Path) -> Iterator[FloatArray]:
    """(C, N) of a video file's first sound track, about a thousand samples at once. Raises DataError."""
    try:
        with open_media(path) as container:
            stream = container.streams.audio[0]
            resampler = av.AudioResampler(format="fltp", layout=stream.layout, rate=stream.rate)
            for frame in chain(container.decode(stream), (None,)):
                yield from (block.to_ndarray() for block in resampler.resample(frame))
    except (av.FFmpegError, OSError, ValueError) as error:  # PyAV raises the last when channels change on the way
        raise sound_error(path, error) from error


def sound_error(path: Path, error: Exception) -> DataError:
    """What is wrong with a file whose sound cannot be decoded."""
    if path.suffix not in SOUND_SUFFIXES:
        return DataError([Fault(str(path), f"its sound {reason(error)}", EXPECTED)])
    found = "no such file" if not path.exists() else "cannot be decoded"
    return DataError([Fault(str(path), found, EXPECTED, REMEDY)])
