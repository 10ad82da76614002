"""The plan of a generated data set: which videos there are, and what happens in them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jack_ray.contract.errors import DataError, Fault
from jack_ray.methods.shared.detection import Segment
from jack_ray.methods.tsl.annotations import Video, natural_order, read_names, read_positive, read_segments
from jack_ray.methods.tsl.demo_signal import (
    MEL_BANDS,
    MEL_FRAMES,
    RGB_WIDTH,
    SNIPPET_FRAMES,
    Scene,
    invent_points,
    invent_segments,
)
from jack_ray.methods.tsl.points import ANNOTATORS, Point, points_path, read_points

FRAME_RATES = (30.0, 30.0, 29.97002997002997, 25.0, 23.976023976023978)
SHARE_MARKED = (1.0, 0.9, 0.6)
"""How many segments each annotator marks; TSL-300's marked 1438, 1254 and 840."""


class Row(NamedTuple):
    """A line of a point file."""

    label: str
    first: int
    last: int
    name: str
    frame: int


@dataclass(frozen=True)
class Plan:
    """All that is written but the features themselves."""

    scenes: Mapping[str, tuple[Scene, ...]]
    """split -> its videos; the segments of a scene are those that the features show"""
    segments: Mapping[str, Mapping[str, tuple[Segment, ...]]]
    """split -> name -> annotated segments"""
    points: tuple[tuple[Row, ...], ...]
    """by annotator"""

    def counts(self) -> dict[str, int]:
        """Videos by split."""
        return {split: len(scenes) for split, scenes in self.scenes.items()}

    @property
    def num_bytes(self) -> int:
        """About how large the features are."""
        snippets = sum(scene.num_snippets + 2 for scenes in self.scenes.values() for scene in scenes)
        return snippets * 4 * (RGB_WIDTH + MEL_FRAMES * MEL_BANDS)


def invent(counts: Mapping[str, int], seed: int, snippets: tuple[int, int]) -> Plan:
    """Made-up videos with made-up segments. The numbers in their names are mixed over the splits, as in TSL-300."""
    generator = np.random.default_rng([seed, 0])
    numbers = generator.permutation(sum(counts.values())) + 1
    scenes: dict[str, tuple[Scene, ...]] = {}
    for split, count in counts.items():
        mine, numbers = numbers[:count], numbers[count:]
        names = natural_order([f"{one}_Demo_{one:04d}" for one in mine])
        scenes[split] = tuple(_invent_scene(name, snippets, generator) for name in names)
    points = []
    for share in SHARE_MARKED:
        rows = [
            Row(label, first, last, scene.name, frame)
            for scene in scenes["train"]
            for label, first, last, frame in invent_points(scene.segments, scene.fps, share, generator)
        ]
        points.append(tuple(rows))
    segments = {split: {scene.name: scene.segments for scene in of_split} for split, of_split in scenes.items()}
    return Plan(scenes, segments, tuple(points))


def _invent_scene(name: str, snippets: tuple[int, int], generator: np.random.Generator) -> Scene:
    fps = FRAME_RATES[int(generator.integers(0, len(FRAME_RATES)))]
    count = int(generator.integers(snippets[0], snippets[1] + 1))
    return Scene(name, fps, count, invent_segments(count, fps, generator))


def borrow(folder: Path, most: Mapping[str, int]) -> Plan:
    """The videos of real annotations, at most so many of each split, in natural order of their names.

    Raises DataError with every fault of the annotation files.
    """
    faults: list[Fault] = []
    dense, found = read_segments(folder / "videosenti_gt.json")
    faults += found
    fps, found = read_positive(folder / "fps_dict.json", "frames a second")
    faults += found
    seconds, found = read_positive(folder / "len_duration_dict.json", "seconds")
    faults += found
    names: dict[str, tuple[str, ...]] = {}
    for split, count in most.items():
        all_names, found = read_names(folder / f"split_{split}.txt")
        faults += found
        names[split] = all_names[:count]
    points = []
    for annotator in ANNOTATORS:
        of_annotator, found = read_points(points_path(folder, annotator), tuple(dense))
        faults += found
        points.append(of_annotator)
    for split, of_split in names.items():
        for name in of_split:
            if not faults and not (name in dense and name in fps and name in seconds):
                found_in = "not in all of videosenti_gt.json, fps_dict.json and len_duration_dict.json"
                faults.append(Fault(f"{folder / f'split_{split}.txt'}: {name}", found_in, "every name in each"))
    if faults:
        raise DataError(faults)
    return _borrowed_plan(names, dense, fps, seconds, points)


def _borrowed_plan(
    names: Mapping[str, tuple[str, ...]],
    dense: Mapping[str, Video],
    fps: Mapping[str, float],
    seconds: Mapping[str, float],
    points: list[dict[str, tuple[Point, ...]]],
) -> Plan:
    scenes = {}
    for split, of_split in names.items():
        made = []
        for name in of_split:
            marked = [point for of_annotator in points for point in of_annotator.get(name, ())]
            needed = max((point.frame // SNIPPET_FRAMES + 1 for point in marked), default=8)
            count = max(int(seconds[name] * fps[name]) // SNIPPET_FRAMES, needed, 8)
            shown = dense[name].segments or _around(marked, fps[name])
            made.append(Scene(name, fps[name], count, shown))
        scenes[split] = tuple(made)
    rows = tuple(
        tuple(
            Row(point.label, point.first, point.last, name, point.frame)
            for name in names["train"]
            for point in of_annotator.get(name, ())
        )
        for of_annotator in points
    )
    segments = {split: {name: dense[name].segments for name in of_split} for split, of_split in names.items()}
    return Plan(scenes, segments, rows)


def _around(points: list[Point], fps: float) -> tuple[Segment, ...]:
    """Two seconds around each point: what a video shows whose segments nobody annotated (TSL-300 has one)."""
    return tuple(Segment(max(0.0, point.frame / fps - 2), point.frame / fps + 2, point.label) for point in points)
