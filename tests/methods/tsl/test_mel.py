import numpy as np
import pytest

from jack_ray.methods.shared.sound_file import Sound
from jack_ray.methods.tsl.mel import log_mel, sound_rate_hz


def tone(rate_hz: int, seconds: float, pitch_hz: float = 440.0) -> Sound:
    times = np.arange(int(rate_hz * seconds)) / rate_hz
    wave = np.sin(2 * np.pi * pitch_hz * times).astype(np.float32)
    return Sound(np.stack([wave, wave]), rate_hz)


@pytest.mark.parametrize("fps", [19.9167, 23.976, 25.0, 29.97, 30.0])
def test_a_picture_has_two_frames_of_sound(fps: float) -> None:
    assert 2048 < sound_rate_hz(fps) / fps < 2050  # hop 1024
    frames = log_mel(tone(22050, 64 / fps), fps, 60)
    assert abs(len(frames) - 2 * 64) <= 1
    assert frames.shape[1] == 60


def test_rates_are_those_of_the_published_script() -> None:
    # by hand: 30 / 19.9167 = 1.506274; * 44100 / 4.323882 * 4 / 1.999236 * 2 = 61474.5 (cut to a whole number)
    assert sound_rate_hz(30.0) == pytest.approx(61473, abs=2)


def test_a_tone_is_loudest_in_its_band_and_nothing_is_more_than_80_decibels_below() -> None:
    frames = log_mel(tone(44100, 2.0), 25.0, 60)
    loudest = frames.mean(axis=0).argmax()
    # Slaney's mel scale: linear to 1000 Hz (15 mel), then logarithmic with 27 steps to a factor of 6.4
    rate = sound_rate_hz(25.0)
    top = 15 + np.log(rate / 2 / 1000) / (np.log(6.4) / 27)
    centre = (440 / (200 / 3)) / (top / 61) - 1
    assert abs(loudest - centre) <= 1
    assert frames.max() - frames.min() <= 80.001


def test_two_channels_sound_as_their_mean() -> None:
    sound = tone(44100, 1.0)
    loud = Sound(np.stack([sound.samples[0] * 2, sound.samples[0] * 0]), 44100)
    np.testing.assert_allclose(log_mel(loud, 30.0, 60), log_mel(sound, 30.0, 60), atol=1e-3)
