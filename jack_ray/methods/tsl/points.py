"""The points of TSL-300's three annotators: `point_gaussian/train/point_anno_{0,1,2}.txt`."""

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jack_ray.contract.errors import Fault
from jack_ray.methods.tsl.config import CLASSES, DataConfig

ANNOTATORS = (0, 1, 2)
POINT_COLUMNS = ("class", "class_index", "start_frame", "stop_frame", "video_id", "point")


class Point(NamedTuple):
    """One labelled frame."""

    frame: int
    label: str
    first: int
    """First frame of what the annotator marked; only the point itself is learnt from."""
    last: int
    line: int
    """Of its file, counted from 1."""


def points_path(root: Path, annotator: int) -> Path:
    """Where an annotator's points are."""
    return root / "point_gaussian" / "train" / f"point_anno_{annotator}.txt"


def used_annotators(data: DataConfig) -> tuple[int, ...]:
    """The annotators whose files training reads."""
    return (data.annotator,) if isinstance(data.annotator, int) else ANNOTATORS


def read_points(path: Path, known: Sequence[str]) -> tuple[dict[str, tuple[Point, ...]], list[Fault]]:
    """Points by video; `known` are the videos there are, empty if nobody knows. And every fault in the file."""
    header = ",".join(POINT_COLUMNS)
    lines, faults = read_lines(path, f"an annotator's points, with the header {header}")
    if faults:
        return {}, faults
    if not lines or lines[0].strip() != header:
        return {}, [Fault(f"{path}: line 1", shown(lines[0] if lines else ""), f"the header {header}")]
    points: dict[str, list[Point]] = {}
    for index, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        row = [part.strip() for part in line.split(",")]
        point = _point(row, known, f"{path}: line {index}", index)
        if isinstance(point, Fault):
            faults.append(point)
        else:
            points.setdefault(row[4], []).append(point)
    return {name: tuple(found) for name, found in points.items()}, faults


def _point(row: Sequence[str], known: Sequence[str], where: str, line: int) -> Point | Fault:
    if len(row) != len(POINT_COLUMNS):
        return Fault(where, f"{len(row)} columns", f"{len(POINT_COLUMNS)}: {','.join(POINT_COLUMNS)}")
    label, class_index, first, last, name, frame = row
    fault = label_fault(where, label)
    if fault is not None:
        return fault
    if class_index != str(CLASSES.index(label)):
        return Fault(where, f"class_index {class_index} for {label}", str(CLASSES.index(label)))
    for column, text in (("point", frame), ("start_frame", first), ("stop_frame", last)):
        if not (text.isascii() and text.isdigit()):
            return Fault(where, f"{column} {shown(text)}", "a frame number, 0 or more")
    if known and name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        return Fault(where, f"video {name}", "a video of gt.json", f"Did you mean {close[0]}?" if close else "")
    return Point(int(frame), label, int(first), int(last), line)


def read_lines(path: Path, expected: str) -> tuple[list[str], list[Fault]]:
    """The lines of a text file, or the fault that keeps it from being read."""
    try:
        return path.read_text(encoding="utf-8").splitlines(), []
    except FileNotFoundError:
        return [], [Fault(str(path), "no such file", expected)]
    except OSError as error:
        return [], [Fault(str(path), f"unreadable ({error.strerror})", expected)]
    except UnicodeDecodeError:
        return [], [Fault(str(path), "not text in UTF-8", expected)]


def label_fault(where: str, label: Any) -> Fault | None:
    """The fault of a label that is no class of TSL-300."""
    if label in CLASSES:
        return None
    return Fault(where, f"label {shown(label)}", "n (negative) or p (positive)")


def shown(value: Any) -> str:
    """A value as a fault quotes it, cut where it is long."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
