"""The examples of CTEN: clips of a video, the filter banks of its sound, and the video to take other clips of.

Source: JACK repository, src/CTEN/datasets/ve8.py; WECL repository, datasets.

# B videos  S clips of a video  D pictures of a clip  H W height and width  R rows of a piece  M mel bands
"""

from collections.abc import Sequence

import numpy as np

from jack_ray.contract.errors import DataError, Fault
from jack_ray.methods.roles import Batch, Sample, Split
from jack_ray.methods.shared.clip_samples import VideosOfSplit, stacked
from jack_ray.methods.shared.clips_config import DataConfig, FbankModel
from jack_ray.methods.shared.fbank import fbank, piece_numbers, take_pieces
from jack_ray.methods.shared.kept_features import Shelf
from jack_ray.methods.shared.sound_file import FloatArray
from jack_ray.methods.shared.sound_stream import Heard


class Data:
    """The videos of a split. Raises DataError with every fault of the annotation file."""

    separate = False

    def __init__(self, model: FbankModel, data: DataConfig, split: Split, seed: int) -> None:
        self.model = model
        self.videos = VideosOfSplit(model, data, split, seed)
        self.labels = self.videos.labels

    def __len__(self) -> int:
        return len(self.videos)

    def use_shelf(self, shelf: Shelf) -> None:
        """Take features from there instead of reading clips; samples then have `seen` in place of `visual`."""
        self.videos.shelf = shelf

    def __getitem__(self, index: int) -> Sample:
        """A video with the middle clips and the middle pieces of sound of its segments.

        visual (S, 3, D, H, W) uint8, 0..255; audio (S * R, M) float32, scaled; label, name, duration_s, segments;
        videos: a `RedrawnVideo`. Raises DataError naming the file.
        """
        return self._read(index, None)

    def draw(self, index: int, seed: int) -> Sample:
        """A video with drawn clips, pieces of sound, crops and changes."""
        return self._read(index, np.random.default_rng(seed))

    def _read(self, index: int, generator: np.random.Generator | None) -> Sample:
        model = self.model
        sample = self.videos.read(index, generator)
        rows = self.videos.heard(index, f"fbank {model.mel_bands}", lambda sound: fbank(sound, model.mel_bands))
        entry = self.videos.entries[index]
        audio = pieces_of(rows, model, generator, f"{entry.label}/{entry.name}")
        return {**sample, "audio": audio, "videos": self.videos.video(index)}

    def fit_together(self, samples: Sequence[Sample]) -> bool:
        """They are one batch anyway."""
        return True

    def collate(self, samples: Sequence[Sample]) -> list[Batch]:
        """One batch: visual (B, S, 3, D, H, W) and audio (B, S * R, M) float32, label (B,), the rest as lists."""
        return [stacked(samples, self.labels)]


def pieces_of(rows: FloatArray, model: FbankModel, generator: np.random.Generator | None, whose: str) -> FloatArray:
    """(S * R, M), scaled: pieces of a video's filter banks; a generator draws them, None takes the middle ones.

    Raises DataError naming the video if it is too short for a single row.
    """
    _refuse_none(rows, whose)
    return _scaled(take_pieces(rows, model.segments, model.piece_rows, generator), model)


def middle_pieces(sound: Heard, model: FbankModel, whose: str) -> FloatArray:
    """(S * R, M): the same middle ones, of a sound of any length, of which no more is held. Raises DataError."""
    rows = fbank(
        sound, model.mel_bands, lambda count: piece_numbers(count, model.segments, model.piece_rows, generator=None)
    )
    _refuse_none(rows, whose)
    return _scaled(rows, model)


def _refuse_none(rows: FloatArray, whose: str) -> None:
    if not len(rows):
        raise DataError([Fault(f"the sound of {whose}", "shorter than 25 ms", "25 ms or more")])


def _scaled(pieces: FloatArray, model: FbankModel) -> FloatArray:
    return ((pieces - np.float32(model.sound_mean)) / np.float32(model.sound_scale)).astype(np.float32)
