"""Class probabilities of people's own videos: video files, or folders of extracted pictures.

# S clips of a video  D pictures of a clip  K classes
"""

from collections.abc import Callable, Mapping, Sequence
from math import inf
from pathlib import Path
from typing import Any

import numpy as np

from jack_ray.contract.errors import ConfigError, DataError, Fault
from jack_ray.methods.roles import Ask, Batch, Network, Sample
from jack_ray.methods.shared import video_file
from jack_ray.methods.shared.class_tree import COUNT_FILE, SOUND_SUFFIXES, VIDEO_SUFFIXES, natural_order
from jack_ray.methods.shared.clip_samples import SILENCE, stacked
from jack_ray.methods.shared.clip_source import ClipSource, take_clips
from jack_ray.methods.shared.clip_windows import length_s, samples_of
from jack_ray.methods.shared.clips_config import ClipsModel, DataConfig
from jack_ray.methods.shared.frames import PictureFolder, Pictures, PicturesOfVideo
from jack_ray.methods.shared.sound_file import FloatArray
from jack_ray.methods.shared.sound_stream import Heard, open_sound
from jack_ray.methods.shared.windows import refuse_long, timeline, windows_of

EXPECTED = (
    f"a video ({', '.join(VIDEO_SUFFIXES)}), a folder of pictures 000001.jpg .. with n_frames, or a folder of these"
)

NO_LABEL = -1


class ClipPredictor:
    """Reads videos as they are evaluated. `hear` makes of a sound and its video's path what the model takes."""

    finds_segments = False

    def __init__(
        self, model: ClipsModel, data: DataConfig, labels: Sequence[str], hear: Callable[[Heard, Path], FloatArray]
    ) -> None:
        self.model = model
        self.data = data
        self.labels = tuple(labels)
        self.hear = hear
        if len(self.labels) != model.num_classes:
            found = f"{len(self.labels)}: {', '.join(self.labels)}"
            expected = f"one for each of the model's classes (model.num_classes={model.num_classes})"
            raise ConfigError([Fault("labels", found, expected)])

    def networks(self) -> list[Network]:
        """None but the model."""
        return []

    def find(self, path: Path) -> list[Path]:
        """The video itself, or all of a folder in natural order. Raises DataError when there is none."""
        if path.is_file() or (path / COUNT_FILE).is_file():
            return [path]
        found = {str(one): one for one in path.rglob("*") if one.suffix.lower() in VIDEO_SUFFIXES}
        found |= {str(one.parent): one.parent for one in path.rglob(COUNT_FILE)}
        if not found:
            raise DataError([Fault(str(path), "no videos in it", EXPECTED)])
        return [found[name] for name in natural_order(found)]

    def read(self, path: Path, max_s: float = inf) -> Sample:
        """The middle clips and the sound of a video; `label` is -1. Raises DataError naming the file."""
        video_file.forget()
        source = self._source(path)
        source.num_frames()  # first: what is no video at all has no sound either
        refuse_long(path, length_s(source.pictures), max_s)
        return {
            "name": path.stem if path.is_file() else path.name,
            "label": NO_LABEL,
            "visual": take_clips(source, None),
            "audio": self.hear(self._heard(path, max_s), path),
            "duration_s": source.pictures.duration_s(),
        }

    def over_time(self, path: Path, answer: Mapping[str, Any], ask: Ask, window_s: float) -> dict[str, Any]:
        """`timeline`: the classes in windows, each a video of its own. Raises DataError naming the file."""
        source = self._source(path)
        windows = windows_of(length_s(source.pictures), window_s)
        samples = samples_of(source, self._heard(path, inf), windows, self.hear)
        return {"timeline": timeline(windows, answer, samples, ask)}

    def _source(self, path: Path) -> ClipSource:
        model, data = self.model, self.data
        pictures = self._pictures(path)
        return ClipSource(pictures, model.segments, model.clip_frames, model.size, data.frame_step, data.min_frames)

    def _pictures(self, path: Path) -> Pictures:
        if path.is_dir():
            return PictureFolder(path)
        if path.suffix.lower() not in VIDEO_SUFFIXES:
            raise DataError([Fault(str(path), "not a video", EXPECTED)])
        return PicturesOfVideo(path, self.data.image_height, self.data.jpeg_quality)

    def _heard(self, path: Path, max_s: float) -> Heard:
        sound_path = sound_of(path) if path.is_dir() else path
        # more sound than pictures is no fault, unless there is no end to it
        sound = None if sound_path is None else open_sound(sound_path, 2 * max_s)
        if sound is not None:
            return sound
        if self.data.missing_sound == "silence":
            return SILENCE
        remedy = "Type data.missing_sound=silence to take it as silent."
        raise DataError([Fault(str(path), "no sound", "a video with sound", remedy)])

    def collate(self, samples: Sequence[Sample]) -> list[Batch]:
        """All of them at once."""
        return [stacked(samples, self.labels)]

    def answers(self, outputs: Mapping[str, Any], batch: Batch) -> list[dict[str, Any]]:
        """The classes by their probabilities; `attention`, how much each of S equal parts of the video counted."""
        logits = np.asarray(outputs["logits"], np.float64)
        shares = np.exp(logits - logits.max(1, keepdims=True))
        shares /= shares.sum(1, keepdims=True)
        return [
            {
                "name": name,
                "label": self.labels[int(row.argmax())],
                "probabilities": dict(zip(self.labels, row.tolist(), strict=True)),
                "duration_s": float(duration_s),
                "attention": gamma.tolist(),
            }
            for name, row, duration_s, gamma in zip(
                batch["name"], shares, batch["duration_s"], np.asarray(outputs["gamma"], np.float64), strict=True
            )
        ]

    def draw(self, answer: Mapping[str, Any], sample: Sample, path: Path) -> None:
        """One picture of each part of the video, and how much it counted."""
        from jack_ray.methods.shared.prediction_picture import draw  # matplotlib takes half a second to import

        draw(path, answer, sample["visual"][:, :, self.model.clip_frames // 2])


def sound_of(folder: Path) -> Path | None:
    """The sound of extracted pictures: beside their folder, or where `python -m jack_ray.data prepare` puts it."""
    places = [folder.parent / folder.name]
    if len(folder.parents) > 2:
        places.append(folder.parents[2] / "mp3" / folder.parent.name / folder.name)
    found = (place.with_name(place.name + suffix) for place in places for suffix in SOUND_SUFFIXES)
    return next((path for path in found if path.is_file()), None)
