"""Cepstral coefficients, held against librosa used as the published code uses it."""

from pathlib import Path

import librosa
import numpy as np
import pytest

from jack_ray.methods.shared.mfcc import fill_rows, mfcc
from jack_ray.methods.shared.sound_file import Sound, read_sound
from jack_ray.methods.shared.sound_writing import write_sound


@pytest.mark.parametrize(("suffix", "rate"), [("wav", 44100), ("mp3", 22050)])
def test_the_rows_are_those_of_librosa_for_the_file(tmp_path: Path, suffix: str, rate: int) -> None:
    generator = np.random.default_rng(1)
    path = tmp_path / f"a.{suffix}"
    write_sound(path, Sound(generator.uniform(-0.5, 0.5, (2, rate)).astype(np.float32), rate))
    wave, loaded_rate = librosa.load(str(path), sr=44100)
    expected = librosa.feature.mfcc(y=wave, sr=loaded_rate, n_mfcc=32).T
    np.testing.assert_allclose(mfcc(read_sound(path), 44100, 32), expected, atol=1e-3)


def test_rows_are_repeated_from_the_beginning_or_cut() -> None:
    rows = np.arange(6, dtype=np.float32).reshape(3, 2)
    assert fill_rows(rows, 7)[:, 0].tolist() == [0, 2, 4, 0, 2, 4, 0]
    assert fill_rows(rows, 2).tolist() == [[0, 1], [2, 3]]


def test_very_short_sound_and_silence_have_finite_rows() -> None:
    for count in (1, 100, 5000):
        assert np.isfinite(mfcc(Sound(np.zeros((1, count), np.float32), 44100), 44100, 32)).all()
