"""Mel-frequency cepstral coefficients as VAANet takes them (its datasets/ve8.py): librosa's, of the whole sound.

# R rows  M coefficients
"""

from collections.abc import Iterator

import librosa
import numpy as np

from jack_ray.methods.shared.mel_power import WINDOW, decibels, mel_power
from jack_ray.methods.shared.sound_file import FloatArray
from jack_ray.methods.shared.sound_stream import Heard, mono

HOP = 512
BANDS = 128
DEPTH_DB = 80.0
"""librosa's defaults."""


def mfcc(sound: Heard, rate_hz: int, coefficients: int, rows: int | None = None) -> FloatArray:
    """(R, M): one row for each 512 samples of the sound, made mono and resampled to `rate_hz`.

    rows: at most the first of them, which is all that is then held. The others count all the same: what is more than
    80 dB below the loudest of the whole sound is raised to that.
    """
    kept: list[FloatArray] = []
    loudest, have = 0.0, 0
    for power in mel_power(_filled(mono(sound, rate_hz)), rate_hz, BANDS, HOP):
        loudest = max(loudest, float(power.max()))
        if rows is None or have < rows:
            kept.append(power if rows is None else power[:, : rows - have].copy())
            have += kept[-1].shape[1]
    heard = decibels(np.concatenate(kept, axis=1), loudest, DEPTH_DB)
    return np.ascontiguousarray(librosa.feature.mfcc(S=heard, n_mfcc=coefficients).T, np.float32)


def _filled(pieces: Iterator[FloatArray]) -> Iterator[FloatArray]:
    """The same, with zeros behind what is shorter than a window."""
    samples = 0
    for piece in pieces:
        samples += len(piece)
        yield piece
    if samples < WINDOW:
        yield np.zeros(WINDOW - samples, np.float32)


def fill_rows(rows: FloatArray, count: int) -> FloatArray:
    """(count, ...): the first rows; where there are fewer they are repeated from the beginning."""
    return np.resize(rows, (count, *rows.shape[1:])) if len(rows) < count else rows[:count]
