"""What methods that read video clips with their sound share: the videos of a split, their clips, their batches.

# B videos  S clips of a video  D pictures of a clip  H W height and width
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jack_ray.contract.errors import ConfigError, DataError, Fault
from jack_ray.methods.roles import Batch, Sample, Split
from jack_ray.methods.shared.array_cache import cache_of
from jack_ray.methods.shared.class_tree import SOUND_SUFFIXES, annotation_of, divide, sound_file
from jack_ray.methods.shared.class_tree import video_file as path_of_video
from jack_ray.methods.shared.clip_source import Clips, ClipSource, RedrawnVideo, take_clips
from jack_ray.methods.shared.clips_config import ClipsModel, DataConfig
from jack_ray.methods.shared.fixed_clips import MIDDLE, FixedClips
from jack_ray.methods.shared.frames import Pictures, pictures_of
from jack_ray.methods.shared.kept_features import Seen, Shelf
from jack_ray.methods.shared.sound_file import FloatArray, Sound, read_sound


class VideosOfSplit:
    """The videos of a split, in natural order of their names, with their pictures.

    Raises DataError with every fault of the annotation file, or if the split is empty; ConfigError if the model has
    another number of classes.
    """

    def __init__(self, model: ClipsModel, data: DataConfig, split: Split, seed: int) -> None:
        annotation = annotation_of(data)
        self.model = model
        self.data = data
        self.shelf: Shelf | None = None
        self.labels = annotation.labels
        if len(self.labels) != model.num_classes:
            found = f"{model.num_classes}, but {annotation.path} has {len(self.labels)}: {', '.join(self.labels)}"
            remedy = f"Type model.num_classes={len(self.labels)}."
            raise ConfigError([Fault("model.num_classes", found, "as many classes as the data", remedy)])
        self.entries = tuple(annotation.entries[name] for name in divide(annotation, data, seed)[split])
        if not self.entries:
            remedy = "Type data.val_fraction=0.15, or train.select_on=test." if split == "val" else ""
            raise DataError([Fault(f"{annotation.path}: the {split} split", "no videos", "at least one", remedy)])

    def __len__(self) -> int:
        return len(self.entries)

    def read(self, index: int, generator: np.random.Generator | None) -> Sample:
        """A video without its sound; generator: draws clips and changes of pictures, None takes the middle ones.

        visual: (S, 3, D, H, W) uint8, 0..255, which `stacked` makes float32; where features are kept there is `seen`
        in its place, a `Seen`. label: number of the class. name. duration_s. segments: key segments [(start_s,
        end_s)], None where nobody marked any. Raises DataError naming the file.
        """
        entry = self.entries[index]
        pictures = pictures_of(self.data, entry)
        looked = self._looked(pictures, entry.name, generator)
        duration_s = looked.duration_s if isinstance(looked, Seen) else entry.duration_s or pictures.duration_s()
        return {
            "name": entry.name,
            "label": self.labels.index(entry.label),
            "seen" if isinstance(looked, Seen) else "visual": looked,
            "duration_s": entry.duration_s or duration_s,
            "segments": None if entry.segments is None else list(entry.segments),
        }

    def _looked(self, pictures: Pictures, name: str, generator: np.random.Generator | None) -> Seen | Clips:
        if self.data.clips == "random":
            return take_clips(self._source(pictures), generator)
        fixed = FixedClips(self._source(pictures), self.data, name, self.shelf)
        return fixed.look(MIDDLE if generator is None else fixed.draw(generator))

    def video(self, index: int) -> RedrawnVideo | FixedClips:
        """A handle on a video, to take other clips of it later."""
        entry = self.entries[index]
        source = self._source(pictures_of(self.data, entry))
        return RedrawnVideo(source) if self.data.clips == "random" else FixedClips(
            source, self.data, entry.name, self.shelf
        )  # fmt: skip

    def _source(self, pictures: Pictures) -> ClipSource:
        model = self.model
        return ClipSource(
            pictures, model.segments, model.clip_frames, model.size, self.data.frame_step, self.data.min_frames
        )

    def heard(self, index: int, kind: str, hear: Callable[[Sound], FloatArray]) -> FloatArray:
        """What `hear` makes of a video's sound, remembered; must not be changed.

        kind: names `hear` and its settings. The sound is that of the sound file, else of the video itself.
        Raises DataError naming the file.
        """
        data, entry = self.data, self.entries[index]
        path = sound_file(data, entry) or (path_of_video(data, entry) if data.source == "video" else None)
        if path is not None:
            return cache_of("sound", data.sound_cache_mb).get(f"{kind} {path}", lambda: hear(read_sound(path)))
        if data.missing_sound == "silence":
            return hear(SILENCE)
        where = f"{Path(data.root) / data.sound / entry.label / entry.name}{{{','.join(SOUND_SUFFIXES)}}}"
        remedy = "Type data.missing_sound=silence to take such videos as silent."
        raise DataError([Fault(where, "no such file", "the sound of the video", remedy)])


SILENCE = Sound(np.zeros((1, 16000), np.float32), 16000)
"""One second; methods repeat short sound."""


def stacked(samples: Sequence[Sample], labels: Sequence[str]) -> Batch:
    """A batch: visual (B, S, 3, D, H, W) and audio float32, label (B,) int64, and a list for everything else (`seen`).

    classes: the names of the classes by number.
    """
    batch: dict[str, Any] = {key: [sample[key] for sample in samples] for key in samples[0]}
    if "visual" in batch:
        batch["visual"] = _as_float(batch["visual"])
    return {
        **batch,
        "audio": np.stack([sample["audio"] for sample in samples]),
        "label": np.array([sample["label"] for sample in samples], np.int64),
        "classes": tuple(labels),
    }


def _as_float(clips: Sequence[Clips]) -> NDArray[np.float32]:
    """Stacked into float32 without a second copy of everything."""
    whole = np.empty((len(clips), *clips[0].shape), np.float32)
    for row, one in enumerate(clips):
        whole[row] = one
    return whole
