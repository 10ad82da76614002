"""The small files of TSL-300: who is in which split, frame rates, segments, points. Every fault is collected.

Layout: nku-zhichengzhang/TSL300, dataset/VideoSenti.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jack_ray.contract.errors import Fault
from jack_ray.methods.shared.detection import Segment
from jack_ray.methods.tsl.config import DataConfig
from jack_ray.methods.tsl.points import (
    ANNOTATORS,
    Point,
    label_fault,
    points_path,
    read_lines,
    read_points,
    shown,
    used_annotators,
)


@dataclass(frozen=True)
class Video:
    """An entry of gt.json or videosenti_gt.json."""

    subset: str
    segments: tuple[Segment, ...]


@dataclass(frozen=True)
class Annotations:
    """What the small files say. Parts whose file has faults may be incomplete."""

    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """split -> names in natural order"""
    fps: Mapping[str, float] = field(default_factory=dict)
    truth: Mapping[str, Video] = field(default_factory=dict)
    """gt.json: segments of test videos, none of training videos"""
    dense: Mapping[str, Video] | None = None
    """videosenti_gt.json: segments of all videos; None where there is no such file"""
    points: Mapping[int, Mapping[str, tuple[Point, ...]]] = field(default_factory=dict)
    """annotator -> name -> points"""


def read(data: DataConfig) -> tuple[Annotations, list[Fault]]:
    """Read all annotation files of `data.root` and hold them against each other."""
    root = Path(data.root)
    faults: list[Fault] = []
    truth, found = read_segments(root / "gt.json")
    faults += found
    dense = None
    if (root / "videosenti_gt.json").exists():
        dense, found = read_segments(root / "videosenti_gt.json")
        faults += found
    fps, found = read_positive(root / "fps_dict.json", "frames a second")
    faults += found
    names: dict[str, tuple[str, ...]] = {}
    for split in ("train", "test"):
        names[split], found = read_names(root / f"split_{split}.txt")
        faults += found
    points: dict[int, dict[str, tuple[Point, ...]]] = {}
    for annotator in ANNOTATORS:
        path = points_path(root, annotator)
        if path.exists() or annotator in used_annotators(data):
            points[annotator], found = read_points(path, tuple(truth))
            faults += found
    annotations = Annotations(names, fps, truth, dense, points)
    return annotations, faults + _contradictions(annotations, data)


def natural_order(names: Sequence[str]) -> list[str]:
    """Sorted with whole numbers compared as numbers: 2_b before 10_a, as natsort does for TSL300."""

    def key(name: str) -> tuple[list[Any], str]:
        parts = re.split(r"(\d+)", name)
        return [int(part) if index % 2 else part for index, part in enumerate(parts)], name

    return sorted(names, key=key)


def read_segments(path: Path) -> tuple[dict[str, Video], list[Fault]]:
    """Videos by name from gt.json, or another file in ActivityNet's layout; and every fault in it."""
    content, faults = read_json(path)
    if faults:
        return {}, faults
    database = content.get("database") if isinstance(content, dict) else None
    if not isinstance(database, dict):
        return {}, [
            Fault(str(path), "no mapping `database`", '{"database": {name: {"subset": .., "annotations": [..]}}}')
        ]
    videos = {}
    for name, entry in database.items():
        where = f"{path}: video {name}"
        if not isinstance(entry, dict) or not isinstance(entry.get("annotations"), list) or "subset" not in entry:
            faults.append(Fault(where, shown(entry), 'a mapping with "subset" and a list "annotations"'))
            continue
        segments = []
        for index, annotation in enumerate(entry["annotations"], start=1):
            segment = _segment(annotation, f"{where}: annotation {index}")
            if isinstance(segment, Fault):
                faults.append(segment)
            else:
                segments.append(segment)
        videos[name] = Video(str(entry["subset"]), tuple(segments))
    return videos, faults


def read_json(path: Path) -> tuple[Any, list[Fault]]:
    """A JSON file, or the fault that keeps it from being read; a key that comes twice is a fault too."""
    twice: list[str] = []

    def keep_track(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        values = dict(pairs)
        if len(values) < len(pairs):
            keys = [key for key, _ in pairs]
            twice.extend(key for key in values if keys.count(key) > 1)
        return values

    try:
        content = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=keep_track)
    except FileNotFoundError:
        return None, [Fault(str(path), "no such file", "a JSON file")]
    except OSError as error:
        return None, [Fault(str(path), f"unreadable ({error.strerror})", "a JSON file")]
    except json.JSONDecodeError as error:
        where = f"{path}: line {error.lineno}, column {error.colno}"
        return None, [Fault(where, f"not JSON ({error.msg})", "a JSON file")]
    except (UnicodeDecodeError, RecursionError) as error:
        return None, [Fault(str(path), f"not JSON ({type(error).__name__})", "a JSON file in UTF-8")]
    return content, [Fault(f"{path}: {key}", "comes twice", "every name once") for key in twice]


def number(value: Any) -> float | None:
    """A finite number, also one in quotes, as TSL-300 writes seconds; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        converted = float(value)
    except (ValueError, OverflowError):
        return None
    return converted if math.isfinite(converted) else None


def _segment(annotation: Any, where: str) -> Segment | Fault:
    if not isinstance(annotation, dict):
        return Fault(where, shown(annotation), 'a mapping with "segment" and "label"')
    fault = label_fault(where, annotation.get("label"))
    if fault is not None:
        return fault
    span = annotation.get("segment")
    numbers = [number(value) for value in span] if isinstance(span, list) else []
    if len(numbers) != 2 or None in numbers:
        return Fault(where, f"segment {shown(span)}", "[start, end] in seconds")
    start, end = (float(value) for value in numbers if value is not None)
    if start < 0 or end <= start:
        return Fault(where, f"segment [{start:g}, {end:g}] s", "0 <= start < end")
    return Segment(start, end, annotation["label"])


def read_positive(path: Path, meaning: str) -> tuple[dict[str, float], list[Fault]]:
    """A JSON file of one number above 0 for each video; and every fault in it."""
    content, faults = read_json(path)
    if faults:
        return {}, faults
    if not isinstance(content, dict):
        return {}, [Fault(str(path), shown(content), f"a mapping from name to {meaning}")]
    numbers = {}
    for name, value in content.items():
        converted = number(value)
        if converted is None or converted <= 0:
            faults.append(Fault(f"{path}: video {name}", shown(value), f"{meaning}, more than 0"))
        else:
            numbers[name] = converted
    return numbers, faults


def read_names(path: Path) -> tuple[tuple[str, ...], list[Fault]]:
    """The names of a split in natural order; and every fault in the file."""
    expected = "a text file with the name of one video a line"
    lines, faults = read_lines(path, expected)
    first_line: dict[str, int] = {}
    for index, line in enumerate(lines, start=1):
        name = line.strip()
        if name in first_line:
            faults.append(
                Fault(f"{path}: line {index}", f"{name} again, as in line {first_line[name]}", "every name once")
            )
        elif name:
            first_line[name] = index
    if not first_line and not faults:
        faults.append(Fault(str(path), "no names", expected))
    return tuple(natural_order(list(first_line))), faults


def _contradictions(annotations: Annotations, data: DataConfig) -> list[Fault]:
    """What each file may say alone, but not together with the others."""
    root = Path(data.root)
    faults = []
    for split, names in annotations.names.items():
        where = root / f"split_{split}.txt"
        for name in names:
            if annotations.fps and name not in annotations.fps:
                faults.append(Fault(f"{where}: {name}", "no frame rate in fps_dict.json", "one for every video"))
            if annotations.truth and name not in annotations.truth:
                faults.append(Fault(f"{where}: {name}", "no entry in gt.json", "one for every video"))
            elif annotations.truth and annotations.truth[name].subset != split:
                found = f"subset {annotations.truth[name].subset} in gt.json"
                faults.append(Fault(f"{where}: {name}", found, f"subset {split}"))
    for name in annotations.names.get("train", ()):
        if name in annotations.names.get("test", ()):
            faults.append(Fault(f"{root / 'split_test.txt'}: {name}", "also in split_train.txt", "one split a video"))
    return faults + _without_points(annotations, data)


def _without_points(annotations: Annotations, data: DataConfig) -> list[Fault]:
    faults = []
    read_files = {
        index: found for index, found in annotations.points.items() if index in used_annotators(data) and found
    }
    for name in annotations.names.get("train", ()):
        missing = [index for index, found in read_files.items() if name not in found]
        if missing and (data.annotator != "all" or len(missing) == len(read_files)):
            where = points_path(Path(data.root), missing[0])
            faults.append(
                Fault(str(where), f"no point for training video {name}", "at least one for every training video")
            )
    return faults
