"""CTEN's numbers over a split: classes, and key segments where somebody marked them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jack_ray.methods.cten.config import Config, DataConfig
from jack_ray.methods.cten.key_segments import KEY, find
from jack_ray.methods.roles import Batch
from jack_ray.methods.shared.detection import Detection, Segment, curves, evaluate
from jack_ray.methods.shared.video_metric import Attended, VideoMetric


class Metric:
    """Gathers all videos of a split, from all ranks; see `VideoMetric` for what it needs."""

    def __init__(self, config: Config, data: DataConfig) -> None:
        self.config = config
        self.videos = VideoMetric()

    def update(self, outputs: Mapping[str, Any], batch: Batch) -> None:
        """Take in a batch. Raises TrainError naming a video whose scores are not finite numbers."""
        self.videos.update(outputs, batch)

    def state(self) -> Any:
        """All videos, as JSON values."""
        return self.videos.state()

    def merge(self, state: Any) -> None:
        """Take in another rank's videos."""
        self.videos.merge(state)

    def result(self) -> dict[str, float]:
        """`accuracy`, `macro_F1` and `accuracy_<label>`; where key segments are marked also `detection_mAP`.

        That is the average precision of finding them whatever the class, mean over the overlaps `model.tious`, each
        of which has its `detection_mAP@<overlap>`. Videos without marks have no part in it.
        """
        return self.videos.result() | self._detection()

    def pictures(self, folder: Path) -> list[Path]:
        """What `ClassMetric` draws, the attention of a few videos with key segments, and how well these are found."""
        # Matplotlib takes half a second to import, and only the rank that draws needs it.
        from jack_ray.methods.shared.detection_picture import draw

        paths = self.videos.pictures(folder, lambda one: [(span.start_s, span.end_s) for span in self._found(one)])
        truth, found = self._truth_and_found()
        if truth:
            paths.append(folder / "key_segments.png")
            draw(paths[-1], {"key segments": curves(KEY, truth, found, self.config.tious)}, self.config.tious)
        return paths

    def _truth_and_found(self) -> tuple[dict[str, list[Segment]], dict[str, list[Detection]]]:
        """Of the videos in which somebody marked key segments."""
        marked = {name: one for name, one in sorted(self.videos.attended.items()) if one.segments}
        truth = {name: [Segment(*span, KEY) for span in one.segments or ()] for name, one in marked.items()}
        return truth, {name: self._found(one) for name, one in marked.items()}

    def scored(self) -> dict[str, Any]:
        """Every video's class and the probability of each."""
        return self.videos.scored()

    def _detection(self) -> dict[str, float]:
        truth, found = self._truth_and_found()
        if not truth:
            return {}
        precision = evaluate(truth, found, self.config.tious).mean_average_precision
        each = {
            f"detection_mAP@{tiou:.2f}": float(value) for tiou, value in zip(self.config.tious, precision, strict=True)
        }
        return {"detection_mAP": float(precision.mean()), **each}

    def _found(self, one: Attended) -> list[Detection]:
        return find(one.gamma, one.duration_s, self.config.erasing_threshold)
