"""Gaits from what people have: BVH motion capture, arrays of 16 joints, E-Gait's h5 files.

# N gaits  T frames  V joints
"""

import csv
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jack_ray.contract.errors import DataError, Fault
from jack_ray.contract.settings import nearest
from jack_ray.methods.gait import bvh
from jack_ray.methods.gait.arrays import UNREADABLE
from jack_ray.methods.gait.config import DataConfig
from jack_ray.methods.gait.skeleton import NUM_JOINTS, JointOrder, reordered
from jack_ray.methods.gait.sources import LEAST_FRAMES, open_source

Array = NDArray[np.float64]

SUFFIXES = (".bvh", ".npy")
ARRAY = f"finite numbers of shape (T, {NUM_JOINTS}, 3) or (T, {3 * NUM_JOINTS}), T at least {LEAST_FRAMES}"


@dataclass(frozen=True)
class How:
    """How files are to be understood."""

    classes: tuple[str, ...]
    """By number, as the written labels have them."""
    joint_order: JointOrder = "left_first"
    """Of arrays and h5 files."""
    joints: Mapping[str, str] = field(default_factory=dict)
    """BVH: joint -> its name in the files."""
    every: int = 1
    """One frame in this many is taken."""
    scale: float = 1.0
    centre: bool = True
    """Put the root at zero in every frame, as in E-Gait."""


@dataclass(frozen=True)
class Found:
    """A gait that can be read, and what is known of it."""

    name: str
    label: str
    split: str
    """train, test, or empty: to be drawn."""
    joints: Callable[[], Array]
    """(T, V, 3) in BPM-GCN's order and the file's units. Raises DataError."""


def listed(source: Path, table: Path | None, how: How) -> list[Found]:
    """The gaits of a folder of .bvh and .npy files, by their class folders or by a table of path,label[,split].

    Raises DataError with every fault of the folder or the table.
    """
    rows, faults = (_by_folder(source) if table is None else _by_table(source, table)), []
    found, seen = [], set()
    for where, path, label, split in rows:
        match = next((one for one in how.classes if one.lower() == label.lower()), None)
        name = str(path.relative_to(source).with_suffix("")) if path.is_relative_to(source) else path.stem
        if match is None:
            faults.append(
                Fault(where, f"class {label!r}", f"one of {', '.join(how.classes)}", nearest(label, how.classes))
            )
        elif name in seen:
            faults.append(Fault(where, f"{name} for the second time", "every gait once"))
        elif split not in ("", "train", "test"):
            faults.append(Fault(where, f"split {split!r}", "train, test or nothing"))
        else:
            seen.add(name)
            found.append(Found(name, match, split, partial(read_joints, path, how)))
    if faults:
        raise DataError(faults)
    return found


def _by_folder(source: Path) -> list[tuple[str, Path, str, str]]:
    if not source.is_dir():
        found = "a file" if source.exists() else "no such folder"
        expected = "a folder of classes with .bvh or .npy files, or a file .npz or .h5"
        raise DataError([Fault(str(source), found, expected)])
    paths = sorted(path for path in source.rglob("*") if path.suffix.lower() in SUFFIXES)
    loose = [path for path in paths if path.parent == source]
    if not paths:
        raise DataError([Fault(str(source), "no .bvh or .npy file", "one folder for each class, with files in it")])
    if loose:
        remedy = "Type --labels TABLE.csv with lines of path,label, or put the files into folders named by class."
        raise DataError(
            [Fault(str(source), f"{loose[0].name} lies in no class folder", "files in class folders", remedy)]
        )
    return [(str(path), path, path.relative_to(source).parts[0], "") for path in paths]


def _by_table(source: Path, table: Path) -> list[tuple[str, Path, str, str]]:
    try:
        with table.open(encoding="utf-8-sig", newline="") as opened:
            reader = csv.DictReader(opened)
            rows, heading = list(reader), reader.fieldnames or ()
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            [Fault(str(table), f"unreadable ({error})", "a table of path,label or path,label,split")]
        ) from error
    if not rows or not {"path", "label"} <= set(rows[0]):
        found = f"line 1 is {','.join(heading)[:60]}" if heading else "an empty file"
        found += "" if rows else " and no line follows" if heading else ""
        raise DataError([Fault(str(table), found, "a first line path,label or path,label,split, and a line per gait")])
    faults = []
    for number, row in enumerate(rows, start=2):
        if not row["path"] or not (source / row["path"]).is_file():
            faults.append(
                Fault(f"{table}: line {number}", f"no file {row['path']!r} in {source}", "a path in the folder")
            )
    if faults:
        raise DataError(faults)
    return [
        (f"{table}: line {number}", source / row["path"], row["label"] or "", row.get("split") or "")
        for number, row in enumerate(rows, start=2)
    ]


@dataclass(frozen=True)
class Recorded:
    """A gait as its file has it."""

    joints: Array
    """(T, V, 3) in BPM-GCN's order and the file's units."""
    rate_hz: float | None
    """Frames a second; None where the file does not say."""


def read_joints(path: Path, how: How) -> Array:
    """A .bvh or .npy file as (T, V, 3) in BPM-GCN's order and the file's units. Raises DataError naming the file."""
    return read_recorded(path, how).joints


def read_recorded(path: Path, how: How) -> Recorded:
    """The same, with what the file says of time."""
    if path.suffix.lower() != ".bvh":
        return Recorded(reordered(as_joints(str(path), _load(path)), how.joint_order), None)
    motion = bvh.read(path)
    is_told = isfinite(motion.frame_s) and motion.frame_s > 0
    return Recorded(bvh.joints(motion, how.joints), 1 / motion.frame_s if is_told else None)


def _load(path: Path) -> NDArray[Any]:
    try:  # mapped: what a header says is held against the file's size before memory is taken for it
        with np.errstate(over="ignore"):  # sizes beyond all numbers are refused a moment later
            return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except (OSError, zipfile.BadZipFile, *UNREADABLE) as error:
        raise DataError([Fault(str(path), damage(path, error), ARRAY)]) from error


def damage(path: Path, error: Exception) -> str:
    """What is wrong with a file that numpy cannot open."""
    try:
        with path.open("rb") as opened:
            is_ours = opened.read(6).startswith((b"\x93NUMPY", b"PK"))
    except OSError as failure:
        return f"unreadable ({failure.strerror})"
    if not is_ours:
        return "not a file of arrays"
    if "Object arrays" in str(error):
        return "Python objects, which could run code: refused"
    return f"cut short or damaged ({error})"


def as_joints(where: str, values: NDArray[Any]) -> Array:
    """An array as (T, V, 3). Raises DataError for another shape, and for numbers that are not finite."""
    shape = values.shape
    fits = values.dtype.kind in "fiu" and (shape[1:] in ((NUM_JOINTS, 3), (3 * NUM_JOINTS,))) and len(shape) > 1
    if not fits or shape[0] < LEAST_FRAMES:
        raise DataError([Fault(where, f"shape {shape}, type {values.dtype}", ARRAY)])
    joints = values.astype(np.float64).reshape(-1, NUM_JOINTS, 3)
    bad = np.argwhere(~np.isfinite(joints))
    if len(bad):
        found = f"{joints[tuple(bad[0])]} in frame {bad[0][0]} ({len(bad)} of {joints.size} numbers)"
        raise DataError([Fault(where, found, "finite numbers")])
    return joints


def from_h5(data: DataConfig) -> list[Found]:
    """The gaits of E-Gait's h5 files. Raises DataError with every fault."""
    source, faults = open_source(data)
    if source is None:
        raise DataError(faults)
    return [
        Found(name, data.labels[int(target.argmax())], "", lambda index=index: source.joints(index))  # type: ignore[misc]
        for index, (name, target) in enumerate(zip(source.names, source.targets, strict=True))
    ]


def from_npz(path: Path, keys: tuple[str, str], numbers: Sequence[str], how: How) -> list[Found]:
    """The gaits of one .npz: `keys` name the arrays of joints (N, T, V, 3) and of class numbers (N,).

    numbers: what 0, 1, ... mean. Gaits with another number are left out: -1 often says that a gait has no label.
    Raises DataError for a file without these arrays.
    """
    try:
        with np.load(path, allow_pickle=False) as opened:
            arrays = {key: opened[key] for key in keys if key in opened}
            listed_keys = ", ".join(opened.files)
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError([Fault(str(path), damage(path, error), "an .npz file of arrays")]) from error
    missing = [key for key in keys if key not in arrays]
    if missing:
        remedy = "Type --array NAME and --label-array NAME."
        raise DataError([Fault(str(path), f"no array {' and '.join(missing)}", f"one of {listed_keys}", remedy)])
    joints, labels = (arrays[key] for key in keys)
    if len(joints) != len(labels) or labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise DataError(
            [Fault(str(path), f"labels {labels.shape} for joints {joints.shape}", "a number for each gait")]
        )
    return list(_rows(path, joints, labels, numbers, how))


def _rows(path: Path, joints: NDArray[Any], labels: NDArray[Any], numbers: Sequence[str], how: How) -> Iterator[Found]:
    for row, label in enumerate(labels):
        if 0 <= label < len(numbers):
            where = f"{path}: row {row}"

            def read(row: int = row, where: str = where) -> Array:
                return reordered(as_joints(where, joints[row]), how.joint_order)

            yield Found(f"{path.stem}_{row:05d}", numbers[int(label)], "", read)
