"""A small data set in TSL-300's layout, generated: no download, and something to learn in it.

The marker `demo.json` tells generated data from real data: nothing else is ever overwritten.
"""

import argparse
import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jack_ray.contract.errors import ConfigError, DataError, Fault, JackRayError
from jack_ray.contract.files import write_json, write_text
from jack_ray.contract.settings import as_typed
from jack_ray.methods.tsl import demo_scenes
from jack_ray.methods.tsl.config import CLASSES
from jack_ray.methods.tsl.demo_scenes import Plan, Row
from jack_ray.methods.tsl.demo_signal import directions, features
from jack_ray.methods.tsl.features import features_path
from jack_ray.methods.tsl.points import ANNOTATORS, POINT_COLUMNS, points_path

MARKER = "demo.json"
LAYOUT = 1
"""Counted up when generated files change, so that older ones are made anew."""
OWN_NAMES = frozenset(
    {
        MARKER, "gt.json", "videosenti_gt.json", "split_train.txt", "split_test.txt", "fps_dict.json", "time.json",
        "len_duration_dict.json", "point_gaussian", "features",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Report:
    """What lies in the folder now."""

    root: Path
    videos: Mapping[str, int]
    num_bytes: int
    was_there: bool
    """The same data, complete, lay there already; nothing was written."""

    def __str__(self) -> str:
        did = "is there already, complete" if self.was_there else "written"
        counts = " and ".join(f"{count} {split}" for split, count in self.videos.items())
        return (
            f"Demo data for tsl: {counts} videos, {self.num_bytes / 1e6:.0f} MB, {did}: {self.root}\n"
            "Generated numbers, not TSL-300: good for trying things, not for results.\n"
            f"Next: python -m jack_ray.launch model=tsl_small sweep=lr {as_typed('data.root', str(self.root))}"
        )


LEAST = ("--train", "8", "--test", "2", "--snippets", "8", "12")
"""Options of the least data that every preset takes a step on."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `python -m jack_ray.data demo tsl`."""
    parser.add_argument("root", type=Path, metavar="ROOT", help="folder to write; new, empty, or earlier demo data")
    parser.add_argument("--train", type=int, default=48, help="training videos (default 48)")
    parser.add_argument("--test", type=int, default=16, help="test videos (default 16)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same files (default 1)")
    parser.add_argument(
        "--snippets", type=int, nargs=2, default=(24, 48), metavar=("MIN", "MAX"),
        help="length of a video in snippets of 16 frames (default 24 48)",
    )  # fmt: skip
    parser.add_argument(
        "--annotations", type=Path, metavar="DIR",
        help="take names, lengths, segments and points from this folder with TSL-300's annotations; "
        "--train, --test and --snippets then do not count. All 300 videos take 1.6 GB",
    )  # fmt: skip
    parser.add_argument("--limit", type=int, metavar="N", help="with --annotations: at most N videos of each split")


def run(options: argparse.Namespace) -> str:
    """Generate what was asked for on the command line, and say what came of it."""
    train, test = options.train, options.test
    if options.annotations is not None:
        train = test = sys.maxsize if options.limit is None else options.limit
    elif options.limit is not None:
        raise ConfigError([Fault("--limit", str(options.limit), "--annotations beside it", "Type --train and --test.")])
    report = generate(
        options.root,
        train=train,
        test=test,
        seed=options.seed,
        snippets=tuple(options.snippets),
        annotations=options.annotations,
    )
    return str(report)


def generate(
    root: Path, *, train: int, test: int, seed: int, snippets: tuple[int, int], annotations: Path | None = None
) -> Report:
    """Write a data set of generated features; the same arguments give the same files.

    snippets: shortest and longest video. annotations: a folder with TSL-300's annotation files, from which names,
    lengths, segments and points are taken; train and test are then the most videos of each split.
    The folder appears when it is complete. Raises ConfigError for impossible numbers, DataError if `root` holds
    anything but demo data, JackRayError if it cannot be written.
    """
    root = root.expanduser().absolute()
    arguments = _arguments(train, test, seed, snippets, annotations)
    _check_numbers(train, test, seed, snippets, annotations)
    _refuse_foreign(root)
    present = _complete(root, arguments)
    if present is not None:
        return present
    if annotations is None:
        plan = demo_scenes.invent({"train": train, "test": test}, seed, snippets)
    else:
        plan = demo_scenes.borrow(annotations, {"train": train, "test": test})
    partial = root.parent / f".{root.name}.partial"
    _refuse_foreign(partial)
    try:
        _write(partial, plan, seed, arguments)
        shutil.rmtree(root, ignore_errors=True)
        partial.rename(root)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise JackRayError(
            f"Cannot write demo data to {root}: {error.strerror}. About {plan.num_bytes / 1e6:.0f} MB are needed."
        ) from error
    return Report(root, plan.counts(), _size(root)[1], was_there=False)


def _arguments(train: int, test: int, seed: int, snippets: tuple[int, int], annotations: Path | None) -> dict[str, Any]:
    source = None if annotations is None else str(annotations.expanduser().absolute())
    values = {"train": train, "test": test, "seed": seed, "annotations": source, "layout": LAYOUT}
    return values if source else values | {"snippets": list(snippets)}


def _check_numbers(train: int, test: int, seed: int, snippets: tuple[int, int], annotations: Path | None) -> None:
    faults = []
    if train < 2:
        faults.append(Fault("--limit" if annotations else "--train", str(train), "at least 2 videos"))
    elif test < 1:
        faults.append(Fault("--limit" if annotations else "--test", str(test), "at least 1 video"))
    if seed < 0:
        faults.append(Fault("--seed", str(seed), "0 or more"))
    if annotations is None and not 8 <= snippets[0] <= snippets[1]:
        faults.append(Fault("--snippets", f"{snippets[0]} {snippets[1]}", "8 <= MIN <= MAX"))
    if faults:
        raise ConfigError(faults)


def _refuse_foreign(folder: Path) -> None:
    """Raise DataError unless the folder is new, empty, or holds what an earlier call wrote and nothing else."""
    remedy = "Type another folder, or remove this one yourself."
    if folder.exists() and not folder.is_dir():
        raise DataError([Fault(str(folder), "a file", "a folder for demo data", remedy)])
    names = set(os.listdir(folder)) if folder.is_dir() else set()
    if not names:
        return
    foreign = sorted(names - OWN_NAMES)
    if MARKER not in names:
        raise DataError([Fault(str(folder), f"not demo data: it has no {MARKER}", "a new or empty folder", remedy)])
    if foreign:
        found = f"files that are not demo data: {', '.join(foreign[:5])}"
        raise DataError([Fault(str(folder), found, "nothing but earlier demo data", remedy)])


def _complete(root: Path, arguments: Mapping[str, Any]) -> Report | None:
    """The report of an earlier call with the same arguments whose files are all there."""
    try:
        marker = json.loads((root / MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    count, num_bytes = _size(root)
    if not isinstance(marker, dict) or marker.get("arguments") != arguments:
        return None
    if (marker.get("files"), marker.get("bytes")) != (count, num_bytes):
        return None
    return Report(root, marker["videos"], num_bytes, was_there=True)


def _size(root: Path) -> tuple[int, int]:
    """Number of files and of bytes, without the marker."""
    sizes = [path.stat().st_size for path in root.rglob("*") if path.is_file() and path.name != MARKER]
    return len(sizes), sum(sizes)


def _write(folder: Path, plan: Plan, seed: int, arguments: Mapping[str, Any]) -> None:
    """Write everything; the marker's counts come last, so that an interrupted folder is known by their lack."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    write_json(folder / MARKER, {"about": "generated, not TSL-300", "arguments": arguments})
    _write_annotations(folder, plan)
    added = directions(seed)
    for split, scenes in plan.scenes.items():
        for index, scene in enumerate(scenes):
            generator = np.random.default_rng([seed, 2, len(split), index])
            for kind, values in zip(("rgb", "logmfcc"), features(scene, added, generator), strict=True):
                path = features_path(folder, split, kind, scene.name)
                path.parent.mkdir(parents=True, exist_ok=True)
                np.save(path, values, allow_pickle=False)
    count, num_bytes = _size(folder)
    marker = {
        "about": "generated, not TSL-300", "arguments": arguments, "videos": plan.counts(),
        "files": count, "bytes": num_bytes,
    }  # fmt: skip
    write_json(folder / MARKER, marker)


def _write_annotations(folder: Path, plan: Plan) -> None:
    scenes = {scene.name: scene for of_split in plan.scenes.values() for scene in of_split}
    for split, of_split in plan.scenes.items():
        write_text(folder / f"split_{split}.txt", "".join(f"{scene.name}\n" for scene in of_split))
    seconds = {name: scene.num_snippets * scene.snippet_s for name, scene in scenes.items()}
    write_json(folder / "fps_dict.json", {name: scene.fps for name, scene in scenes.items()})
    write_json(folder / "len_duration_dict.json", seconds)
    write_json(folder / "time.json", {scene.name: seconds[scene.name] for scene in plan.scenes["test"]})
    for file, segments in (("gt.json", {"test"}), ("videosenti_gt.json", {"train", "test"})):
        write_json(folder / file, {"database": _database(plan, segments)})
    for annotator in ANNOTATORS:
        write_text(points_path(folder, annotator), _points_text(plan.points[annotator]))
    write_text(folder / "point_gaussian" / "point_labels.csv", _points_text(plan.points[0]))


def _database(plan: Plan, with_segments: set[str]) -> dict[str, Any]:
    """ActivityNet's layout; seconds in quotes, as TSL-300 has them."""
    return {
        name: {
            "subset": split,
            "annotations": [
                {"segment": [str(one.start_s), str(one.end_s)], "label": one.label}
                for one in (segments if split in with_segments else ())
            ],
        }
        for split, of_split in plan.segments.items()
        for name, segments in of_split.items()
    }


def _points_text(rows: Sequence[Row]) -> str:
    lines = [f"{row.label},{CLASSES.index(row.label)},{row.first},{row.last},{row.name},{row.frame}" for row in rows]
    return "\n".join([",".join(POINT_COLUMNS), *lines]) + "\n"
