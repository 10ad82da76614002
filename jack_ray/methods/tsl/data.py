"""The examples of TSL-Net: one video with both feature streams, its points and its segments.

Source: TSL300 senti_features.py.

# T snippets  F spectrogram frames of a snippet  M mel bands  K classes (n, p)
"""

import random
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from jack_ray.contract.errors import DataError, Fault
from jack_ray.methods.roles import Batch, Sample, Split
from jack_ray.methods.shared.detection import Segment
from jack_ray.methods.tsl.annotations import Annotations, natural_order, read
from jack_ray.methods.tsl.config import CLASSES, Config, DataConfig
from jack_ray.methods.tsl.features import load_streams
from jack_ray.methods.tsl.points import ANNOTATORS, Point
from jack_ray.methods.tsl.row import lay_out

FloatArray = NDArray[np.float32]
WITH_LEADING_AXIS = ("rgb", "mel", "video_labels")


def _alone(sample: Sample) -> Batch:
    return {key: value[None] if key in WITH_LEADING_AXIS else value for key, value in sample.items()}


class Data:
    """The videos of a split in natural order of their names.

    `val` is held out of the training videos (`held_out`); with data.val_fraction=0 it is empty and `train` has
    all of them. Raises DataError with every fault of the annotations, or if val has no segments to be scored on.
    """

    separate = True
    labels = CLASSES

    def __init__(self, model: Config, data: DataConfig, split: Split, seed: int) -> None:
        self.model = model
        self.data = data
        self.root = Path(data.root)
        self.split = split
        annotations, faults = read(data)
        if faults:
            raise DataError(faults)
        training = annotations.names["train"]
        val = held_out(training, _classes_present(annotations), data.val_fraction, seed)
        names = {
            "train": [name for name in training if name not in val],
            "val": [name for name in training if name in val],
            "test": annotations.names["test"],
        }
        self.names = tuple(names[split])
        self.folder = "test" if split == "test" else "train"
        self.fps = annotations.fps
        self.segments = _segments(annotations, split, self.names, self.root)
        drawn = {} if split == "test" else _choose_points(annotations, data, seed)
        self.points = {name: drawn.get(name, ()) for name in self.names}

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> Sample:
        """One video; safe to call from several threads.

        rgb (T, rgb_width), mel (T, F, M) scaled, points (T, K) targets, video_labels (K,) 0 or 1,
        label_distribution (K,), all float32; name, fps; segments, for evaluation: [(start_s, end_s, label)].
        Raises DataError naming the file.
        """
        name = self.names[index]
        rgb, mel = load_streams(self.root / "features" / self.folder, name, self.model, self.data)
        counts = self._class_counts(name)
        return {
            "name": name,
            "rgb": rgb,
            "mel": mel,
            "points": self._targets(name, len(rgb)),
            "video_labels": (counts > 0).astype(np.float32),
            "label_distribution": counts / max(float(counts.sum()), 1.0),
            "fps": float(self.fps[name]),
            "segments": [tuple(segment) for segment in self.segments[name]],
        }

    def draw(self, index: int, seed: int) -> Sample:
        """The same: nothing of a video is random from step to step."""
        return self[index]

    def collate(self, samples: Sequence[Sample]) -> list[Batch]:
        """One video with a leading axis of 1 for rgb, mel and video_labels; or several in a row (`row.lay_out`)."""
        return [_alone(samples[0]) if len(samples) == 1 else lay_out(samples)]

    def fit_together(self, samples: Sequence[Sample]) -> bool:
        """Whether these videos have no more snippets than `model.joined_snippets`."""
        return sum(len(sample["rgb"]) for sample in samples) <= self.model.joined_snippets

    def _targets(self, name: str, count: int) -> FloatArray:
        """0 everywhere but at labelled snippets: there `point_value` for the class, the rest for the other."""
        value = self.data.point_value
        targets = np.zeros((count, len(CLASSES)), np.float32)
        for point in self.points[name]:
            snippet = point.frame // self.data.snippet_frames
            if snippet >= count:
                where = f"{self.root / 'point_gaussian'}: {name}"
                raise DataError(
                    [Fault(where, f"point {point.frame}", f"a frame before {count * self.data.snippet_frames}")]
                )
            # A later point in the same snippet replaces an earlier one, as in TSL300.
            targets[snippet] = 1 - value
            targets[snippet, CLASSES.index(point.label)] = value
        return targets

    def _class_counts(self, name: str) -> FloatArray:
        """How often each class is labelled: by points, and on the test split, which has none, by segments."""
        labels = [item.label for item in (self.segments if self.split == "test" else self.points)[name]]
        return np.array([labels.count(label) for label in CLASSES], np.float32)


def held_out(names: Sequence[str], kinds: Mapping[str, str], fraction: float, seed: int) -> frozenset[str]:
    """The training videos set aside for `val`: whole videos, drawn by `seed`, the same on every machine.

    kinds: name -> the classes it has. Every kind gives its share, rounded so that the total is right, so that
    val has both classes. More than 0 gives at least one video, and at least one is left to train on.
    """
    if fraction == 0 or len(names) < 2:
        return frozenset()
    total = min(max(1, round(fraction * len(names))), len(names) - 1)
    groups: dict[str, list[str]] = {}
    for name in natural_order(names):
        groups.setdefault(kinds.get(name, ""), []).append(name)
    shares = {kind: total * len(group) / len(names) for kind, group in groups.items()}
    largest_rest = sorted(shares, key=lambda kind: (int(shares[kind]) - shares[kind], kind))
    num_rounded_up = total - sum(int(share) for share in shares.values())
    generator = random.Random(f"held out {seed}")
    chosen: list[str] = []
    for kind in sorted(groups):
        size = int(shares[kind]) + (kind in largest_rest[:num_rounded_up])
        chosen += generator.sample(groups[kind], size)
    return frozenset(chosen)


def draw_annotators(names: Sequence[str], seed: int) -> dict[str, int]:
    """The annotator of each video: TSL300's own draw, for its files in the order 0, 1, 2 and the same seed."""
    generator = random.Random(seed)
    drawn = {}
    for name in natural_order(names):
        # TSL300 adds randint(0, 0), which is 0 but uses up random bits.
        drawn[name] = (generator.randint(0, len(ANNOTATORS) - 1) + generator.randint(0, 0)) % len(ANNOTATORS)
    return drawn


def _choose_points(annotations: Annotations, data: DataConfig, seed: int) -> dict[str, tuple[Point, ...]]:
    names = annotations.names["train"]
    if data.annotator == "all":
        return {name: sum((annotations.points[one].get(name, ()) for one in ANNOTATORS), ()) for name in names}
    chosen: Mapping[str, int] = draw_annotators(names, seed)
    if data.annotator != "random":
        chosen = dict.fromkeys(names, data.annotator)
    return {name: annotations.points[chosen[name]][name] for name in names}


def _classes_present(annotations: Annotations) -> dict[str, str]:
    """name -> the classes that any annotator saw in it, so that the split is the same for all of them."""
    present: dict[str, set[str]] = {}
    for of_annotator in annotations.points.values():
        for name, points in of_annotator.items():
            present.setdefault(name, set()).update(point.label for point in points)
    return {name: "".join(sorted(labels)) for name, labels in present.items()}


def _segments(
    annotations: Annotations, split: Split, names: Sequence[str], root: Path
) -> dict[str, tuple[Segment, ...]]:
    """True segments for evaluation; none for training, which learns from points alone."""
    if split == "train":
        return dict.fromkeys(names, ())
    if split == "test":
        return {name: annotations.truth[name].segments for name in names}
    way_out = "Get the file, or choose on the test videos as TSL300's code does: train.select_on=test"
    path = root / "videosenti_gt.json"
    if annotations.dense is None:
        expected = "the segments of the training videos, to score the split held out from them"
        raise DataError([Fault(str(path), "no such file", expected, way_out)])
    missing = [name for name in names if name not in annotations.dense]
    if missing:
        found = f"no entry for {len(missing)} videos held out from training: {', '.join(missing[:5])}"
        raise DataError([Fault(str(path), found, "one for every training video", way_out)])
    return {name: annotations.dense[name].segments for name in names}
