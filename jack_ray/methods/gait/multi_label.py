"""The numbers of a classifier whose samples may have several classes at once; exact in any order, on any ranks.

# B samples of a batch  K classes
"""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jack_ray.contract.errors import TrainError
from jack_ray.contract.files import write_text
from jack_ray.methods.shared.class_curves import precision_recall

Scored = tuple[tuple[float, ...], tuple[float, ...]]
"""Targets and probabilities."""

HALF = 0.5


class MultiLabelMetric:
    """Gathers every sample's probabilities by its name; a name that comes twice counts once."""

    def __init__(self, labels: Sequence[str]) -> None:
        self.labels = tuple(labels)
        self.scored: dict[str, Scored] = {}

    def update(self, scores: NDArray[Any], targets: NDArray[Any], names: Sequence[str]) -> None:
        """Take in a batch: probabilities (B, K), targets (B, K) of 0 and 1, names (B,)."""
        for name, row, truth in zip(names, np.asarray(scores, np.float64), np.asarray(targets), strict=True):
            self._take(str(name), (tuple(float(one) for one in truth), tuple(float(one) for one in row)))

    def state(self) -> dict[str, Any]:
        """All samples, as JSON values."""
        return {name: [list(part) for part in scored] for name, scored in self.scored.items()}

    def merge(self, state: Mapping[str, Any]) -> None:
        """Take in what another rank's metric saw."""
        for name, (targets, scores) in state.items():
            self._take(name, (tuple(targets), tuple(scores)))

    def _take(self, name: str, scored: Scored) -> None:
        self.scored[name] = max(scored, self.scored.get(name, scored))

    def result(self) -> dict[str, float]:
        """`accuracy`, `mAP`, `macro_F1`, and of each class `precision_`, `recall_`, `F1_` and `AP_<label>`.

        accuracy: the share of all labels of all samples that are right, as BPM-GCN's code counts it. A class is found
        from a probability above one half. A class that no sample has is left out of recall, F1, AP and the means; one
        that was never found, out of precision. Raises TrainError when nothing was scored.
        """
        if not self.scored:
            raise TrainError("Not one sample was scored, so there is no accuracy.")
        _, truth, scores = self._arrays()
        found = scores > HALF
        values: dict[str, float] = {"accuracy": float((found == truth).mean())}
        for index, label in enumerate(self.labels):
            values |= _of_class(label, truth[:, index], found[:, index], scores[:, index])
        for kind, name in (("AP_", "mAP"), ("F1_", "macro_F1")):
            parts = [value for key, value in values.items() if key.startswith(kind)]
            values[name] = float(np.mean(parts)) if parts else 0.0
        return values

    def draw(self, folder: Path) -> list[Path]:
        """Write predictions.csv, each sample with its classes and all probabilities, and pictures of any samples."""
        # Matplotlib takes half a second to import, and only the rank that draws needs it.
        from jack_ray.methods.shared.class_pictures import draw_probabilities

        names, truth, scores = self._arrays()
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["name", "labels", *(f"score_{label}" for label in self.labels)])
        for name, has, row in zip(names, truth, scores, strict=True):
            own = " ".join(label for label, one in zip(self.labels, has, strict=True) if one)
            writer.writerow([name, own, *(f"{score:.6g}" for score in row)])
        write_text(folder / "predictions.csv", text.getvalue())
        drawn = draw_probabilities(folder, truth, scores, self.labels, one_of_many=False) if names else []
        return [folder / "predictions.csv", *drawn]

    def _arrays(self) -> tuple[list[str], NDArray[np.bool_], NDArray[np.float64]]:
        names = sorted(self.scored)
        truth = np.array([self.scored[name][0] for name in names]).reshape(len(names), len(self.labels)) > HALF
        return names, truth, np.array([self.scored[name][1] for name in names]).reshape(truth.shape)


def _of_class(
    label: str, truth: NDArray[np.bool_], found: NDArray[np.bool_], scores: NDArray[np.float64]
) -> dict[str, float]:
    right = float((truth & found).sum())
    values = {f"precision_{label}": right / float(found.sum())} if found.any() else {}
    curve = precision_recall(truth, scores)
    if curve is not None:
        values |= {
            f"recall_{label}": right / float(truth.sum()),
            f"F1_{label}": 2 * right / float(truth.sum() + found.sum()),
            f"AP_{label}": curve.average,
        }
    return values
