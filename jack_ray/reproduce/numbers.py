"""Are two trainings of a trial the same, number by number and file by file?"""

import json
from dataclasses import dataclass
from pathlib import Path

from jack_ray.contract.paths import TrialFolder
from jack_ray.reproduce.original import Numbers


@dataclass(frozen=True)
class Difference:
    """A number that is not what it was."""

    name: str
    step: int
    was: float
    now: float

    @property
    def relative(self) -> float:
        """How far apart they are, as a share of the larger."""
        size = max(abs(self.was), abs(self.now))
        return abs(self.was - self.now) / size if size else 0.0


@dataclass(frozen=True)
class Comparison:
    """The numbers of two trainings."""

    count: int
    """Numbers that both have."""
    metrics: int
    last_step: int
    differences: tuple[Difference, ...]
    """In the order of the steps."""
    missing: int
    """Numbers that only the original has."""

    @property
    def is_same(self) -> bool:
        """Whether every number of the original came out again, bit for bit."""
        return not self.differences and not self.missing and self.count > 0

    def words(self) -> list[str]:
        """What came out, for people."""
        if self.count == 0:
            return ["There is no number to compare: the original told none."]
        where = f"{self.count} values of {self.metrics} metrics over {self.last_step} steps"
        if self.is_same:
            return [f"The same numbers, bit for bit: {where}."]
        told = []
        if self.differences:
            first, largest = self.differences[0], max(self.differences, key=lambda one: one.relative)
            told.append(f"Other numbers: {len(self.differences)} of {where} differ.")
            told.append(f"The first is {first.name} at step {first.step}: {first.was!r} was, {first.now!r} is.")
            told.append(
                f"The largest relative difference is {largest.relative:.2g}: {largest.name} at step {largest.step}."
            )
        if self.missing:
            told.append(f"{self.missing} values of the original did not come out again.")
        return told


def compare(before: Numbers, now: Numbers) -> Comparison:
    """Hold every number of the original against that of the new training."""
    both = [key for key in before if key in now]
    order = {key: place for place, key in enumerate(before)}
    changed = sorted((key for key in both if before[key] != now[key]), key=lambda key: (key[1], order[key]))
    return Comparison(
        count=len(both),
        metrics=len({name for name, _ in both}),
        last_step=max((step for _, step in both), default=0),
        differences=tuple(Difference(*key, before[key], now[key]) for key in changed),
        missing=len(before) - len(both),
    )


def compare_weights(before: TrialFolder, now: TrialFolder) -> str:
    """In a sentence whether the files of the last checkpoint that both have are the same; empty if there is none."""
    common = [path.name for path in sorted(before.checkpoints.glob("step-*")) if (now.checkpoints / path.name).is_dir()]
    if not common:
        return ""
    hashes = [_hashes(folder.checkpoints / common[-1]) for folder in (before, now)]
    same = [name for name in hashes[0] if hashes[1].get(name) == hashes[0][name]]
    if not hashes[0]:
        return ""
    words = "the same" if len(same) == len(hashes[0]) else "not the same"
    step = int(common[-1].removeprefix("step-"))
    return f"The weights and the optimiser's state after {step} steps are {words} (sha256)."


def _hashes(checkpoint: Path) -> dict[str, str]:
    """File -> sha256, of the tensors: other files say where they lie."""
    try:
        files = json.loads((checkpoint / "manifest.json").read_text(encoding="utf-8"))
        return {name: str(sha256) for name, sha256 in files.items() if name.endswith(".safetensors")}
    except (OSError, ValueError, AttributeError):
        return {}
