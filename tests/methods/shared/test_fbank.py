"""Kaldi's filter banks, held against the formula written out sample by sample."""

import cmath
import math

import numpy as np
import pytest

from jack_ray.methods.shared.fbank import fbank, mel_banks, take_pieces
from jack_ray.methods.shared.sound_file import Sound


def mel(hz: float) -> float:
    """Kaldi's mel scale."""
    return 1127.0 * math.log(1.0 + hz / 700.0)


def by_the_formula(samples: list[float], rate: int, bands: int, row: int) -> list[float]:
    """One row, after Kaldi's feature-window.cc and mel-computations.cc, with plain loops.

    The steps: mean of the whole signal off; a window of 25 ms every 10 ms; its mean off; pre-emphasis; Hanning;
    zero padding to a power of two; power spectrum; triangles even in mel; logarithm.
    """
    mean = sum(samples) / len(samples)
    size, shift = int(rate * 0.025), int(rate * 0.010)
    window = [value - mean for value in samples[row * shift : row * shift + size]]
    offset = sum(window) / size
    window = [value - offset for value in window]
    emphasised = [window[0] - 0.97 * window[0]] + [window[i] - 0.97 * window[i - 1] for i in range(1, size)]
    shaped = [value * (0.5 - 0.5 * math.cos(2 * math.pi * i / (size - 1))) for i, value in enumerate(emphasised)]
    padded = 1
    while padded < size:
        padded *= 2
    power = []
    for k in range(padded // 2):
        value = sum(x * cmath.exp(-2j * math.pi * k * i / padded) for i, x in enumerate(shaped))
        power.append(abs(value) ** 2)
    low, high = mel(20.0), mel(rate / 2)
    delta = (high - low) / (bands + 1)
    row_values = []
    for band in range(bands):
        left, centre, right = (low + (band + step) * delta for step in (0, 1, 2))
        energy = 0.0
        for k, value in enumerate(power):
            here = mel(k * rate / padded)
            if left < here <= centre:
                energy += value * (here - left) / (centre - left)
            elif centre < here < right:
                energy += value * (right - here) / (right - centre)
        row_values.append(math.log(max(energy, 1.1920928955078125e-07)))
    return row_values


@pytest.mark.parametrize(("rate", "bands"), [(8000, 23), (11025, 16), (16000, 40)])
def test_the_rows_are_those_of_the_formula(rate: int, bands: int) -> None:
    generator = np.random.default_rng(3)
    time = np.arange(rate // 10) / rate
    wave = 0.4 * np.sin(2 * np.pi * 440 * time) + 0.05 * generator.normal(size=len(time)) + 0.1
    found = fbank(Sound(wave[None].astype(np.float32), rate), bands)
    assert found.shape == ((len(wave) - int(rate * 0.025)) // int(rate * 0.01) + 1, bands)
    samples = [float(value) for value in wave.astype(np.float32)]
    for row in (0, len(found) - 1):
        np.testing.assert_allclose(found[row], by_the_formula(samples, rate, bands, row), atol=1e-4)


def test_the_first_channel_counts_after_the_mean_of_all_is_taken_off() -> None:
    generator = np.random.default_rng(1)
    two = generator.normal(size=(2, 1600)).astype(np.float32) * 0.1
    one = fbank(Sound(two[:1], 16000), 16)
    np.testing.assert_allclose(fbank(Sound(two, 16000), 16), one, atol=1e-4)


def test_silence_is_the_smallest_energy_and_finite() -> None:
    rows = fbank(Sound(np.zeros((1, 1600), np.float32), 16000), 128)
    np.testing.assert_allclose(rows, math.log(np.finfo(np.float32).eps), rtol=1e-6)


def test_sound_of_less_than_25_ms_has_no_rows() -> None:
    assert fbank(Sound(np.ones((1, 399), np.float32), 16000), 16).shape == (0, 16)
    assert fbank(Sound(np.ones((1, 400), np.float32), 16000), 16).shape == (1, 16)


def test_long_sound_is_computed_in_parts_to_the_same_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    wave = np.random.default_rng(1).normal(size=(1, 16000)).astype(np.float32)
    whole = fbank(Sound(wave, 16000), 16)
    monkeypatch.setattr("jack_ray.methods.shared.fbank._AT_ONCE", 7)
    np.testing.assert_array_equal(fbank(Sound(wave, 16000), 16), whole)


def test_the_triangles_have_their_peaks_evenly_on_the_mel_scale() -> None:
    banks = mel_banks(20, 4096, 16000)
    peaks = [mel(int(k) * 16000 / 4096) for k in banks.argmax(axis=1)]
    expected = [mel(20) + (band + 1) * (mel(8000) - mel(20)) / 21 for band in range(20)]
    np.testing.assert_allclose(peaks, expected, atol=6)


ROWS = np.arange(47, dtype=np.float32)[:, None].repeat(2, axis=1)


def test_short_sound_is_repeated_and_cut() -> None:
    taken = take_pieces(ROWS[:7], 2, 5, None)
    assert taken[:, 0].tolist() == [0, 1, 2, 3, 4, 5, 6, 0, 1, 2]
    assert taken.shape == (10, 2)
    assert take_pieces(ROWS[:10], 2, 5, np.random.default_rng(1))[:, 0].tolist() == [*range(10)]


def test_the_middle_of_each_part_is_taken_for_evaluation() -> None:
    """47 rows in 3 parts of 15, pieces of 4: they begin at (15 - 4) // 2 = 5."""
    taken = take_pieces(ROWS, 3, 4, None)
    assert taken[:, 0].tolist() == [5, 6, 7, 8, 20, 21, 22, 23, 35, 36, 37, 38]


def test_a_drawn_piece_may_begin_at_every_place_where_it_fits() -> None:
    generator = np.random.default_rng(1)
    drawn = [take_pieces(ROWS[:12], 2, 4, generator)[:, 0] for _ in range(100)]
    assert {int(one[0]) for one in drawn} == {0, 1, 2}
    assert {int(one[4]) for one in drawn} == {6, 7, 8}
