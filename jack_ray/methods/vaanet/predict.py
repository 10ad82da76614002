"""VAANet for people's own videos: the probability of each emotion, and which parts counted.

# R rows  M coefficients
"""

from collections.abc import Sequence
from pathlib import Path

from jack_ray.methods.shared.clip_prediction import ClipPredictor
from jack_ray.methods.shared.mfcc import fill_rows, mfcc
from jack_ray.methods.shared.sound_file import FloatArray
from jack_ray.methods.shared.sound_stream import Heard
from jack_ray.methods.vaanet.config import Config, DataConfig


class Predictor(ClipPredictor):
    """Videos as VAANet is evaluated on them."""

    def __init__(self, model: Config, data: DataConfig, labels: Sequence[str]) -> None:
        def hear(sound: Heard, path: Path) -> FloatArray:
            return fill_rows(mfcc(sound, model.sound_rate_hz, model.mfcc, model.sound_rows), model.sound_rows)

        super().__init__(model, data, labels, hear)
