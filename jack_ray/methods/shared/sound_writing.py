"""Waveforms to files: mp3, flac or wav.

# C channels  N samples
"""

from pathlib import Path

import av
import numpy as np
import soundfile

from jack_ray.methods.shared.sound_file import Sound

MP3_RATES_HZ = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
MP3_BITS_PER_S = 128_000
BLOCK = 1 << 16


def write_sound(path: Path, sound: Sound) -> None:
    """Write a sound file of the kind that the suffix says; the same sound gives the same bytes.

    mp3 knows nine rates and two channels: others are resampled to 44.1 kHz, and mixed. Raises OSError when the file
    cannot be written.
    """
    if path.suffix == ".mp3":
        _write_mp3(path, sound)
        return
    kind = {".flac": "FLAC", ".wav": "WAV"}[path.suffix]
    try:
        soundfile.write(str(path), sound.samples.T, sound.rate_hz, format=kind, subtype="PCM_16")
    except soundfile.SoundFileError as error:
        raise OSError(0, str(error), str(path)) from error


def _write_mp3(path: Path, sound: Sound) -> None:
    rate = sound.rate_hz if sound.rate_hz in MP3_RATES_HZ else 44100
    layout = "mono" if len(sound.samples) == 1 else "stereo"
    samples = sound.samples if len(sound.samples) <= 2 else np.repeat(sound.samples.mean(0, keepdims=True), 2, axis=0)
    with av.open(str(path), "w", format="mp3") as container:
        stream = container.add_stream("libmp3lame", rate=rate)
        stream.layout = layout
        stream.bit_rate = MP3_BITS_PER_S
        resampler = av.AudioResampler(format="fltp", layout=layout, rate=rate)
        for start in range(0, samples.shape[1], BLOCK):
            block = np.ascontiguousarray(samples[:, start : start + BLOCK])
            frame = av.AudioFrame.from_ndarray(block, format="fltp", layout=layout)
            frame.rate = sound.rate_hz
            frame.pts = start
            for part in resampler.resample(frame):
                container.mux(stream.encode(part))
        for part in resampler.resample(None):
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
