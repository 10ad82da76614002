"""TSL-Net's numbers over a split: detections of every video against its true segments.

# T snippets  K classes (n, p)
"""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from jack_ray.contract.errors import TrainError
from jack_ray.contract.files import write_json
from jack_ray.contract.scored import of_segments
from jack_ray.methods.roles import Batch
from jack_ray.methods.shared.detection import Detection, Scores, Segment, curves, evaluate
from jack_ray.methods.tsl.config import CLASSES, Config, DataConfig
from jack_ray.methods.tsl.proposals import propose

__all__ = ["Detection", "Metric", "Scores", "Segment", "evaluate"]

NUM_PICTURES = 4


@dataclass(frozen=True)
class Video:
    """What one video's evaluation needs."""

    segments: tuple[Segment, ...]
    detections: tuple[Detection, ...]


@dataclass(frozen=True)
class Curve:
    """The scores of a video that gets a picture; rows of n, p, background, rounded for the way between ranks."""

    snippet_s: float
    scores: list[list[float]] = field(repr=False)


class Metric:
    """Gathers detections of all videos, from all ranks, and evaluates them together.

    The outputs need `video_scores` (1, K) and `scores` (1, T, 3); the batch `name`, `fps` and `segments`.
    A video that is seen twice counts once.
    """

    def __init__(self, config: Config, data: DataConfig) -> None:
        self.config = config
        self.data = data
        self.videos: dict[str, Video] = {}
        self.curves: dict[str, Curve] = {}

    def update(self, outputs: Mapping[str, Any], batch: Batch) -> None:
        """Cut segments from the scores of one video. Raises TrainError naming the video if they are not numbers."""
        name, fps = str(batch["name"]), float(batch["fps"])
        scores = np.asarray(outputs["scores"])[0]
        video_scores = np.asarray(outputs["video_scores"])[0]
        if not (np.isfinite(scores).all() and np.isfinite(video_scores).all()):
            raise TrainError(
                f"The scores of video {name} are not finite numbers: training diverged. Try a lower train.lr."
            )
        found = propose(scores, video_scores, fps, self.config, self.data.snippet_frames)
        detections = [
            Detection(label, float(score), float(start), float(end))
            for label, one in found.items()
            for score, start, end in zip(one.score, one.start_s, one.end_s, strict=True)
        ]
        segments = tuple(Segment(float(start), float(end), str(label)) for start, end, label in batch["segments"])
        self.videos[name] = Video(segments, tuple(detections))
        self.curves[name] = Curve(self.data.snippet_frames / fps, np.round(scores.astype(np.float64), 4).tolist())
        self._choose_curves()

    def state(self) -> Any:
        """Videos, detections and the few curves, as JSON values."""
        return {
            "videos": {name: asdict(video) for name, video in self.videos.items()},
            "curves": {name: asdict(curve) for name, curve in self.curves.items()},
        }

    def merge(self, state: Any) -> None:
        """Take in another rank's videos."""
        for name, video in state["videos"].items():
            segments = tuple(Segment(*segment) for segment in video["segments"])
            self.videos[name] = Video(segments, tuple(Detection(*one) for one in video["detections"]))
        self.curves |= {name: Curve(**curve) for name, curve in state["curves"].items()}
        self._choose_curves()

    def result(self) -> dict[str, float]:
        """The numbers under the names that `config.metric_names` lists; see `Scores` for what they mean.

        With `swap_class_report`, AP_n and AP_p change places, as in TSL300's and JACK's reports.
        """
        scores = self.scores()
        labels = CLASSES[::-1] if self.config.swap_class_report else CLASSES
        values = {"average_mAP": float(scores.mean_average_precision.mean())}
        values |= {f"AP_{label}": scores.of_class(source) for label, source in zip(CLASSES, labels, strict=True)}
        values |= {"Rc@AVG": float(scores.mean_recall.mean()), "F2@AVG": float(scores.f2.mean())}
        of_threshold = {
            "mAP": scores.mean_average_precision,
            "precision": scores.mean_precision,
            "recall": scores.mean_recall,
            "F2": scores.f2,
        }
        for kind, numbers in of_threshold.items():
            values |= {f"{kind}@{tiou:.2f}": float(number) for tiou, number in zip(scores.tious, numbers, strict=True)}
        return values

    def scores(self) -> Scores:
        """The evaluation of all videos taken in, by name, so that no order of samples or ranks matters."""
        return evaluate(*self._truth_and_found(), self.config.tious)

    def _truth_and_found(self) -> tuple[dict[str, tuple[Segment, ...]], dict[str, tuple[Detection, ...]]]:
        names = sorted(self.videos)
        truth = {name: self.videos[name].segments for name in names}
        return truth, {name: self.videos[name].detections for name in names}

    def predictions(self) -> dict[str, Any]:
        """All detections in the layout that `python -m jack_ray.score tsl` and ActivityNet's tools read."""
        results = {
            name: [{"label": d.label, "score": d.score, "segment": [d.start_s, d.end_s]} for d in video.detections]
            for name, video in sorted(self.videos.items())
        }
        return {"version": "VERSION 1.3", "results": results, "external_data": {}}

    def pictures(self, folder: Path) -> list[Path]:
        """Precision and recall, a picture of each of a few videos, always the same ones, and predictions.json."""
        # Matplotlib takes half a second to import, and only the rank that draws needs it.
        from jack_ray.methods.shared.detection_picture import draw as draw_curves
        from jack_ray.methods.tsl.picture import WORDS, draw

        paths = [folder / "precision_recall.png"]
        truth, found = self._truth_and_found()
        of_class = {WORDS[label]: curves(label, truth, found, self.config.tious) for label in CLASSES}
        draw_curves(paths[0], of_class, self.config.tious)
        for name, curve in sorted(self.curves.items()):
            video = self.videos[name]
            path = folder / f"{_file_name(name)}.png"
            scores = np.array(curve.scores)
            draw(path, name, scores, curve.snippet_s, segments=video.segments, detections=video.detections)
            paths.append(path)
        write_json(folder / "predictions.json", self.predictions())
        return [*paths, folder / "predictions.json"]

    def scored(self) -> dict[str, Any]:
        """Every video's true segments and all detections."""
        rows = {name: (video.segments, video.detections) for name, video in self.videos.items()}
        return of_segments(CLASSES, self.config.tious, rows)

    def _choose_curves(self) -> None:
        """Keep the curves of few videos, chosen by name alone: the same whichever rank saw them first."""
        chosen = sorted(self.curves, key=lambda name: hashlib.sha256(name.encode()).digest())[:NUM_PICTURES]
        self.curves = {name: self.curves[name] for name in sorted(chosen)}


def _file_name(name: str) -> str:
    return "".join(character if character.isalnum() or character in "-_." else "_" for character in name)
