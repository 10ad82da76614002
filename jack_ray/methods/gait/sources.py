"""Gaits on the disk: BPM-GCN's arrays, or E-Gait's h5 files.

# N gaits  T frames  V joints  K classes
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from jack_ray.contract.errors import DataError, Fault
from jack_ray.methods.gait import arrays, labels
from jack_ray.methods.gait.arrays import Header
from jack_ray.methods.gait.config import DataConfig
from jack_ray.methods.gait.features import NUM_FEATURES, Gait, describe
from jack_ray.methods.gait.skeleton import JOINTS, NUM_JOINTS, reordered

OWN_SPLITS = ("train", "test")
CHANNELS = {"joint": 3, "movement": 8}
LEAST_FRAMES = 3
"""Fewer have no acceleration."""


@dataclass(frozen=True)
class Source:
    """All gaits of a data set, without their numbers, in the order of the files."""

    data: DataConfig
    names: tuple[str, ...]
    targets: NDArray[np.float32]
    """(N, K), classes as in data.labels."""
    own_split: tuple[str, ...]
    """train or test; h5 files have no split: train."""
    files: tuple[Path, ...]
    places: tuple[Any, ...] = field(repr=False, default=())
    """Where each gait lies: (split, row) in arrays."""
    headers: dict[str, Header] = field(repr=False, default_factory=dict)

    def read(self, index: int) -> Gait:
        """One gait. Raises DataError naming file, gait, frame and joint of a number that is not finite."""
        if self.data.layout == "h5":
            return describe(self.joints(index), self.data.frames, self.data.thin_from)
        return self._read_rows(index)

    def _read_rows(self, index: int) -> Gait:
        split, row = self.places[index]
        parts = {}
        for kind in ("joint", "movement", "affective"):
            header = self.headers[f"{split}_{kind}"]
            parts[kind] = np.array(arrays.rows(header)[row], np.float32)
            self._check_finite(f"{header.path}: row {row} ({self.names[index]})", parts[kind], kind)
        return Gait(parts["joint"], parts["movement"], parts["affective"])

    def joints(self, index: int) -> NDArray[np.floating]:
        """The positions of an h5 file's gait, (T, V, 3), all its frames, in BPM-GCN's order. Raises DataError."""
        name, path = self.names[index], self.files[0]
        try:
            with h5py.File(path, "r") as opened:
                values = np.array(opened[name], np.float64)
        except (OSError, KeyError, RuntimeError) as error:
            raise DataError([Fault(f"{path}: {name}", f"unreadable ({error})", "an array (T, 48)")]) from error
        joints = reordered(values.reshape(len(values), NUM_JOINTS, 3), self.data.joint_order)
        self._check_finite(f"{path}: {name}", joints.transpose(2, 0, 1), "joint")
        return joints

    def _check_finite(self, where: str, values: NDArray[np.floating], kind: str) -> None:
        bad = np.argwhere(~np.isfinite(values))
        if not len(bad):
            return
        value = values[tuple(bad[0])]
        found = f"{value} among the affective features"
        if kind != "affective":
            found = f"{value} in frame {bad[0][1]}, {JOINTS[bad[0][2]]} ({len(bad)} of {values.size} numbers)"
        remedy = "Repair or remove this gait; train.on_unreadable=skip goes on without it."
        raise DataError([Fault(where, found, "finite numbers", remedy)])


def open_source(data: DataConfig) -> tuple[Source | None, list[Fault]]:
    """The gaits of a folder, or every fault of its files."""
    return _open_h5(data) if data.layout == "h5" else _open_arrays(data)


def _open_arrays(data: DataConfig) -> tuple[Source | None, list[Fault]]:
    root = Path(data.root)
    headers: dict[str, Header] = {}
    found: dict[str, labels.Labels] = {}
    files: list[Path] = []
    faults: list[Fault] = []
    for split in OWN_SPLITS:
        seen, wrong = _look(root, split, data)
        headers |= seen
        path = labels.find(root, split)
        if isinstance(path, Fault):
            faults += [*wrong, path]
            continue
        read, of_labels = labels.read(path, split, data.labels)
        faults += [*wrong, *of_labels, *_count_faults(seen, path, read)]
        files += [*(header.path for header in seen.values()), path]
        if read is not None:
            found[split] = read
    faults += _in_both(root, found)
    if faults:
        return None, faults
    places = [(split, row) for split in OWN_SPLITS for row in range(len(found[split].names))]
    names = tuple(found[split].names[row] for split, row in places)
    targets = np.concatenate([found[split].targets for split in OWN_SPLITS])
    own = tuple(split for split, _ in places)
    return Source(data, names, targets, own, tuple(files), tuple(places), headers), []


def _look(root: Path, split: str, data: DataConfig) -> tuple[dict[str, Header], list[Fault]]:
    shapes: dict[str, tuple[int | None, ...]] = {
        kind: (None, channels, None, NUM_JOINTS) for kind, channels in CHANNELS.items()
    }
    shapes["affective"] = (None, NUM_FEATURES * data.frames)
    headers: dict[str, Header] = {}
    faults = []
    for kind, shape in shapes.items():
        header = arrays.look(root / f"{split}_{kind}.npy", shape)
        if isinstance(header, Fault):
            faults.append(header)
        else:
            headers[f"{split}_{kind}"] = header
    return headers, faults


def _count_faults(headers: dict[str, Header], path: Path, read: labels.Labels | None) -> list[Fault]:
    if read is None:
        return []
    expected = f"{len(read.names)} gaits, as in {path.name}"
    return [
        Fault(str(header.path), f"{header.shape[0]} gaits", expected)
        for header in headers.values()
        if header.shape[0] != len(read.names)
    ]


def _in_both(root: Path, found: dict[str, labels.Labels]) -> list[Fault]:
    if len(found) < len(OWN_SPLITS):
        return []
    shared = sorted(set(found["train"].names) & set(found["test"].names))
    if not shared:
        return []
    names = ", ".join(shared[: labels.MAX_SHOWN])
    return [Fault(str(root), f"{len(shared)} gaits in both splits: {names}", "each gait in one split")]


def _open_h5(data: DataConfig) -> tuple[Source | None, list[Fault]]:
    features, numbers = (Path(data.root) / name for name in (data.features_file, data.labels_file))
    faults: list[Fault] = []
    shapes, wrong = _read_h5(features, lambda item: (item.shape, item.dtype.kind))
    faults += wrong
    values, wrong = _read_h5(numbers, lambda item: item[()])
    faults += wrong
    if faults:
        return None, faults
    missing, idle = sorted(shapes.keys() - values.keys()), sorted(values.keys() - shapes.keys())
    if missing:
        faults.append(Fault(str(numbers), f"no label for {_few(missing)}", f"one for each gait of {features.name}"))
    if idle:
        faults.append(Fault(str(features), f"no gait for {_few(idle)}", f"one for each label of {numbers.name}"))
    faults += _shape_faults(features, shapes)
    faults += _label_faults(numbers, values, data)
    if faults:
        return None, faults
    names = tuple(sorted(shapes))
    targets = np.eye(len(data.labels), dtype=np.float32)[[int(values[name]) for name in names]]
    return Source(data, names, targets, ("train",) * len(names), (features, numbers)), []


def _read_h5(path: Path, take: Any) -> tuple[dict[str, Any], list[Fault]]:
    expected = "an h5 file with one array for each gait"
    if not path.is_file():
        return {}, [Fault(str(path), "no such file", expected)]
    try:
        with h5py.File(path, "r") as opened:
            items = {str(name): item for name, item in opened.items() if isinstance(item, h5py.Dataset)}
            found = {name: take(item) for name, item in items.items()}
    except (OSError, RuntimeError, KeyError) as error:
        return {}, [Fault(str(path), f"cut short, damaged or no h5 file ({error})", expected, "Copy the file again.")]
    return found, ([] if found else [Fault(str(path), "no array in it", expected)])


def _shape_faults(path: Path, shapes: dict[str, Any]) -> list[Fault]:
    width = 3 * NUM_JOINTS
    bad = [
        (name, shape, kind)
        for name, (shape, kind) in sorted(shapes.items())
        if kind != "f" or len(shape) != 2 or shape[1] != width or shape[0] < LEAST_FRAMES
    ]
    expected = f"floating-point numbers of shape (T, {width}), T at least {LEAST_FRAMES}"
    return [
        Fault(f"{path}: {name}", f"shape {shape}" + ("" if kind == "f" else f" of type {kind!r}"), expected)
        for name, shape, kind in bad[: labels.MAX_SHOWN]
    ]


def _label_faults(path: Path, values: dict[str, Any], data: DataConfig) -> list[Fault]:
    listed = ", ".join(f"{number} {name}" for number, name in enumerate(data.labels))
    bad = [
        (name, value)
        for name, value in sorted(values.items())
        if np.shape(value) != () or np.asarray(value).dtype.kind not in "iu" or not 0 <= int(value) < len(data.labels)
    ]
    return [
        Fault(f"{path}: {name}", f"label {value!s}", f"one of {listed} (data.labels)")
        for name, value in bad[: labels.MAX_SHOWN]
    ]


def _few(names: list[str]) -> str:
    more = f" and {len(names) - labels.MAX_SHOWN} more" if len(names) > labels.MAX_SHOWN else ""
    return ", ".join(names[: labels.MAX_SHOWN]) + more
