"""BPM-GCN's numbers over a split, and pictures of a few gaits.

# B gaits  V joints  T frames  K classes
"""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jack_ray.contract.errors import TrainError
from jack_ray.contract.scored import of_classes, of_labels
from jack_ray.methods.gait.config import Config, DataConfig
from jack_ray.methods.gait.multi_label import HALF, MultiLabelMetric
from jack_ray.methods.gait.shown import Shown
from jack_ray.methods.roles import Batch
from jack_ray.methods.shared.classification import ClassMetric

NUM_PICTURES = 4


class Metric:
    """Gathers the scores of all gaits, from all ranks.

    The outputs need `logits` (B, K) and `joints` (B, V, K); the batch `names`, `targets` (B, K) and `posture`.
    """

    def __init__(self, config: Config, data: DataConfig) -> None:
        self.config = config
        self.classes: ClassMetric | MultiLabelMetric
        self.classes = MultiLabelMetric(config.labels) if config.multi_label else ClassMetric(config.labels)
        self.seen: dict[str, Shown] = {}

    def update(self, outputs: Mapping[str, Any], batch: Batch) -> None:
        """Take in a batch. Raises TrainError naming the gait whose scores are not finite."""
        logits, targets = np.asarray(outputs["logits"], np.float64), np.asarray(batch["targets"])
        for name, row in zip(batch["names"], logits, strict=True):
            if not np.isfinite(row).all():
                raise TrainError(
                    f"The scores of {name} are not finite numbers: training diverged. Try a lower train.lr."
                )
        scores = probabilities(logits, self.config.multi_label)
        if isinstance(self.classes, MultiLabelMetric):
            self.classes.update(scores, targets, batch["names"])
        else:
            self.classes.update(scores, targets.argmax(1), batch["names"])
        for place, name in enumerate(batch["names"]):
            parts = (scores[place], targets[place], outputs["joints"][place], batch["posture"][place])
            self.seen[str(name)] = Shown(*(np.round(np.asarray(part, np.float64), 4).tolist() for part in parts))
        self._choose()

    def state(self) -> Any:
        """All scores and the few gaits with a picture, as JSON values."""
        return {"classes": self.classes.state(), "seen": {name: asdict(one) for name, one in self.seen.items()}}

    def merge(self, state: Any) -> None:
        """Take in another rank's gaits."""
        self.classes.merge(state["classes"])
        self.seen |= {name: Shown(**one) for name, one in state["seen"].items()}
        self._choose()

    def result(self) -> dict[str, float]:
        """`accuracy`, `macro_F1` and `accuracy_<label>`; with several classes a gait see `MultiLabelMetric`."""
        return self.classes.result()

    def pictures(self, folder: Path) -> list[Path]:
        """Pictures of all scores, predictions.csv, and a picture and a GIF of a few gaits, always the same ones."""
        # Matplotlib takes half a second to import, and only the rank that draws needs it.
        from jack_ray.methods.gait import animation, picture

        paths = self.classes.draw(folder)
        for name, one in sorted(self.seen.items()):
            for draw, ending in ((picture.draw, "png"), (animation.draw, "gif")):
                paths.append(folder / f"{_file_name(name)}.{ending}")
                draw(paths[-1], name, one, self.config.labels)
        return paths

    def scored(self) -> dict[str, Any]:
        """Every gait's class, or classes, and the probability of each."""
        if isinstance(self.classes, MultiLabelMetric):
            rows = self.classes.scored.items()
            marks = {name: ([int(one > HALF) for one in truth], shares) for name, (truth, shares) in rows}
            return of_labels(self.config.labels, marks)
        return of_classes(self.config.labels, self.classes.scored)

    def _choose(self) -> None:
        """Keep few gaits, chosen by name alone: the same whichever rank saw them first."""
        chosen = sorted(self.seen, key=lambda name: hashlib.sha256(name.encode()).digest())[:NUM_PICTURES]
        self.seen = {name: self.seen[name] for name in sorted(chosen)}


def probabilities(logits: NDArray[np.float64], multi_label: bool) -> NDArray[np.float64]:
    """(B, K): softmax over classes, or a sigmoid of each."""
    if multi_label:
        return np.asarray(1 / (1 + np.exp(-np.clip(logits, -500, 500))), np.float64)
    raised = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(raised / raised.sum(1, keepdims=True), np.float64)


def _file_name(name: str) -> str:
    return "".join(character if character.isalnum() or character in "-_." else "_" for character in name)
