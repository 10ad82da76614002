"""Log-mel spectrograms as TSL300 computes them (its logmfcc features).

# F frames  M mel bands
"""

import librosa
import numpy as np
from numpy.typing import NDArray

from jack_ray.methods.shared.sound_file import Sound

FFT = 2048
HOP = 1024
SLOWEST_FPS = 19.9167
"""The smallest frame rate in TSL-300, by which TSL300's code scales all the others."""


def sound_rate_hz(fps: float) -> int:
    """The rate that sound is resampled to: about 2049 samples for each picture, hence two frames of hop 1024.

    The factors are those of TSL300's extraction script.
    """
    return int(fps / SLOWEST_FPS * 44100 / 4.323882352941176 * 4 / 1.9992360580595874 * 2)


def log_mel(sound: Sound, fps: float, bands: int) -> NDArray[np.float32]:
    """(F, M) in decibels: the power in mel bands of the sound made mono, at most 80 dB below its loudest."""
    mono = sound.samples.mean(axis=0)
    rate = sound_rate_hz(fps)
    if sound.rate_hz != rate:
        mono = librosa.resample(mono, orig_sr=sound.rate_hz, target_sr=rate)
    power = librosa.feature.melspectrogram(y=mono, sr=rate, n_fft=FFT, hop_length=HOP, n_mels=bands)
    return np.ascontiguousarray(librosa.power_to_db(power, ref=1.0, top_db=80.0).T, np.float32)
