"""What a process that uses a trained model is asked to do: the file between `jack_ray.apply` and `train.apply`.

`train.serve` gets the same file, and then answers requests, one JSON object a line, until no more come.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from jack_ray.contract.trial import Trial

RESULT = "result.json"
"""In the order's folder: numbers of a test, answers of a prediction."""

MAX_S = 4 * 3600.0
"""A video of this length is still answered for, unless another limit is set."""


@dataclass(frozen=True)
class Order:
    """A trained model and what to do with it."""

    task: Literal["test", "predict", "serve"]
    trial: Trial
    weights: str
    """A checkpoint's model.safetensors, or published weights."""
    labels: tuple[str, ...]
    """Empty: those of the data set."""
    split: Literal["train", "val", "test"] = "test"
    input: str = ""
    batch: int = 1
    """Samples that the model takes at once."""
    pictures: str = ""
    """Folder for pictures and lists; empty for none."""
    timeline: bool = False
    """Whether answers say what changes in the course of a file; `train.serve` is told by each request."""
    window_s: float = 10.0
    """Length of a part that is answered for by itself, where a method does not score by time."""
    max_s: float = MAX_S
    """What lasts longer is refused."""


def load_order(path: Path) -> Order:
    """Read an order, which was written as JSON."""
    values = json.loads(path.read_text(encoding="utf-8"))
    trial, labels = Trial(**values.pop("trial")), tuple(values.pop("labels"))
    return Order(trial=trial, labels=labels, **values)
