"""Sound files as waveforms: mp3, flac and wav, and the sound track of a video file.

# C channels  N samples
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import soundfile
from numpy.typing import NDArray

from jack_ray.contract.errors import DataError, Fault
from jack_ray.methods.shared.class_tree import SOUND_SUFFIXES
from jack_ray.methods.shared.video_file import reason

FloatArray = NDArray[np.float32]
EXPECTED = "sound that can be decoded"
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


def read_sound(path: Path) -> Sound:
    """All of a file's sound. Raises DataError naming the file if it holds none or cannot be decoded."""
    sound = _read_sound_file(path) if path.suffix in SOUND_SUFFIXES else read_track(path)
    if sound is None:
        raise DataError([Fault(str(path), "no sound track", EXPECTED)])
    if not sound.samples.size:
        raise DataError([Fault(str(path), "no samples in it", EXPECTED, "Extract this video's sound again.")])
    if not np.isfinite(sound.samples).all():
        raise DataError([Fault(str(path), "samples that are no finite numbers", EXPECTED)])
    return sound


def _read_sound_file(path: Path) -> Sound:
    remedy = "Extract this video's sound again."
    try:
        with soundfile.SoundFile(str(path)) as opened:
            announced, rate = int(opened.frames), int(opened.samplerate)
            samples = opened.read(dtype="float32", always_2d=True)
        share = _share_there(path, len(samples), announced)
    except (soundfile.SoundFileError, OSError, ValueError) as error:
        found = "no such file" if not path.exists() else "cannot be decoded"
        raise DataError([Fault(str(path), found, EXPECTED, remedy)]) from error
    if share < WHOLE:
        raise DataError([Fault(str(path), f"cut short: {share:.0%} of it is there", "the whole sound", remedy)])
    return Sound(np.ascontiguousarray(samples.T), rate)


def _share_there(path: Path, read: int, announced: int) -> float:
    """How much of what the file says it has is in it; 1 where it does not say."""
    with path.open("rb") as opened:
        beginning = opened.read(8192)
    if path.suffix == ".mp3" and (b"Xing" in beginning or b"Info" in beginning) and announced:
        return read / announced
    if path.suffix == ".wav" and beginning.startswith(b"RIFF"):
        size = int.from_bytes(beginning[4:8], "little") + 8
        is_told = 44 < size < 2**32 - 1  # a writer that cannot go back leaves the size open
        return path.stat().st_size / size if is_told else 1.0
    return 1.0


def read_track(path: Path) -> Sound | None:
    """The first sound track of a video file; None if it has none. Raises DataError when it cannot be decoded."""
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                return None
            stream = container.streams.audio[0]
            blocks = list(_blocks(container, stream))
            rate = int(stream.rate or 0)
    except (av.FFmpegError, OSError, UnicodeError) as error:
        raise DataError([Fault(str(path), f"its sound {reason(error)}", EXPECTED)]) from error
    if not blocks or not rate:
        return Sound(np.empty((1, 0), np.float32), rate or 1)
    channels = min(len(block) for block in blocks)
    return Sound(np.concatenate([block[:channels] for block in blocks], axis=1), rate)


def _blocks(container: Any, stream: Any) -> Iterator[FloatArray]:
    resampler = av.AudioResampler(format="fltp", layout=stream.layout, rate=stream.rate)
    for frame in container.decode(stream):
        for block in resampler.resample(frame):
            yield block.to_ndarray()
    for block in resampler.resample(None):
        yield block.to_ndarray()
