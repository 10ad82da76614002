"""The numbers of a classifier of videos, and pictures of what it attended to in a few of them.

# B videos  S segments of a video  K classes
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jack_ray.contract.errors import TrainError
from jack_ray.contract.scored import of_classes
from jack_ray.methods.roles import Batch
from jack_ray.methods.shared.classification import ClassMetric

NUM_PICTURES = 4
Span = tuple[float, float]
"""Start and end in seconds."""


@dataclass(frozen=True)
class Attended:
    """What a network made of a video's segments; rounded for the way between ranks."""

    gamma: list[float]
    duration_s: float
    segments: list[Span] | None
    """The key segments that somebody marked; None where nobody did."""


class VideoMetric:
    """Gathers all videos of a split, from all ranks.

    The outputs need `logits` (B, K) and `gamma` (B, S); the batch `label`, `name`, `classes`, `duration_s` and
    `segments`.
    """

    def __init__(self) -> None:
        self.classes: ClassMetric | None = None
        self.attended: dict[str, Attended] = {}

    def update(self, outputs: Mapping[str, Any], batch: Batch) -> None:
        """Take in a batch. Raises TrainError naming a video whose scores or attention are not finite numbers."""
        names = [str(name) for name in batch["name"]]
        self._count(batch["classes"]).update(np.asarray(outputs["logits"]), batch["label"], names)
        for name, gamma, duration_s, segments in zip(
            names, np.asarray(outputs["gamma"], np.float64), batch["duration_s"], batch["segments"], strict=True
        ):
            if not np.isfinite(gamma).all():
                raise TrainError(
                    f"The attention of {name} is not made of finite numbers: training diverged. Try a lower train.lr."
                )
            spans = None if segments is None else [(float(start), float(end)) for start, end in segments]
            self.attended[name] = Attended([float(f"{value:.6g}") for value in gamma], float(duration_s), spans)

    def _count(self, labels: Sequence[str]) -> ClassMetric:
        """Made with the first batch: the annotation file names the classes, the config need not."""
        if self.classes is None:
            self.classes = ClassMetric(labels, are_logits=True)
        return self.classes

    def state(self) -> Any:
        """All videos, as JSON values; None if there are none."""
        if self.classes is None:
            return None
        attended = {name: asdict(one) for name, one in self.attended.items()}
        return {"labels": list(self.classes.labels), "classes": self.classes.state(), "attended": attended}

    def merge(self, state: Any) -> None:
        """Take in another rank's videos."""
        if state is None:
            return
        self._count(state["labels"]).merge(state["classes"])
        for name, one in state["attended"].items():
            spans = None if one["segments"] is None else [(start, end) for start, end in one["segments"]]
            self.attended[name] = Attended(one["gamma"], one["duration_s"], spans)

    def result(self) -> dict[str, float]:
        """`accuracy`, `macro_F1` and `accuracy_<label>`. Raises TrainError when nothing was scored."""
        return self._count(()).result()

    def pictures(self, folder: Path, found: Callable[[Attended], Sequence[Span]] | None = None) -> list[Path]:
        """What `ClassMetric` draws, and the attention of a few videos, always the same ones.

        found: the key segments that the network finds, to be drawn beside the marked ones.
        """
        # Matplotlib takes half a second to import, and only the rank that draws needs it.
        from jack_ray.methods.shared.attention_picture import draw

        classes = self._count(())
        paths = classes.draw(folder)
        for name in chosen(self.attended):
            one = self.attended[name]
            number, scores = classes.scored[name]
            title = f"{name}: {classes.labels[int(np.argmax(scores))]} found, {classes.labels[number]} annotated"
            lanes = {"found": found(one)} if found is not None else {}
            lanes |= {} if one.segments is None else {"annotated": one.segments}
            path = folder / f"{_file_name(name)}.png"
            draw(path, title, one.gamma, one.duration_s, lanes)
            paths.append(path)
        return paths

    def scored(self) -> dict[str, Any]:
        """Every video's class and the probability of each."""
        classes = self._count(())
        samples = {name: (number, softmax(scores)) for name, (number, scores) in classes.scored.items()}
        return of_classes(classes.labels, samples)


def softmax(scores: Sequence[float]) -> list[float]:
    """Probabilities of the classes, from (K,) scores."""
    raised = np.exp(np.asarray(scores, np.float64) - max(scores))
    return [float(share) for share in raised / raised.sum()]


def chosen(names: Mapping[str, Any]) -> list[str]:
    """Few of them, by name alone: the same whichever rank saw them first."""
    return sorted(sorted(names, key=lambda name: hashlib.sha256(name.encode()).digest())[:NUM_PICTURES])


def _file_name(name: str) -> str:
    return "".join(character if character.isalnum() or character in "-_." else "_" for character in name)
