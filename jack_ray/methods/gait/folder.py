"""Writing gaits as BPM-GCN's arrays: {train,test}_{joint,movement,affective}.npy and labels.

# N gaits  T frames  V joints
"""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jack_ray.contract.errors import DataError, Fault, JackRayError
from jack_ray.contract.files import write_json
from jack_ray.methods.gait.features import Gait
from jack_ray.methods.gait.sources import OWN_SPLITS

KINDS = ("joint", "movement", "affective")


@dataclass(frozen=True)
class Named:
    """A gait with what the label file says of it."""

    name: str
    label: int
    gait: Gait


def write(root: Path, splits: Mapping[str, Sequence[Named]], classes: Sequence[str], marker: str, about: Any) -> None:
    """Write all files of a data set; the folder appears when it is complete.

    marker: the file that tells what made the folder; a folder without it is never overwritten. about: its content.
    Raises DataError if `root` holds anything else, JackRayError if it cannot be written.
    """
    refuse_foreign(root, marker)
    partial = root.parent / f".{root.name}.partial"
    refuse_foreign(partial, marker)
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        write_json(partial / marker, about)
        for split in OWN_SPLITS:
            _write_split(partial, split, splits[split], classes)
        shutil.rmtree(root, ignore_errors=True)
        partial.rename(root)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise JackRayError(f"Cannot write gaits to {root}: {error.strerror}.") from error


def _write_split(folder: Path, split: str, gaits: Sequence[Named], classes: Sequence[str]) -> None:
    # A last axis for persons, as BPM-GCN's files have it.
    arrays = {
        "joint": np.stack([one.gait.posture for one in gaits])[..., None],
        "movement": np.stack([one.gait.movement for one in gaits])[..., None],
        "affective": np.stack([one.gait.affective for one in gaits]),
    }
    for kind in KINDS:
        np.save(folder / f"{split}_{kind}.npy", arrays[kind], allow_pickle=False)
    labels = {
        "names": [one.name for one in gaits],
        "labels": [one.label for one in gaits],
        "classes": list(classes),
    }
    write_json(folder / f"{split}_label.json", labels)


def refuse_foreign(folder: Path, marker: str) -> None:
    """Raise DataError unless the folder is new, empty, or holds what an earlier call wrote and nothing else."""
    remedy = "Type another folder, or remove this one yourself."
    if folder.exists() and not folder.is_dir():
        raise DataError([Fault(str(folder), "a file", "a folder for gaits", remedy)])
    names = set(os.listdir(folder)) if folder.is_dir() else set()
    own = {marker} | {f"{split}_{kind}.npy" for split in OWN_SPLITS for kind in KINDS}
    own |= {f"{split}_label.json" for split in OWN_SPLITS}
    if names and marker not in names:
        raise DataError([Fault(str(folder), f"no {marker} in it", "a new or empty folder, or earlier gaits", remedy)])
    foreign = sorted(names - own)
    if foreign:
        found = f"files that are not this command's: {', '.join(foreign[:5])}"
        raise DataError([Fault(str(folder), found, "nothing but earlier gaits", remedy)])


def read_marker(root: Path, marker: str) -> Any:
    """What an earlier call wrote about its folder; None if there is none, or files of it are missing."""
    try:
        content = json.loads((root / marker).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    complete = all((root / f"{split}_{kind}.npy").exists() for split in OWN_SPLITS for kind in KINDS)
    return content if complete and all((root / f"{split}_label.json").exists() for split in OWN_SPLITS) else None
