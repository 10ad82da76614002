"""The annotation file of a class tree: which videos there are, their classes and subsets.

`{"labels": ["Anger", ..], "database": {"<id>": {"subset": "training", "annotations": {"label": "Anger"}}}}`, as the
VAANet repository has it for VideoEmotion-8 and Ekman-6. An entry may also say `duration_s`, and its annotations the
key segments in seconds: `"segments": [[3.0, 7.5]]`.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jack_ray.contract.errors import Fault
from jack_ray.contract.settings import nearest

OWN_NAME = "annotation.json"
"""As `python -m jack_ray.data demo` and `prepare` call it."""
NOT_ANNOTATIONS = ("demo.json", "report.json", "train_label.json", "test_label.json")
"""What they write beside it, and gaits have instead."""
SUBSETS = ("training", "validation", "test")
LAYOUT = '{"labels": [...], "database": {"<id>": {"subset": "training", "annotations": {"label": "..."}}}}'


@dataclass(frozen=True)
class Entry:
    """What the annotation file says of a video."""

    name: str
    label: str
    subset: str
    segments: tuple[tuple[float, float], ...] | None = None
    """Key segments (start_s, end_s); None where nobody marked any."""
    duration_s: float | None = None


@dataclass(frozen=True)
class ClassAnnotation:
    """An annotation file."""

    path: Path
    labels: tuple[str, ...]
    entries: Mapping[str, Entry]

    def where(self, name: str) -> str:
        """The file, and the place of a video in it, for a fault."""
        return _place(self.path, self.path.read_text(encoding="utf-8"), name)


class _Object(dict[str, Any]):
    """A JSON object that remembers which of its keys came more than once."""

    def __init__(self, pairs: Sequence[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        keys = [key for key, _ in pairs]
        self.repeated = (
            tuple(dict.fromkeys(key for key in keys if keys.count(key) > 1)) if len(self) < len(keys) else ()
        )


def read_annotation(path: Path, labels: Sequence[str] | None) -> tuple[ClassAnnotation, list[Fault]]:
    """Read an annotation file, and every fault in it; what is sound is returned beside the faults.

    labels: the classes that it must have, in this order; None takes those of the file.
    """
    nothing = ClassAnnotation(path, tuple(labels or ()), {})
    text, fault = _text(path)
    if fault is not None:
        return nothing, [fault]
    try:
        content = json.loads(text, object_pairs_hook=_Object)
    except ValueError as error:
        place = f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else "somewhere"
        return nothing, [Fault(f"{path}: {place}", f"not JSON ({str(error).partition(':')[0]})", LAYOUT)]
    except RecursionError:
        return nothing, [Fault(str(path), "JSON that is nested too deeply", LAYOUT)]
    if not isinstance(content, _Object):
        return nothing, [Fault(str(path), f"JSON that is no object: {shown(content)}", LAYOUT)]
    known, faults = _labels(path, content, labels)
    database = content.get("database")
    if not isinstance(database, _Object):
        return nothing, [*faults, Fault(f"{path}: database", shown(database), "an object with an entry for each video")]
    if not database:
        faults.append(Fault(f"{path}: database", "no videos", "an entry for each video"))
    for name in database.repeated:
        faults.append(Fault(_place(path, text, name), "an id that comes more than once", "another id for each video"))
    entries = {}
    for name, value in database.items():
        found = _entry(name, value, known)
        if isinstance(found, Entry):
            entries[name] = found
        else:
            where = _place(path, text, name)
            faults += [Fault(f"{where}{key}", wrong, expected, remedy) for key, wrong, expected, remedy in found]
    return ClassAnnotation(path, known, entries), faults


def _text(path: Path) -> tuple[str, Fault | None]:
    try:
        return path.read_text(encoding="utf-8"), None
    except FileNotFoundError:
        return "", Fault(str(path), "no such file", "the annotation file (data.annotation)", _other_file(path))
    except OSError as error:
        return "", Fault(str(path), f"unreadable ({error.strerror})", "the annotation file (data.annotation)")
    except UnicodeDecodeError:
        return "", Fault(str(path), "not text in UTF-8", "the annotation file (data.annotation)")


def _other_file(path: Path) -> str:
    """Which file may have been meant."""
    folder = path.parent
    if path.name != OWN_NAME and (folder / OWN_NAME).is_file():
        return (
            f"There is {OWN_NAME}, as demo and prepare write it. To launch, type data=class_tree data.root={folder}\n"
            f"    To look at it, type python -m jack_ray.data check class_tree {folder}"
        )
    there = sorted(other.name for other in folder.glob("*.json") if other.name not in NOT_ANNOTATIONS)[:5]
    return f"There are: {', '.join(there)}. Type data.annotation=NAME." if there else ""


def _labels(
    path: Path, content: Mapping[str, Any], expected: Sequence[str] | None
) -> tuple[tuple[str, ...], list[Fault]]:
    """The classes of the file, and what is wrong with them."""
    found = content.get("labels")
    where = f"{path}: labels"
    if not isinstance(found, list) or not all(isinstance(label, str) for label in found):
        return tuple(expected or ()), [Fault(where, shown(found), "a list of the classes' names")]
    if not found:
        return tuple(expected or ()), [Fault(where, "an empty list", "the classes' names")]
    faults = [
        Fault(where, f"{shown(label)} comes more than once", "each class once")
        for label in dict.fromkeys(found)
        if found.count(label) > 1
    ]
    faults += [
        Fault(where, shown(label), "a name that a folder can have") for label in found if not is_file_name(label)
    ]
    if expected is not None and tuple(expected) != tuple(found):
        remedy = "Type data.labels=null to take the file's, or data=class_tree for another data set."
        faults.append(Fault(where, ", ".join(found), ", ".join(expected), remedy))
    return tuple(found), faults


_Wrong = tuple[str, str, str, str]
"""The key inside the entry, what was found, what was expected, what to do."""


def _entry(name: str, value: Any, labels: Sequence[str]) -> Entry | list[_Wrong]:
    if not is_file_name(name):
        return [("", "an id that no file can have", "letters, digits, dots, dashes; no slash", "")]
    if not isinstance(value, _Object):
        return [("", shown(value), '{"subset": .., "annotations": {"label": ..}}', "")]
    wrong: list[_Wrong] = [(f": {key}", "comes more than once", "each key once", "") for key in value.repeated]
    subset = value.get("subset")
    if subset not in SUBSETS:
        wrong.append((": subset", shown(subset), " or ".join(SUBSETS), ""))
    annotations = value.get("annotations")
    if not isinstance(annotations, _Object):
        return [*wrong, (": annotations", shown(annotations), '{"label": ..}', "")]
    label = annotations.get("label")
    if not isinstance(label, str) or (labels and label not in labels):  # without labels there is one fault already
        remedy = nearest(label, labels) if isinstance(label, str) else ""
        wrong.append((": label", shown(label), "one of the file's labels", remedy))
    segments, found = _segments(annotations.get("segments"))
    wrong += found
    duration = value.get("duration_s")
    if duration is not None and not (_is_number(duration) and duration > 0):
        wrong.append((": duration_s", shown(duration), "seconds, more than 0", ""))
    return wrong or Entry(name, str(label), str(subset), segments, None if duration is None else float(duration))


def _segments(value: Any) -> tuple[tuple[tuple[float, float], ...] | None, list[_Wrong]]:
    if value is None:
        return None, []
    if not isinstance(value, list):
        return None, [(": segments", shown(value), "a list of [start, end] in seconds", "")]
    wrong: list[_Wrong] = []
    for index, pair in enumerate(value):
        is_pair = isinstance(pair, list) and len(pair) == 2 and all(_is_number(end) for end in pair)
        if not is_pair or not 0 <= pair[0] < pair[1]:
            wrong.append((f": segment {index}", shown(pair), "[start, end] in seconds, 0 <= start < end", ""))
    return (None, wrong) if wrong else (tuple((float(start), float(end)) for start, end in value), [])


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def is_file_name(name: str) -> bool:
    """Whether a file or folder can have this name, and no other folder is meant by it."""
    return bool(name.strip()) and name not in (".", "..") and not re.search(r"[/\\\0]", name)


def shown(value: Any) -> str:
    """A value as a fault quotes it, cut where it is long."""
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _place(path: Path, text: str, name: str) -> str:
    """The file, the line of a video's entry if the file has lines, and the video."""
    found = re.search(f"(?:{re.escape(json.dumps(name))}|{re.escape(json.dumps(name, ensure_ascii=False))})\\s*:", text)
    if found is None or "\n" not in text.strip():
        return f"{path}: video {name}"
    return f"{path}: line {text.count(chr(10), 0, found.start()) + 1}: video {name}"
