"""BPM-GCN for people's own gaits: motion capture (.bvh) or arrays of 16 joints (.npy).

# B gaits  T frames  V joints  K classes
"""

from collections.abc import Iterator, Mapping, Sequence
from math import ceil, floor, inf, log10
from pathlib import Path
from typing import Any

import numpy as np

from jack_ray.contract.errors import DataError, Fault
from jack_ray.methods.gait.config import Config, DataConfig
from jack_ray.methods.gait.features import describe
from jack_ray.methods.gait.metric import probabilities
from jack_ray.methods.gait.read_gaits import SUFFIXES, Array, How, Recorded, read_recorded
from jack_ray.methods.gait.shown import Shown
from jack_ray.methods.gait.skeleton import BONES, INDEX, JOINTS
from jack_ray.methods.gait.sources import LEAST_FRAMES
from jack_ray.methods.roles import Ask, Batch, Network, Sample
from jack_ray.methods.shared.windows import Window, refuse_long, timeline, windows_of

ASSUMED_HZ = 30.0
"""Frames a second of a file that does not tell: arrays of joints."""
SHOWN_FRAMES = 600
"""Frames of an answer's skeleton, at most."""
SHOWN_DIGITS = 4
"""Of its coordinates, as many as the farthest has."""


class Predictor:
    """Reads .bvh files, and .npy files of shape (T, 16, 3) with the joints in data.joint_order."""

    finds_segments = False

    def __init__(self, model: Config, data: DataConfig, labels: Sequence[str]) -> None:
        self.model = model
        self.data = data
        self.labels = tuple(labels)
        self.how = How(classes=self.labels, joint_order=data.joint_order)

    def find(self, path: Path) -> list[Path]:
        """The file itself, or all gaits in a folder and those below it. Raises DataError when there is none."""
        expected = "a .bvh file, a .npy file of shape (T, 16, 3), or a folder with some"
        if path.is_file() and path.suffix.lower() in SUFFIXES:
            return [path]
        found = sorted(one for one in path.rglob("*") if one.suffix.lower() in SUFFIXES) if path.is_dir() else []
        if any(one.name in ("train_joint.npy", "test_joint.npy") for one in found):
            remedy = "To score a model on it, type python -m jack_ray.test run=RUN data.root=FOLDER."
            raise DataError([Fault(str(path), "a data set, whose arrays hold many gaits each", expected, remedy)])
        if not found:
            told = "no gaits in it" if path.is_dir() else "no gait" if path.exists() else "no such file or folder"
            raise DataError([Fault(str(path), told, expected)])
        return found

    def networks(self) -> list[Network]:
        """None: skeletons are read as they are."""
        return []

    def read(self, path: Path, max_s: float = inf) -> Sample:
        """A gait, treated as data.own_* say. Raises DataError naming the file."""
        gait = self._recorded(path)
        refuse_long(path, len(gait.joints) / (gait.rate_hz or ASSUMED_HZ), max_s)
        return self._sample(path.stem, gait.joints) | {"rate_hz": gait.rate_hz, "frames": len(gait.joints)}

    def _recorded(self, path: Path) -> Recorded:
        data = self.data
        found = read_recorded(path, self.how)
        joints = found.joints[:: data.own_every] * data.own_scale
        if len(joints) < LEAST_FRAMES:
            raise DataError([Fault(str(path), f"{len(joints)} frames are left", f"at least {LEAST_FRAMES} frames")])
        if data.own_centre:
            joints = joints - joints[:, :1]
        return Recorded(joints, found.rate_hz / data.own_every if found.rate_hz else None)

    def _sample(self, name: str, joints: Array) -> Sample:
        gait = describe(joints, self.data.frames, self.data.thin_from)
        return {"name": name, "posture": gait.posture, "movement": gait.movement}

    def over_time(self, path: Path, answer: Mapping[str, Any], ask: Ask, window_s: float) -> dict[str, Any]:
        """`timeline`: the classes in windows, each a gait of its own; `skeleton`: what is seen of it, thinned evenly.

        A file that tells no rate counts as 30 frames a second. Raises DataError.
        """
        gait = self._recorded(path)
        rate = gait.rate_hz or ASSUMED_HZ
        if window_s * rate < 2 * LEAST_FRAMES:
            found = f"{window_s:g} s, less than {2 * LEAST_FRAMES} frames of {path.name}"
            raise DataError([Fault("window_s", found, f"at least {2 * LEAST_FRAMES / rate:.2g}")])
        windows = windows_of(len(gait.joints) / rate, window_s)
        parts = (self._sample(path.stem, part) for part in _cut(gait.joints, rate, windows))
        return {"timeline": timeline(windows, answer, parts, ask), "skeleton": shown(gait)}

    def collate(self, samples: Sequence[Sample]) -> list[Batch]:
        """All of them at once."""
        arrays = {key: np.stack([sample[key] for sample in samples]) for key in ("posture", "movement")}
        durations = [sample["frames"] / sample["rate_hz"] if sample.get("rate_hz") else None for sample in samples]
        return [arrays | {"names": [sample["name"] for sample in samples], "durations": durations}]

    def answers(self, outputs: Mapping[str, Any], batch: Batch) -> list[dict[str, Any]]:
        """The classes by their probabilities, and what each joint adds to the score of the likeliest (`joints`)."""
        shares = probabilities(np.asarray(outputs["logits"], np.float64), self.model.multi_label)
        added = np.asarray(outputs["joints"], np.float64)
        return [
            {
                "name": name,
                "label": self.labels[int(row.argmax())],
                "probabilities": dict(zip(self.labels, row.tolist(), strict=True)),
                **({} if duration_s is None else {"duration_s": duration_s}),
                "joints": dict(zip(JOINTS, by_class[:, int(row.argmax())].round(4).tolist(), strict=True)),
            }
            for name, duration_s, row, by_class in zip(batch["names"], batch["durations"], shares, added, strict=True)
        ]

    def draw(self, answer: Mapping[str, Any], sample: Sample, path: Path) -> None:
        """The walking skeleton, its joints coloured by what they add to the likeliest class."""
        from jack_ray.methods.gait.picture import draw

        added = [[answer["joints"][joint]] * len(self.labels) for joint in JOINTS]
        shares = [answer["probabilities"][label] for label in self.labels]
        draw(path, sample["name"], Shown(shares, [], added, sample["posture"].tolist()), self.labels)


def _cut(joints: Array, rate_hz: float, windows: Sequence[Window]) -> Iterator[Array]:
    for start_s, end_s in windows:
        yield joints[round(start_s * rate_hz) : round(end_s * rate_hz)]


def shown(gait: Recorded) -> dict[str, Any]:
    """A skeleton that moves: edges between joints, in the order of JOINTS; rate of its frames; frames (T, V, 3)."""
    step = ceil(len(gait.joints) / SHOWN_FRAMES)
    joints = gait.joints[::step]
    digits = SHOWN_DIGITS - 1 - floor(log10(max(float(np.abs(joints).max()), 1e-9)))
    return {
        "edges": [[INDEX[child], INDEX[parent]] for child, parent in BONES],
        "rate": gait.rate_hz / step if gait.rate_hz else None,
        "frames": np.asarray(joints, np.float64).round(digits).tolist(),
    }
