"""Sound in pieces: the numbers of librosa and of the whole sound, bit for bit."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from jack_ray.contract.errors import DataError
from jack_ray.methods.shared import fbank as fbank_module
from jack_ray.methods.shared import mel_power
from jack_ray.methods.shared.fbank import fbank, piece_numbers
from jack_ray.methods.shared.mfcc import mfcc
from jack_ray.methods.shared.sound_file import FloatArray, Sound, read_sound
from jack_ray.methods.shared.sound_stream import PIECE, mono, open_sound, stretches
from jack_ray.methods.shared.sound_writing import write_sound
from jack_ray.methods.tsl.mel import log_mel


@dataclass(frozen=True)
class InPieces:
    """A sound in pieces of odd sizes."""

    whole: Sound

    @property
    def rate_hz(self) -> int:
        """Of the whole."""
        return self.whole.rate_hz

    def pieces(self) -> Iterator[FloatArray]:
        """Of growing length."""
        start, size = 0, 1
        while start < self.whole.samples.shape[1]:
            yield self.whole.samples[:, start : start + size]
            start, size = start + size, size * 2 + 1


@pytest.fixture
def noise() -> Sound:
    """Loudest in its second half, so that the end decides how the beginning is scaled."""
    waves = np.random.default_rng(1).uniform(-1, 1, (2, 70001)).astype(np.float32)
    return Sound(waves * np.linspace(1e-5, 1, 70001, dtype=np.float32), 22050)


@pytest.mark.parametrize("rate", [22050, 44100, 16000])
def test_resampling_in_pieces_is_librosas_of_the_whole(noise: Sound, rate: int) -> None:
    expected = librosa.resample(noise.samples.mean(axis=0), orig_sr=22050, target_sr=rate)
    np.testing.assert_array_equal(np.concatenate(list(mono(InPieces(noise), rate))), expected)


def test_coefficients_and_spectrograms_in_pieces_are_librosas_of_the_whole(
    noise: Sound, monkeypatch: pytest.MonkeyPatch
) -> None:
    wave = noise.samples.mean(axis=0)
    expected = librosa.feature.mfcc(y=wave, sr=22050, n_mfcc=8, n_fft=2048).T
    spectrogram = log_mel(noise, 25.0, 60)
    monkeypatch.setattr(mel_power, "AT_ONCE", 30)
    np.testing.assert_allclose(mfcc(InPieces(noise), 22050, 8), expected, rtol=1e-6, atol=1e-4)
    np.testing.assert_allclose(mfcc(InPieces(noise), 22050, 8, rows=50), expected[:50], rtol=1e-6, atol=1e-4)
    np.testing.assert_allclose(log_mel(InPieces(noise), 25.0, 60), spectrogram, rtol=1e-6, atol=1e-4)


def test_chosen_filter_banks_of_pieces_are_those_of_the_whole(noise: Sound, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = fbank(noise, 16)
    numbers = piece_numbers(len(whole), 3, 7, None)
    monkeypatch.setattr(fbank_module, "_AT_ONCE", 40)
    counts: list[int] = []

    def choose(count: int) -> NDArray[np.int64]:
        counts.append(count)
        return numbers

    chosen = fbank(InPieces(noise), 16, choose)
    assert counts == [len(whole)]
    np.testing.assert_allclose(chosen, whole[numbers], rtol=1e-6)


@pytest.mark.parametrize("name", ["a.wav", "a.mp3"])
def test_a_file_in_pieces_is_the_file_as_a_whole(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    write_sound(path, Sound(np.random.default_rng(1).uniform(-0.5, 0.5, (2, 3 * PIECE)).astype(np.float32), 44100))
    sound = open_sound(path)
    assert sound is not None
    pieces = list(sound.pieces())
    assert len(pieces) > 2
    np.testing.assert_array_equal(np.concatenate(pieces, axis=1), read_sound(path).samples)


def test_stretches_follow_each_other_and_are_short_where_the_sound_has_ended(noise: Sound) -> None:
    found = list(stretches(InPieces(noise), [(0, 1.5), (1.5, 3.0), (3.0, 4.0), (4.0, 5.0)]))
    assert [part.shape[1] for part in found] == [33075, 33075, 70001 - 66150, 0]
    np.testing.assert_array_equal(np.concatenate(found, axis=1), noise.samples)


def test_more_sound_than_allowed_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    write_sound(path, Sound(np.zeros((1, 16000), np.float32), 8000))
    with pytest.raises(DataError, match=r"a\.wav: more than 1\.5 s of sound; expected at most max_s=1\.5"):
        open_sound(path, max_s=1.5)


def test_samples_that_are_no_numbers_are_told(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, np.array([0.0, np.nan, 0.0], np.float32), 8000, subtype="FLOAT")
    with pytest.raises(DataError, match=r"a\.wav: samples that are no finite numbers"):
        open_sound(path)
