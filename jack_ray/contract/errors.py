"""Every error a user can meet.

JackRayError
├── FaultsError           a list of faults, told all at once
│   ├── ConfigError       what was typed, or written in conf/
│   └── DataError         the files of a data set
├── WeightsError          a checkpoint or a published weights file
├── PreflightError        this machine cannot start ranks yet
├── PlaceError            no machine can hold the trial, or Ray cannot be reached
└── TrainError            a rank cannot go on (NaN loss, full disk, ...)
"""

from collections.abc import Sequence
from dataclasses import dataclass


class JackRayError(Exception):
    """Something the user can mend. Its text is complete: it is shown without a traceback."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong, in the order a tired reader needs it."""

    where: str
    """A key (`train.lr`), or a file and the place in it (`gt.json: video 12_joy: annotation 3`)."""
    found: str
    expected: str
    remedy: str = ""
    """What to type next; empty if the expectation already says it."""

    def __str__(self) -> str:
        text = f"{self.where}: {self.found}; expected {self.expected}"
        return f"{text}\n    {self.remedy}" if self.remedy else text


class FaultsError(JackRayError):
    """Several faults, told all at once."""

    title = "This cannot work"

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        lines = "\n".join(f"  {fault}" for fault in self.faults)
        super().__init__(f"{self.title} ({len(self.faults)} found):\n{lines}")

    def __reduce__(self) -> tuple[type, tuple[tuple[Fault, ...]]]:
        return type(self), (self.faults,)


class ConfigError(FaultsError):
    """Example: `train.lr=abc`, or a batch that does not divide among the ranks."""

    title = "The configuration has faults"


class DataError(FaultsError):
    """Example: a feature file of `gt.json` is missing or cut short."""

    title = "The data has faults"


class WeightsError(JackRayError):
    """Example: a tensor in the file has another shape than the model's."""


class PreflightError(JackRayError):
    """Example: there is no g++ on this machine."""


class PlaceError(JackRayError):
    """Example: the trial needs 4 GPUs and the largest machine has 2."""


class TrainError(JackRayError):
    """Example: the loss is NaN at step 12."""
