"""BPM-GCN for people's own gaits: motion capture (.bvh) or arrays of 16 joints (.npy).

# B gaits  T frames  V joints  K classes
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jack_ray.contract.errors import DataError, Fault
from jack_ray.methods.gait.config import Config, DataConfig
from jack_ray.methods.gait.features import describe
from jack_ray.methods.gait.metric import probabilities
from jack_ray.methods.gait.read_gaits import SUFFIXES, How, read_joints
from jack_ray.methods.gait.shown import Shown
from jack_ray.methods.gait.skeleton import JOINTS
from jack_ray.methods.gait.sources import LEAST_FRAMES
from jack_ray.methods.roles import Batch, Network, Sample


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

    def read(self, path: Path) -> Sample:
        """A gait, treated as data.own_* say. Raises DataError naming the file."""
        data = self.data
        joints = read_joints(path, self.how)[:: data.own_every] * data.own_scale
        if len(joints) < LEAST_FRAMES:
            raise DataError([Fault(str(path), f"{len(joints)} frames are left", f"at least {LEAST_FRAMES} frames")])
        if data.own_centre:
            joints = joints - joints[:, :1]
        gait = describe(joints, data.frames, data.thin_from)
        return {"name": path.stem, "posture": gait.posture, "movement": gait.movement}

    def collate(self, samples: Sequence[Sample]) -> list[Batch]:
        """All of them at once."""
        arrays = {key: np.stack([sample[key] for sample in samples]) for key in ("posture", "movement")}
        return [arrays | {"names": [sample["name"] for sample in samples]}]

    def answers(self, outputs: Mapping[str, Any], batch: Batch) -> list[dict[str, Any]]:
        """The classes by their probabilities, and what each joint adds to the score of the likeliest (`joints`)."""
        shares = probabilities(np.asarray(outputs["logits"], np.float64), self.model.multi_label)
        return [
            {
                "name": name,
                "label": self.labels[int(row.argmax())],
                "probabilities": dict(zip(self.labels, row.tolist(), strict=True)),
                "joints": dict(zip(JOINTS, added[:, int(row.argmax())].round(4).tolist(), strict=True)),
            }
            for name, row, added in zip(batch["names"], shares, np.asarray(outputs["joints"], np.float64), strict=True)
        ]

    def draw(self, answer: Mapping[str, Any], sample: Sample, path: Path) -> None:
        """The walking skeleton, its joints coloured by what they add to the likeliest class."""
        from jack_ray.methods.gait.picture import draw

        added = [[answer["joints"][joint]] * len(self.labels) for joint in JOINTS]
        shares = [answer["probabilities"][label] for label in self.labels]
        draw(path, sample["name"], Shown(shares, [], added, sample["posture"].tolist()), self.labels)
