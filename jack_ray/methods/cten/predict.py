"""CTEN for people's own videos: the probability of each emotion, and the key segments in seconds.

# S segments  R rows of a piece  M mel bands
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jack_ray.methods.cten.config import Config, DataConfig
from jack_ray.methods.cten.data import middle_pieces
from jack_ray.methods.cten.key_segments import find
from jack_ray.methods.roles import Batch
from jack_ray.methods.shared.clip_prediction import ClipPredictor
from jack_ray.methods.shared.sound_file import FloatArray
from jack_ray.methods.shared.sound_stream import Heard


class Predictor(ClipPredictor):
    """Videos as CTEN is evaluated on them."""

    finds_segments = True

    def __init__(self, model: Config, data: DataConfig, labels: Sequence[str]) -> None:
        def hear(sound: Heard, path: Path) -> FloatArray:
            return middle_pieces(sound, model, str(path))

        super().__init__(model, data, labels, hear)
        self.share = model.erasing_threshold

    def answers(self, outputs: Mapping[str, Any], batch: Batch) -> list[dict[str, Any]]:
        """Beside the classes: `segments`, the key segments, strongest first, with the class of the whole video."""
        answers = super().answers(outputs, batch)
        for answer in answers:
            found = sorted(find(answer["attention"], answer["duration_s"], self.share), key=lambda one: -one.score)
            answer["segments"] = [one._replace(label=answer["label"])._asdict() for one in found]
        return answers
