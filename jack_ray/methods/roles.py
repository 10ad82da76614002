"""What the files of a method's folder export. Adding a method is adding a folder; nothing else is edited.

| file      | exports                              | imported by                                                   |
|-----------|--------------------------------------|---------------------------------------------------------------|
| config.py | Config, DataConfig, check, OPERATORS | the driver and the ranks; standard library and `contract`     |
| files.py  | inspect                              | the driver and the ranks; standard library, numpy, `contract` |
| data.py   | Data                                 | the ranks; numpy, no Jittor                                   |
| model.py  | Model                                | the ranks; Jittor                                             |
| loss.py   | Loss                                 | the ranks; Jittor                                             |
| metric.py | Metric                               | the ranks, `jack_ray.score`; numpy, no Jittor                 |
| demo.py   | add_options, run                     | `jack_ray.data demo`; numpy                                   |
| predict.py| Predictor                            | the ranks of `jack_ray.predict`                               |
| golden.py | check_file                           | `jack_ray.verify`; Jittor. The golden files lie in `golden/`  |

`notes.toml` says what a model card says of the method: paper, licences, limits (jack_ray/registry/notes.py).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any, Literal, Protocol

from jack_ray.contract.errors import Fault

Split = Literal["train", "val", "test"]
Sample = dict[str, Any]
"""numpy arrays and plain values of one example."""
Batch = dict[str, Any]
"""numpy arrays and plain values that the model takes at once."""
Ask = Callable[[Iterable[Sample]], Iterator[Mapping[str, Any]]]
"""Answers of the model for samples, in order; takes no more of them at once than the model does."""


@dataclass(frozen=True)
class Inspection:
    """What a look at a data set's files found, without reading the large ones."""

    identity: str
    """Changes whenever the content changes that training would see; empty if there are faults that stop it."""
    faults: tuple[Fault, ...] = ()
    summary: Mapping[str, Any] = field(default_factory=dict)
    """Counts for people: {"train videos": 200, ...}."""
    labels: tuple[str, ...] = ()
    """The data's classes, where `config.check_labels(model, labels)` has something to say of them."""
    can_skip: bool = False
    """Whether all faults are of single samples, which train.on_unreadable=skip leaves out."""

    def stops(self, on_unreadable: str) -> bool:
        """Whether the faults are in the way. on_unreadable: train.on_unreadable, stop or skip."""
        return bool(self.faults) and not (self.can_skip and on_unreadable == "skip")


class InspectFiles(Protocol):
    """`files.inspect`: every problem of the data set's files, with file and place; and their identity."""

    def __call__(self, data: Any) -> Inspection: ...


class DataRole(Protocol):
    """`data.Data(model, data, split, seed)`: the examples of a split. Deterministic in its arguments."""

    @property
    def separate(self) -> bool:
        """True: samples are batches of their own, as lengths differ. False: a rank's samples of a step are one."""
        ...

    def fit_together(self, samples: Sequence[Sample]) -> bool:
        """Whether samples that are `separate` are small enough to be trained on as one batch all the same."""
        ...

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes in the order of the model's outputs; every checkpoint carries them."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Sample:
        """Read one example as it is evaluated; called from reading threads. Raises DataError naming the file."""
        ...

    def draw(self, index: int, seed: int) -> Sample:
        """Read one example as it is trained on: `seed` decides crops, clips, noise. Raises DataError likewise."""
        ...

    def collate(self, samples: Sequence[Sample]) -> list[Batch]:
        """What the model takes at once: one batch. In evaluation samples come alone where they are `separate`."""
        ...


@dataclass(frozen=True)
class Group:
    """Parameters that learn at the same rate. `rate` multiplies `train.lr`."""

    parameters: Mapping[str, Any]
    """state-dict name -> Var"""
    rate: float = 1.0


@dataclass(frozen=True)
class Pretrained:
    """Weights of a part of the model, trained by others on another task."""

    path: Path
    names: Mapping[str, str]
    """tensor in the file -> state-dict name of ours; what is not named is reported and left"""


class ModelRole(Protocol):
    """`model.Model(config)`: a jittor Module with the published state-dict names."""

    def execute(self, batch: Batch) -> dict[str, Any]:
        """The outputs by name, for the metric (evaluation) or the loss (training)."""
        ...

    def groups(self) -> list[Group]:
        """Every trainable parameter exactly once."""
        ...

    def pretrained(self) -> list[Pretrained]:
        """What training starts from, when it starts from nothing else; may be none."""
        ...


class Workers(Protocol):
    """The threads that read samples, for work in the middle of a step (CTEN decodes erased clips)."""

    def begin(self, function: Callable[[Any], Any], items: Sequence[Any]) -> Callable[[], list[Any]]:
        """Begin `function` of every item, several at a time; what is given waits for all, in order.

        Waiting raises what the first failing one raised.
        """
        ...


class OneByOne:
    """Workers that do everything in the calling thread, for a step outside of training."""

    def begin(self, function: Callable[[Any], Any], items: Sequence[Any]) -> Callable[[], list[Any]]:
        """`function` of every item, when it is waited for."""
        return lambda: [function(item) for item in items]


LossPart = tuple[Any, dict[str, Any]]
"""A part of a loss, and loss terms by name; all scalar Vars."""


class LossRole(Protocol):
    """`loss.Loss(config)`: gets the model, since some methods run it more than once a step."""

    def __call__(self, model: Any, batch: Batch, workers: Workers) -> Iterable[LossPart]:
        """The loss of a batch (mean over its samples) in parts, whose sum it is: each with its terms.

        Most losses have one part. The gradient of a part is computed, and what led to it forgotten, before the next
        part is asked for: several passes over a batch then take the memory of one, unless the loss itself keeps an
        array of a pass meanwhile.

        The batch of a step has an entry of the loop's: `seeds` (B,) int64, a seed for each sample, the same on any
        number of ranks; masks that are drawn from it (dropout) are too.
        """
        ...


def whole_loss(parts: Iterable[LossPart]) -> LossPart:
    """The sum of the parts, with all terms; what led to it stays in memory."""
    losses, terms = zip(*parts, strict=True)
    return sum(losses[1:], losses[0]), {name: term for of_part in terms for name, term in of_part.items()}


class MetricRole(Protocol):
    """`metric.Metric(config, data)`: exact numbers over a split, from parts that several ranks saw."""

    def update(self, outputs: Mapping[str, Any], batch: Batch) -> None:
        """Take in the outputs (numpy) of one batch."""
        ...

    def state(self) -> Any:
        """All that was taken in, as JSON values; travels between ranks."""
        ...

    def merge(self, state: Any) -> None:
        """Take in what another rank's metric saw."""
        ...

    def result(self) -> dict[str, float]:
        """The numbers, names as they appear in MLflow (`average_mAP`); independent of the order of samples."""
        ...

    def pictures(self, folder: Path) -> list[Path]:
        """Draw what a person wants to see of the split; may be none."""
        ...

    def scored(self) -> dict[str, Any]:
        """Every sample's truth beside what was answered, in one of the layouts of `contract/scored.py`."""
        ...


@dataclass(frozen=True)
class Network:
    """A network beside the model, and its weights."""

    module: Any
    """A jittor Module."""
    weights: Path
    unused: tuple[str, ...] = ()
    """Beginnings of the names of layers that may be missing."""


class PredictorRole(Protocol):
    """`predict.Predictor(model, data, labels)`: from a user's own file to samples, from outputs to answers."""

    @property
    def model(self) -> Any:
        """The settings of the model that answers. It may take longer inputs than the one that was trained."""
        ...

    @property
    def finds_segments(self) -> bool:
        """Whether its answers have `segments`."""
        ...

    def networks(self) -> list[Network]:
        """What reading needs beside the model; gets its weights before anything is read. May be none."""
        ...

    def find(self, path: Path) -> list[Path]:
        """What is predicted for an input: the file itself, or each one of a folder. Raises DataError if nothing is."""
        ...

    def read(self, path: Path, max_s: float = inf) -> Sample:
        """One of them, as it would be evaluated, without a label. Raises DataError naming the file.

        max_s: what lasts longer is refused. What is held in memory does not depend on the length, as far as the method
        allows it.
        """
        ...

    def over_time(self, path: Path, answer: Mapping[str, Any], ask: Ask, window_s: float) -> dict[str, Any]:
        """What is added to an answer that was asked over time; a file's length must not decide how much is held.

        timeline [{start_s, end_s, probabilities}, ..] in order and without a gap; window_s: the length of a part that
        is answered for by itself, where the method does not score by time. Raises DataError naming the file.
        """
        ...

    def collate(self, samples: Sequence[Sample]) -> list[Batch]:
        """What the model takes at once, in order."""
        ...

    def answers(self, outputs: Mapping[str, Any], batch: Batch) -> list[dict[str, Any]]:
        """One for each sample of the batch, as JSON values.

        label, and probabilities {label: share}; duration_s where it is known; segments [{start_s, end_s, label,
        score}] where the method finds some, best first. What a method knows beside (attention) goes under names of its
        own.
        """
        ...

    def draw(self, answer: Mapping[str, Any], sample: Sample, path: Path) -> None:
        """Write a picture (.png) of the sample with its answer."""
        ...
