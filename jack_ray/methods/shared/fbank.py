"""Kaldi's log mel filter banks, as torchaudio.compliance.kaldi.fbank gives them with CTEN's arguments.

Hanning window of 25 ms every 10 ms, pre-emphasis 0.97, no dither, no energy; float samples in -1..1.

# N samples  R rows  M mel bands  F frequencies
"""

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from jack_ray.methods.shared.sound_file import FloatArray
from jack_ray.methods.shared.sound_stream import Heard, windows_at_once

Doubles = NDArray[np.float64]
Choose = Callable[[int], NDArray[np.int64]]

WINDOW_S = 0.025
SHIFT_S = 0.010
PREEMPHASIS = 0.97
LOWEST_HZ = 20.0
SMALLEST = float(np.finfo(np.float32).eps)
"""Energies below this count as this before the logarithm."""

_AT_ONCE = 4096
"""Rows whose spectra are in memory at the same time."""


def fbank(sound: Heard, mel_bands: int, choose: Choose | None = None) -> FloatArray:
    """(R, M) log energies of the first channel, after the mean of all channels is taken off; R = 0 below 25 ms.

    choose: the numbers of the wanted rows, of how many there are, which gives these rows alone in their order. The
    sound is gone through twice, and is never whole in memory unless it is given as a whole.
    """
    size, shift = int(sound.rate_hz * WINDOW_S), int(sound.rate_hz * SHIFT_S)
    length, mean = _length_and_mean(sound)
    if min(size, shift) < 1 or length < size:
        return np.empty((0, mel_bands), np.float32)
    padded = 1 << (size - 1).bit_length()
    banks = mel_banks(mel_bands, padded, sound.rate_hz)
    chosen = None if choose is None else choose((length - size) // shift + 1)
    wanted = None if chosen is None else np.unique(chosen)
    first = ((piece - mean)[0].astype(np.float64) for piece in sound.pieces())
    rows = []
    for number, samples in enumerate(windows_at_once(first, size, shift, _AT_ONCE)):
        here = slice(None) if wanted is None else _within(wanted, number * _AT_ONCE)
        if isinstance(here, slice) or len(here):
            windows = np.lib.stride_tricks.sliding_window_view(samples, size)[::shift]
            rows.append(_log_energies(windows, padded, banks)[here])
    found = np.concatenate(rows)
    return found if chosen is None or wanted is None else found[np.searchsorted(wanted, chosen)]


def _length_and_mean(sound: Heard) -> tuple[int, np.float64]:
    """Samples of a channel, and the mean of all channels."""
    total, length, size = np.float64(0), 0, 0
    for piece in sound.pieces():
        total += piece.sum(dtype=np.float64)
        length += piece.shape[1]
        size += piece.size
    return length, total / max(size, 1)


def _within(wanted: NDArray[np.int64], start: int) -> NDArray[np.int64]:
    """Those of the wanted rows that lie among the `_AT_ONCE` from `start` on, counted from there."""
    return wanted[(wanted >= start) & (wanted < start + _AT_ONCE)] - start


def _log_energies(windows: Doubles, padded: int, banks: Doubles) -> FloatArray:
    """windows: (R, samples). banks: (M, F)."""
    centred = windows - windows.mean(axis=1, keepdims=True)
    before = np.concatenate([centred[:, :1], centred[:, :-1]], axis=1)
    size = windows.shape[1]
    hanning = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / (size - 1))
    spectrum = np.fft.rfft((centred - PREEMPHASIS * before) * hanning, padded)
    power = spectrum.real**2 + spectrum.imag**2
    return np.log(np.maximum(power[:, :-1] @ banks.T, SMALLEST)).astype(np.float32)


@cache
def mel_banks(mel_bands: int, padded: int, rate_hz: int) -> Doubles:
    """(M, F) triangles that are even on the mel scale from 20 Hz to half the rate, F = padded / 2."""
    lowest, highest = _mel(np.array([LOWEST_HZ, rate_hz / 2]))
    width = (highest - lowest) / (mel_bands + 1)
    left = lowest + width * np.arange(mel_bands)[:, None]
    mels = _mel(np.arange(padded // 2) * (rate_hz / padded))[None]
    return np.maximum(0.0, np.minimum((mels - left) / width, (left + 2 * width - mels) / width))


def _mel(hz: Doubles) -> Doubles:
    return 1127.0 * np.log(1.0 + hz / 700.0)


def take_pieces(rows: FloatArray, pieces: int, piece_rows: int, generator: np.random.Generator | None) -> FloatArray:
    """(pieces * piece_rows, M) of all rows of a sound, those that `piece_numbers` gives."""
    return rows[piece_numbers(len(rows), pieces, piece_rows, generator)]


def piece_numbers(count: int, pieces: int, piece_rows: int, generator: np.random.Generator | None) -> NDArray[np.int64]:
    """(pieces * piece_rows,) numbers of rows: as many consecutive ones from each of equal parts of the sound.

    Short sound is repeated. generator: draws where each piece starts, among all places where it fits (CTEN never
    takes the last one); None takes the middle.
    """
    wanted = pieces * piece_rows
    if count <= wanted:
        return np.arange(wanted) % count
    length = count // pieces
    if generator is None:
        starts = np.full(pieces, (length - piece_rows) // 2)
    else:
        starts = generator.integers(0, length - piece_rows + 1, size=pieces)
    firsts = np.arange(pieces) * length + starts
    return (firsts[:, None] + np.arange(piece_rows)).ravel()
