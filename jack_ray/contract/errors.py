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
from dataclasses import dataclass, replace

MAX_SHOWN = 5
"""Faults of a kind that a message about data lists."""


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
    """Several faults, told all at once; `hint`: what can be done about all of them."""

    title = "This cannot work"

    def __init__(self, faults: Sequence[Fault], hint: str = "") -> None:
        self.faults = tuple(faults)
        self.hint = hint
        lines = "\n".join(f"  {fault}" for fault in self.shown())
        below = f"\n  {hint}" if hint else ""
        super().__init__(f"{self.title} ({len(self.faults)} found):\n{lines}{below}")

    def shown(self) -> Sequence[Fault]:
        """Those that the text lists."""
        return self.faults

    def in_one_line(self) -> str:
        """All faults, for a cell of a table."""
        return "; ".join(" ".join(str(fault).split()) for fault in self.faults)

    def __reduce__(self) -> tuple[type, tuple[tuple[Fault, ...], str]]:
        return type(self), (self.faults, self.hint)


def shorten(faults: Sequence[Fault]) -> list[Fault]:
    """The first few faults of each kind; the last of them tells how many more there are."""
    kinds: dict[tuple[str, str], list[Fault]] = {}
    for fault in faults:
        kinds.setdefault((_list_of(fault.where), fault.expected), []).append(fault)
    kept = []
    for alike in kinds.values():
        kept += alike[:MAX_SHOWN]
        if len(alike) > MAX_SHOWN:
            last = kept[-1]
            more = f"And {len(alike) - MAX_SHOWN} more like this."
            kept[-1] = replace(last, remedy=f"{last.remedy}\n    {more}" if last.remedy else more)
    return kept


def _list_of(where: str) -> str:
    """The file, if it is a list with many entries; of files with one sample each a folder is full."""
    file = where.partition(": ")[0]
    return file if file.endswith((".json", ".csv", ".txt")) else ""


class ConfigError(FaultsError):
    """Example: `train.lr=abc`, or a batch that does not divide among the ranks."""

    title = "The configuration has faults"


class DataError(FaultsError):
    """Example: a feature file of `gt.json` is missing or cut short. Of many faults alike the text shows the first."""

    title = "The data has faults"

    def shown(self) -> Sequence[Fault]:
        """A few of each kind: a folder has thousands of files, and one cause spoils them all."""
        return shorten(self.faults)


class WeightsError(JackRayError):
    """Example: a tensor in the file has another shape than the model's."""


class PreflightError(JackRayError):
    """Example: there is no g++ on this machine."""


class PlaceError(JackRayError):
    """Example: the trial needs 4 GPUs and the largest machine has 2."""


class TrainError(JackRayError):
    """Example: the loss is NaN at step 12."""
