"""Which videos there are, their classes and subsets: from folders, or from a csv or json file."""

import csv
import io
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jack_ray.contract.errors import DataError, Fault
from jack_ray.methods.shared.class_annotation import is_file_name, shown
from jack_ray.methods.shared.class_tree import VIDEO_SUFFIXES, draw_by_class, natural_order

SUBSETS = {
    "train": "training", "training": "training",
    "val": "validation", "valid": "validation", "validation": "validation", "dev": "validation",
    "test": "test", "testing": "test",
}  # fmt: skip
"""What a split may be called -> the annotation file's name of it."""

COLUMNS = {
    "path": ("path", "file", "video"),
    "label": ("label", "emotion", "class"),
    "split": ("split", "subset", "set"),
}
"""Column -> the headings by which it is known."""

KNOWN = tuple(name for names in COLUMNS.values() for name in names)

FORMS = "FOLDER/<Class>/*.mp4, FOLDER/<split>/<Class>/*.mp4, or a csv or json file with path, label and split"


@dataclass(frozen=True)
class Clip:
    """A video that is to be prepared."""

    path: Path
    name: str
    """The id it gets."""
    label: str
    subset: str
    """Empty if nobody says."""
    where: str
    """For messages: the line of the listing, or the file."""


@dataclass(frozen=True)
class Listing:
    """All videos."""

    labels: tuple[str, ...]
    clips: tuple[Clip, ...]
    ignored: tuple[str, ...] = ()
    """Files that are no videos."""


def read_listing(source: Path) -> Listing:
    """The videos of a folder or a listing file, each with an id of its own. Raises DataError with every fault."""
    if source.is_dir():
        clips, ignored, faults = _of_folder(source)
    elif source.is_file():
        if _is_video(source):
            raise DataError([Fault(str(source), "one video", FORMS)])
        ignored = []
        clips, faults = _of_file(source)
    else:
        raise DataError([Fault(str(source), "no such file or folder", FORMS)])
    if not clips and not faults:
        found = f"no videos ({', '.join(suffix[1:] for suffix in VIDEO_SUFFIXES)})"
        faults = [Fault(str(source), found, FORMS)]
    labels = tuple(natural_order({clip.label for clip in clips}))
    faults += _label_faults(source, labels, is_broken=bool(faults))
    clips, found_faults = _with_ids(source if source.is_dir() else source.parent, clips)
    if faults or found_faults:
        raise DataError([*faults, *found_faults])
    return Listing(labels, tuple(clips), tuple(ignored))


def with_subsets(listing: Listing, test_fraction: float, seed: int) -> Listing:
    """The listing with a subset for every video; where nobody says one, the videos to test on are drawn by class.

    Raises DataError if some have one and others do not.
    """
    without = [clip for clip in listing.clips if not clip.subset]
    if not without:
        return listing
    if len(without) < len(listing.clips):
        found = f"no split for {len(without)} of {len(listing.clips)} videos"
        raise DataError([Fault(without[0].where, found, "one for every video, or for none")])
    kinds = {clip.name: clip.label for clip in listing.clips}
    tested = set(draw_by_class(list(kinds), kinds, test_fraction, f"prepare {seed}"))
    subsets = {name: "validation" if name in tested else "training" for name in kinds}
    return replace(listing, clips=tuple(replace(clip, subset=subsets[clip.name]) for clip in listing.clips))


def _of_folder(source: Path) -> tuple[list[Clip], list[str], list[Fault]]:
    folders = sorted(path for path in source.iterdir() if path.is_dir() and not path.name.startswith("."))
    splits = [folder for folder in folders if _is_split(folder)]
    is_split = bool(splits)
    if is_split:
        _check_splits(source, splits, [folder for folder in folders if folder not in splits])
        folders = splits
    of_classes = [
        (folder, SUBSETS[above.name.lower()] if is_split else "")
        for above in (folders if is_split else [source])
        for folder in sorted(above.iterdir())
        if folder.is_dir() and not folder.name.startswith(".")
    ]
    clips, ignored, faults = [], [], []
    for folder, subset in of_classes:
        for path in _files(folder):
            if path.suffix.lower() in VIDEO_SUFFIXES:
                clips.append(Clip(path, "", folder.name, subset, str(path)))
            else:
                ignored.append(str(path))
    for above in folders if is_split else [source]:
        loose = [path.name for path in sorted(above.iterdir()) if _is_video(path)]
        if loose:
            found = f"{len(loose)} videos outside of class folders, the first: {loose[0]}"
            remedy = f"If it is the folder of a class, type {above.parent}" if not clips else ""
            faults.append(Fault(str(above), found, FORMS, remedy))
    return clips, ignored, faults


def _is_video(path: Path) -> bool:
    return path.suffix.lower() in VIDEO_SUFFIXES and path.is_file()


def _is_split(folder: Path) -> bool:
    """Whether a folder has a split's name, and folders instead of videos in it."""
    inside = list(folder.iterdir()) if folder.name.lower() in SUBSETS else []
    return any(path.is_dir() for path in inside) and not any(map(_is_video, inside))


def _check_splits(source: Path, splits: Sequence[Path], others: Sequence[Path]) -> None:
    """Raises DataError where splits lie beside other videos, or one split under two names."""
    faults = []
    for other in others:
        if any(_is_video(path) for path in _files(other)):
            found = f"videos beside the splits {', '.join(split.name for split in splits)}"
            faults.append(Fault(str(other), found, "only splits, or only classes"))
    names: dict[str, list[str]] = {}
    for split in splits:
        names.setdefault(SUBSETS[split.name.lower()], []).append(split.name)
    faults += [
        Fault(str(source), f"{' and '.join(alike)}, which both mean {subset}", "one folder for each split")
        for subset, alike in names.items()
        if len(alike) > 1
    ]
    if faults:
        raise DataError(faults)


def _files(folder: Path) -> Iterator[Path]:
    for above, folders, names in os.walk(folder):
        folders.sort()
        yield from (Path(above) / name for name in sorted(names) if not name.startswith("."))


def _of_file(source: Path) -> tuple[list[Clip], list[Fault]]:
    try:
        text = source.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        found = f"unreadable ({error.strerror})" if isinstance(error, OSError) else "not text in UTF-8"
        raise DataError([Fault(str(source), found, FORMS)]) from error
    rows, faults = _json_rows(source, text) if source.suffix.lower() == ".json" else _csv_rows(source, text)
    clips = []
    for where, row in rows:
        clip = _clip(source.parent, where, row)
        if isinstance(clip, Clip):
            clips.append(clip)
        else:
            faults += clip
    return clips, faults


_Rows = list[tuple[str, Mapping[str, Any]]]


def _csv_rows(source: Path, text: str) -> tuple[_Rows, list[Fault]]:
    delimiter = "\t" if "\t" in text.partition("\n")[0] else ","
    reader = csv.DictReader(io.StringIO(text), delimiter=delimiter)
    try:
        heading = [name.strip().lower() for name in reader.fieldnames or ()]
        missing = [column for column in ("path", "label") if not set(COLUMNS[column]) & set(heading)]
        if missing:
            found = f"no column {' and '.join(missing)}, but {', '.join(heading) or 'nothing'}"
            return [], [Fault(f"{source}: line 1", found, "a heading such as path,label,split")]
        rows = [(f"{source}: line {reader.line_num}", _lower(row)) for row in reader]
    except csv.Error as error:
        return [], [Fault(f"{source}: line {reader.line_num}", f"no csv ({error})", "path,label,split")]
    return rows, []


def _json_rows(source: Path, text: str) -> tuple[_Rows, list[Fault]]:
    expected = '[{"path": .., "label": .., "split": ..}, ..]'
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        return [], [Fault(f"{source}: line {error.lineno}", f"not JSON ({error.msg})", expected)]
    except RecursionError:
        return [], [Fault(str(source), "JSON that is nested too deeply", expected)]
    if not isinstance(content, list):
        return [], [Fault(str(source), shown(content), expected)]
    faults = [
        Fault(f"{source}: item {number}", shown(item), expected)
        for number, item in enumerate(content)
        if not isinstance(item, dict)
    ]
    items = [(f"{source}: item {number}", item) for number, item in enumerate(content) if isinstance(item, dict)]
    return [(where, _lower(item)) for where, item in items], faults


def _lower(row: Mapping[Any, Any]) -> Mapping[str, Any]:
    return {key.strip().lower(): value for key, value in row.items() if isinstance(key, str)}


def _clip(folder: Path, where: str, row: Mapping[str, Any]) -> Clip | list[Fault]:
    values = {}
    for column, names in COLUMNS.items():
        value = next((row[name] for name in names if row.get(name) not in (None, "")), "")
        values[column] = str(value).strip()
    faults = [Fault(where, f"no {column}", f"a {column}") for column in ("path", "label") if not values[column]]
    odd = [key for key, value in row.items() if isinstance(value, list | dict) and key in KNOWN]
    faults += [Fault(f"{where}: {key}", shown(row[key]), "text") for key in odd]
    subset = SUBSETS.get(values["split"].lower(), "")
    if values["split"] and not subset:
        faults.append(Fault(where, f"split {shown(values['split'])}", "train, val or test"))
    path = folder / Path(values["path"]).expanduser()
    if values["path"] and not path.is_file():
        faults.append(Fault(where, f"no file {path}", "a path that is absolute, or counts from the listing's folder"))
    return faults or Clip(path, "", values["label"], subset, where)


def _label_faults(source: Path, labels: Sequence[str], is_broken: bool) -> list[Fault]:
    """What is wrong with the classes. is_broken: whether videos are missing from them for other reasons."""
    faults = [
        Fault(str(source), f"class {shown(label)}", "a name that a folder can have")
        for label in labels
        if not is_file_name(label)
    ]
    by_lower: dict[str, list[str]] = {}
    for label in labels:
        by_lower.setdefault(label.lower(), []).append(label)
    for alike in by_lower.values():
        if len(alike) > 1:
            faults.append(Fault(str(source), f"classes {' and '.join(alike)}", "one spelling of each class"))
    if len(labels) == 1 and not is_broken:
        faults.append(Fault(str(source), f"one class, {labels[0]}", "at least two", f"Expected is {FORMS}."))
    return faults


def _with_ids(folder: Path, clips: Sequence[Clip]) -> tuple[list[Clip], list[Fault]]:
    """An id for each: the file's name, and where that comes twice, with the folders in front."""
    stems = [clip.path.stem for clip in clips]
    twice = {stem for stem in stems if stems.count(stem) > 1} if len(set(stems)) < len(stems) else set()
    named = []
    for clip, stem in zip(clips, stems, strict=True):
        try:
            relative = clip.path.resolve().relative_to(folder.resolve())
        except ValueError:
            relative = Path(*clip.path.parts[-3:])
        name = "_".join(relative.with_suffix("").parts) if stem in twice else stem
        named.append(replace(clip, name=name))
    seen: dict[str, Clip] = {}
    faults = []
    for clip in named:
        if clip.name in seen:
            found = f"{clip.path} again, or another video of the same name: {clip.name} is in {seen[clip.name].where}"
            faults.append(Fault(clip.where, found, "each video once"))
        seen[clip.name] = clip
    return named, faults
