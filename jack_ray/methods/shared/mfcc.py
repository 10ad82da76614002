"""Mel-frequency cepstral coefficients as VAANet takes them (its datasets/ve8.py): librosa's, of the whole sound.

# R rows  M coefficients
"""

import librosa
import numpy as np

from jack_ray.methods.shared.sound_file import FloatArray, Sound


def mfcc(sound: Sound, rate_hz: int, coefficients: int) -> FloatArray:
    """(R, M): one row for each 512 samples of the sound, made mono and resampled to `rate_hz`."""
    mono = sound.samples.mean(axis=0)
    if sound.rate_hz != rate_hz:
        mono = librosa.resample(mono, orig_sr=sound.rate_hz, target_sr=rate_hz)
    if len(mono) < _WINDOW:
        mono = np.pad(mono, (0, _WINDOW - len(mono)))  # librosa warns of a window that is longer than the sound
    rows = librosa.feature.mfcc(y=mono, sr=rate_hz, n_mfcc=coefficients, n_fft=_WINDOW)
    return np.ascontiguousarray(rows.T, np.float32)


_WINDOW = 2048


def fill_rows(rows: FloatArray, count: int) -> FloatArray:
    """(count, ...): the first rows; where there are fewer they are repeated from the beginning."""
    return np.resize(rows, (count, *rows.shape[1:])) if len(rows) < count else rows[:count]
