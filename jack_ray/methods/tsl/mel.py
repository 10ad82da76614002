"""Log-mel spectrograms as TSL300 computes them (its logmfcc features).

# F frames  M mel bands
"""

import numpy as np
from numpy.typing import NDArray

from jack_ray.methods.shared.mel_power import decibels, mel_power
from jack_ray.methods.shared.sound_stream import Heard, mono

HOP = 1024
DEPTH_DB = 80.0
SLOWEST_FPS = 19.9167
"""The smallest frame rate in TSL-300, by which TSL300's code scales all the others."""


def sound_rate_hz(fps: float) -> int:
    """The rate that sound is resampled to: about 2049 samples for each picture, hence two frames of hop 1024.

    The factors are those of TSL300's extraction script.
    """
    return int(fps / SLOWEST_FPS * 44100 / 4.323882352941176 * 4 / 1.9992360580595874 * 2)


def log_mel(sound: Heard, fps: float, bands: int) -> NDArray[np.float32]:
    """(F, M) in decibels: the power in mel bands of the sound made mono, at most 80 dB below its loudest."""
    rate = sound_rate_hz(fps)
    power = np.concatenate(list(mel_power(mono(sound, rate), rate, bands, HOP)), axis=1)
    return np.ascontiguousarray(decibels(power, float(power.max()), DEPTH_DB).T, np.float32)
