"""The numbers of a classifier over a split: exact, whatever the order of samples and the number of ranks.

# B samples of a batch  N samples  K classes
"""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jack_ray.contract.errors import TrainError
from jack_ray.contract.files import write_text
from jack_ray.methods.shared.class_curves import softmax

Scored = tuple[int, tuple[float, ...]]
"""The number of the true class, and a score for each class."""


class ClassMetric:
    """Gathers every sample's scores by its name, and counts at the end; a name that comes twice counts once.

    labels: the classes by number. are_logits: whether a softmax makes the scores probabilities; else they are some.
    """

    def __init__(self, labels: Sequence[str], are_logits: bool = False) -> None:
        self.labels = tuple(labels)
        self.are_logits = are_logits
        self.scored: dict[str, Scored] = {}

    def update(self, scores: NDArray[Any], labels: NDArray[Any], names: Sequence[str]) -> None:
        """Take in a batch: scores (B, K), the larger the likelier; labels (B,), numbers of classes; names (B,).

        Raises TrainError naming the sample when its scores are not finite, ValueError for other shapes and numbers.
        """
        values, numbers = np.asarray(scores, np.float64), np.asarray(labels)
        if values.shape != (len(names), len(self.labels)) or numbers.shape != (len(names),):
            expected = f"({len(names)}, {len(self.labels)}) and ({len(names)},)"
            raise ValueError(f"scores {values.shape} and labels {numbers.shape} instead of {expected}")
        for name, row, number in zip(names, values, numbers, strict=True):
            if not np.isfinite(row).all():
                raise TrainError(
                    f"The scores of {name} are not finite numbers: training diverged. Try a lower train.lr."
                )
            if not 0 <= int(number) < len(self.labels):
                raise ValueError(f"{name} has class number {number}; there are {len(self.labels)} classes")
            self._take(str(name), (int(number), tuple(float(score) for score in row)))

    def state(self) -> dict[str, Any]:
        """All samples, as JSON values."""
        return {name: [number, list(scores)] for name, (number, scores) in self.scored.items()}

    def merge(self, state: Mapping[str, Any]) -> None:
        """Take in what another rank's metric saw."""
        for name, (number, scores) in state.items():
            self._take(name, (int(number), tuple(scores)))

    def _take(self, name: str, scored: Scored) -> None:
        # The larger of two, so that the order in which they come does not matter.
        self.scored[name] = max(scored, self.scored.get(name, scored))

    def confusion(self) -> NDArray[np.int64]:
        """How many samples of each true class (row) were taken for each class (column), (K, K)."""
        counts = np.zeros((len(self.labels), len(self.labels)), np.int64)
        for number, scores in self.scored.values():
            counts[number, int(np.argmax(scores))] += 1
        return counts

    def result(self) -> dict[str, float]:
        """`accuracy`, `macro_F1` and for each class `accuracy_<label>`, the share of its samples that were recognised.

        A class without a sample in the split has no number, and no part in the mean of `macro_F1`. Raises TrainError
        when nothing was scored.
        """
        counts = self.confusion()
        if not counts.any():
            raise TrainError("Not one sample was scored, so there is no accuracy.")
        right, true, found = counts.diagonal(), counts.sum(1), counts.sum(0)
        present = np.flatnonzero(true)
        f1 = 2 * right[present] / (true[present] + found[present])
        values = {"accuracy": float(right.sum() / counts.sum()), "macro_F1": float(f1.mean())}
        return values | {_metric_name(self.labels[k]): float(right[k] / true[k]) for k in present}

    def draw(self, folder: Path) -> list[Path]:
        """Write confusion.png, predictions.csv and, of any samples, precision_recall.png and calibration.png.

        The table has each sample with its true and found class and all scores.
        """
        # Matplotlib takes half a second to import, and only the rank that draws needs it.
        from jack_ray.methods.shared.class_pictures import draw_probabilities
        from jack_ray.methods.shared.confusion_picture import draw

        draw(folder / "confusion.png", self.confusion(), self.labels)
        write_text(folder / "predictions.csv", self._table())
        paths = [folder / "confusion.png", folder / "predictions.csv"]
        if not self.scored:
            return paths
        return paths + draw_probabilities(folder, self.truth(), self.probabilities(), self.labels)

    def truth(self) -> NDArray[np.bool_]:
        """Which class each sample has, by name, (N, K)."""
        numbers = np.array([self.scored[name][0] for name in sorted(self.scored)], np.int64)
        return np.eye(len(self.labels), dtype=np.bool_)[numbers]

    def probabilities(self) -> NDArray[np.float64]:
        """The probability of each class for each sample, by name, (N, K)."""
        scores = np.array([self.scored[name][1] for name in sorted(self.scored)], np.float64)
        return softmax(scores) if self.are_logits else scores

    def _table(self) -> str:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["name", "label", "predicted", *(f"score_{label}" for label in self.labels)])
        for name, (number, scores) in sorted(self.scored.items()):
            found = self.labels[int(np.argmax(scores))]
            writer.writerow([name, self.labels[number], found, *(f"{score:.6g}" for score in scores)])
        return text.getvalue()


def _metric_name(label: str) -> str:
    """A name that MLflow takes."""
    return "accuracy_" + re.sub(r"[^A-Za-z0-9_.-]", "_", label)
