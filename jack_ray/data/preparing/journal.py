"""What has been done already: one line for each video, so that an interrupted preparation goes on."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jack_ray.contract.errors import DataError, Fault, JackRayError
from jack_ray.data.preparing.convert import CRASHED, Job, Outcome, is_there

NAME = "prepare.jsonl"


@dataclass(frozen=True)
class Plan:
    """What is done and what is left."""

    done: Mapping[str, Outcome]
    left: Sequence[Job]


def open_root(root: Path) -> None:
    """Make the folder. Raises DataError if it holds anything that no preparation wrote."""
    if root.exists() and not root.is_dir():
        raise DataError([Fault(str(root), "a file", "a folder to write to")])
    if root.is_dir() and any(root.iterdir()) and not (root / NAME).is_file():
        found = f"a folder with files in it, and no {NAME}"
        raise DataError([Fault(str(root), found, "a new or empty folder, or one that was prepared", "Type another.")])
    try:
        root.mkdir(parents=True, exist_ok=True)
        (root / NAME).touch()
    except OSError as error:
        raise JackRayError(f"Cannot write to {root}: {error.strerror}. Type another folder.") from error


def plan(root: Path, jobs: Sequence[Job]) -> Plan:
    """Which videos are prepared already, the same way and from the same files."""
    known = _read(root / NAME)
    done: dict[str, Outcome] = {}
    left = []
    for job in jobs:
        outcome = known.get(job.key())
        if outcome is not None and is_there(job, outcome):
            done[job.name] = outcome
        else:
            left.append(job)
    return Plan(done, left)


def note(root: Path, job: Job, outcome: Outcome) -> None:
    """Write down what became of a video; not that it crashed, which the next run tries again."""
    if outcome.status == CRASHED:
        return
    with (root / NAME).open("a", encoding="utf-8") as opened:
        opened.write(json.dumps({"key": job.key(), **outcome.as_json()}) + "\n")


def _read(path: Path) -> dict[str, Outcome]:
    """By key; a line that a kill cut short does not count."""
    known = {}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            values = json.loads(line)
            key = values.pop("key")
            known[str(key)] = Outcome(**values)
        except (ValueError, TypeError, KeyError, AttributeError):
            continue
    return known
