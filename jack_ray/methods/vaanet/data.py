"""The examples of VAANet: clips of a video, and the mel-frequency cepstral coefficients of its sound.

Source: VAANet repository, datasets/ve8.py.

# B videos  S clips of a video  D pictures of a clip  H W height and width  R rows  M coefficients
"""

from collections.abc import Sequence

import numpy as np

from jack_ray.methods.roles import Batch, Sample, Split
from jack_ray.methods.shared.clip_samples import VideosOfSplit, stacked
from jack_ray.methods.shared.clips_config import DataConfig, MfccModel
from jack_ray.methods.shared.kept_features import Shelf
from jack_ray.methods.shared.mfcc import fill_rows, mfcc


class Data:
    """The videos of a split. Raises DataError with every fault of the annotation file."""

    separate = False

    def __init__(self, model: MfccModel, data: DataConfig, split: Split, seed: int) -> None:
        self.model = model
        self.videos = VideosOfSplit(model, data, split, seed)
        self.labels = self.videos.labels

    def __len__(self) -> int:
        return len(self.videos)

    def use_shelf(self, shelf: Shelf) -> None:
        """Take features from there instead of reading clips; samples then have `seen` in place of `visual`."""
        self.videos.shelf = shelf

    def __getitem__(self, index: int) -> Sample:
        """A video with the middle clips of its segments and the middle of its pictures.

        visual (S, 3, D, H, W) uint8, 0..255; audio (R, M) float32; label, name, duration_s, segments.
        Raises DataError naming the file.
        """
        return {**self.videos.read(index, None), "audio": self._sound(index)}

    def draw(self, index: int, seed: int) -> Sample:
        """A video with drawn clips, and crops and changes drawn once for all of its pictures; the sound is as it is."""
        return {**self.videos.read(index, np.random.default_rng(seed)), "audio": self._sound(index)}

    def _sound(self, index: int) -> np.ndarray:
        model = self.model
        rate, count, rows = model.sound_rate_hz, model.mfcc, model.sound_rows
        return self.videos.heard(
            index, f"mfcc {rate} {count} {rows}", lambda sound: fill_rows(mfcc(sound, rate, count), rows)
        )

    def fit_together(self, samples: Sequence[Sample]) -> bool:
        """They are one batch anyway."""
        return True

    def collate(self, samples: Sequence[Sample]) -> list[Batch]:
        """One batch: visual (B, S, 3, D, H, W) and audio (B, R, M) float32, label (B,), name and the rest as lists."""
        return [stacked(samples, self.labels)]
