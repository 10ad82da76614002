"""VAANet's numbers over a split, and what it attended to in a few videos."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jack_ray.methods.roles import Batch
from jack_ray.methods.shared.video_metric import VideoMetric
from jack_ray.methods.vaanet.config import Config, DataConfig


class Metric:
    """Gathers all videos of a split, from all ranks; see `VideoMetric` for what it needs."""

    def __init__(self, config: Config, data: DataConfig) -> None:
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
        """`accuracy`, `macro_F1` and `accuracy_<label>`."""
        return self.videos.result()

    def pictures(self, folder: Path) -> list[Path]:
        """The confusion matrix, predictions.csv, and the attention over time of a few videos."""
        return self.videos.pictures(folder)

    def scored(self) -> dict[str, Any]:
        """Every video's class and the probability of each."""
        return self.videos.scored()
