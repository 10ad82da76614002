"""A class tree on disk: where each video's parts lie, and which videos a split has."""

import random
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from jack_ray.contract.errors import DataError
from jack_ray.methods.roles import Split
from jack_ray.methods.shared.class_annotation import ClassAnnotation, Entry, read_annotation
from jack_ray.methods.shared.clips_config import DataConfig

SOUND_SUFFIXES = (".mp3", ".flac", ".wav")
VIDEO_SUFFIXES = (".mp4", ".mkv", ".webm", ".mov", ".avi", ".mpg", ".mpeg", ".m4v", ".flv", ".wmv", ".ts", ".3gp")
COUNT_FILE = "n_frames"


def annotation_path(data: DataConfig) -> Path:
    """Where the annotation file is."""
    return Path(data.root) / data.annotation


def annotation_of(data: DataConfig) -> ClassAnnotation:
    """The annotation file. Raises DataError with every fault of it."""
    annotation, faults = read_annotation(annotation_path(data), data.labels)
    if faults:
        raise DataError(faults)
    return annotation


def labels_of(data: DataConfig) -> tuple[str, ...]:
    """The classes by number: those that are set, else those of the annotation file. Raises DataError."""
    return data.labels if data.labels is not None else annotation_of(data).labels


def picture_folder(data: DataConfig, entry: Entry) -> Path:
    """Where a video's extracted pictures are."""
    return Path(data.root) / data.images / entry.label / entry.name


def sound_file(data: DataConfig, entry: Entry) -> Path | None:
    """A video's sound file; None if there is none."""
    return _with_suffix(Path(data.root) / data.sound / entry.label, entry.name, SOUND_SUFFIXES)


def video_file(data: DataConfig, entry: Entry) -> Path | None:
    """The file of a video itself; None if there is none."""
    return _with_suffix(Path(data.root) / data.videos / entry.label, entry.name, VIDEO_SUFFIXES)


def _with_suffix(folder: Path, name: str, suffixes: Sequence[str]) -> Path | None:
    # not Path.with_suffix: ids have dots in them
    paths = (folder / f"{name}{suffix}" for suffix in suffixes)
    return next((path for path in paths if path.is_file()), None)


def natural_order(names: Iterable[str]) -> list[str]:
    """Names sorted with their numbers by size: 2 before 10."""

    def parts(name: str) -> tuple[tuple[int, int, str], ...]:
        pieces = re.findall(r"[0-9]+|[^0-9]+", name)
        return tuple((0, int(piece), "") if piece.isdecimal() else (1, 0, piece) for piece in pieces)

    return sorted(names, key=lambda name: (parts(name), name))


def divide(annotation: ClassAnnotation, data: DataConfig, seed: int) -> dict[Split, tuple[str, ...]]:
    """The videos of each split in natural order; a video is in one of them.

    data.split=annotation: `train` is the subset training. The published files have two subsets: `test` is then
    validation, and `val` is held out of training by class. In a file that has the subset test, too, that is `test`
    and validation is `val`. data.split=0, 1, ..: `test` is drawn by class from all videos, by that number alone.
    """
    kinds = {name: entry.label for name, entry in annotation.entries.items()}
    if data.split == "annotation":
        of = {subset: [name for name, entry in annotation.entries.items() if entry.subset == subset] for subset in
              ("training", "validation", "test")}  # fmt: skip
        if of["test"] and of["validation"]:
            return _ordered(of["training"], of["validation"], of["test"])
        training, test = of["training"], of["test"] or of["validation"]
    else:
        test = draw_by_class(list(kinds), kinds, data.test_fraction, f"split {data.split}")
        training = sorted(set(kinds) - set(test))
    val = draw_by_class(training, kinds, data.val_fraction, f"held out {seed}")
    return _ordered([name for name in training if name not in set(val)], val, test)


def _ordered(train: Iterable[str], val: Iterable[str], test: Iterable[str]) -> dict[Split, tuple[str, ...]]:
    return {"train": tuple(natural_order(train)), "val": tuple(natural_order(val)), "test": tuple(natural_order(test))}


def draw_by_class(names: Sequence[str], kinds: Mapping[str, str], fraction: float, seed: str) -> list[str]:
    """A share of the names in which every class has its share, the same on every machine.

    Shares are rounded so that their sum is right; one of each class stays behind. kinds: name -> class.
    """
    if fraction == 0 or len(names) < 2:
        return []
    groups: dict[str, list[str]] = {}
    for name in natural_order(names):
        groups.setdefault(kinds[name], []).append(name)
    total = min(max(1, round(fraction * len(names))), len(names) - 1)
    shares = {kind: total * len(group) / len(names) for kind, group in groups.items()}
    by_rest = sorted(shares, key=lambda kind: (int(shares[kind]) - shares[kind], kind))
    rounded_up = set(by_rest[: total - sum(int(share) for share in shares.values())])
    generator = random.Random(seed)
    drawn: list[str] = []
    for kind in sorted(groups):
        size = int(shares[kind]) + (kind in rounded_up)
        drawn += generator.sample(groups[kind], min(size, len(groups[kind]) - 1))
    return drawn
