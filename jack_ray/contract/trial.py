"""A trial: one method with one set of numbers. Its id is the hash of everything that changes the result."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from jack_ray.contract.errors import JackRayError
from jack_ray.contract.files import digest, write_json


@dataclass(frozen=True)
class Trial:
    """What a rank needs to know, as plain JSON values.

    method: the folder of `jack_ray.methods`. model, data, train: the config nodes, checked, paths absolute.
    data_identity: the content of the data set in a few digits, from the method's `files.identity`.
    ranks: processes that share the batch; part of the id, because another number of summands gives other bits.
    threads: threads a rank computes with. It also changes the last bits, so a trial keeps the number it was
    started with; it is not part of the id, because it belongs to the machine.
    """

    method: str
    model: dict[str, Any]
    data: dict[str, Any]
    train: dict[str, Any]
    data_identity: str
    ranks: int
    threads: int
    weights_digest: str = ""
    """sha256 of the files that training starts from, which count instead of their paths; empty for random weights."""
    origin: dict[str, Any] | None = None
    """{"trial": id, "step": n}: the checkpoint of another trial that this one goes on from; null: it begins."""
    until: int | None = None
    """The step at which it ends with an evaluation and a checkpoint; null: train.steps."""

    @property
    def last_step(self) -> int:
        """The step at which it ends."""
        return self.until if self.until is not None else int(self.train["steps"])

    @property
    def id(self) -> str:
        """`tsl-1f0c9d3a52`: the same for the same numbers, whichever way they were typed."""
        model = {key: value for key, value in self.model.items() if not is_weights(key)}
        data = {key: value for key, value in self.data.items() if key not in PLACES}
        train = {key: value for key, value in self.train.items() if key not in DOES_NOT_CHANGE_NUMBERS}
        data = {key: value for key, value in data.items() if key not in LATER_OF_DATA or value != LATER_OF_DATA[key]}
        train = {key: value for key, value in train.items() if key not in LATER or value != LATER[key]}
        numbers = [self.method, model, data, self.data_identity, train, self.weights_digest, self.ranks]
        if self.origin is not None or self.until is not None:
            numbers += [self.origin, self.until]
        return f"{self.method}-{digest(numbers)}"

    def save(self, path: Path) -> None:
        """Write the file that the ranks are started with."""
        write_json(path, asdict(self) | {"id": self.id})


PLACES = frozenset({"root", "sound_cache_mb", "stream_cache_mb", "feature_cache", "feature_folder", "feature_cache_gb"})
"""Settings of a data node that say where the data lies and how it is kept, not what it is."""

DOES_NOT_CHANGE_NUMBERS = frozenset(
    {"checkpoint_every", "keep_checkpoints", "log_every", "prefetch", "workers", "weights"}
)
"""Settings of the train node that leave every result as it is, or count by content."""


LATER: dict[str, Any] = {"parts": 1, "kernels": "auto", "precision": "float32"}
"""Settings of the train node that came later, and what trials without them were trained with; these keep their ids."""

LATER_OF_DATA: dict[str, Any] = {"clips": "random", "clip_variants": 4, "clip_seed": 0}
"""The same of the data node."""


def is_weights(key: str) -> bool:
    """Whether a setting of a model names a file with weights of a part: `backbone_weights`."""
    return key.endswith("_weights")


def load_trial(path: Path) -> Trial:
    """Read a trial file. Raises JackRayError naming the file when it is not one."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        values.pop("id")
        return Trial(**values)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise JackRayError(f"{path} is not a trial file ({error}). It is written by jack_ray.launch.") from error
