"""Power in mel bands as librosa computes it, of sound that is never whole in memory.

# N samples  M mel bands  F frames
"""

from collections.abc import Iterator

import librosa
import numpy as np
from numpy.typing import NDArray

from jack_ray.methods.shared.sound_file import FloatArray
from jack_ray.methods.shared.sound_stream import windows_at_once

WINDOW = 2048
"""Samples."""

AT_ONCE = 2048
"""Frames whose spectra are in memory at the same time."""


def mel_power(mono: Iterator[FloatArray], rate_hz: int, bands: int, hop: int) -> Iterator[FloatArray]:
    """(M, F) of one stretch after the other: `librosa.feature.melspectrogram` of the whole, frames centred.

    mono: (N,) pieces. hop: samples from frame to frame.
    """
    for samples in windows_at_once(_between_silence(mono), WINDOW, hop, AT_ONCE):
        yield librosa.feature.melspectrogram(
            y=samples, sr=rate_hz, n_fft=WINDOW, hop_length=hop, n_mels=bands, center=False
        )


def _between_silence(pieces: Iterator[FloatArray]) -> Iterator[FloatArray]:
    """Half a window of zeros before and behind, so that frames are centred."""
    silence = np.zeros(WINDOW // 2, np.float32)
    yield silence
    yield from pieces
    yield silence


def decibels(power: FloatArray, loudest: float, depth: float) -> NDArray[np.float32]:
    """`librosa.power_to_db` of a part of a sound whose greatest power is known; at most `depth` below that."""
    part = librosa.power_to_db(power, ref=1.0, top_db=None)
    top = librosa.power_to_db(np.array([loudest], np.float32), ref=1.0, top_db=None).max()
    return np.maximum(part, top - depth)
