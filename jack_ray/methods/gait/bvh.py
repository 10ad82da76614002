"""Motion capture in BVH files: the skeleton, its motion, and the positions of the 16 joints in every frame.

# T frames  V joints
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from jack_ray.contract.errors import DataError, Fault
from jack_ray.contract.settings import nearest
from jack_ray.methods.gait.skeleton import JOINTS

Array = NDArray[np.float64]

ROTATIONS = ("Xrotation", "Yrotation", "Zrotation")
POSITIONS = ("Xposition", "Yposition", "Zposition")
EXPECTED = "a BVH file: HIERARCHY with joints, MOTION with one line of numbers for each frame"

KNOWN_AS: dict[str, tuple[str, ...]] = {
    "root": ("hips", "pelvis", "hip", "root"),
    "spine": ("spine", "abdomen", "torso", "spine1"),
    "neck": ("neck", "neck1", "upperneck"),
    "head": ("head",),
    **{
        name: tuple(form.format(side) for side in sides for form in forms)
        for half, sides in (("right", ("right", "r")), ("left", ("left", "l")))
        for name, forms in {
            f"{half}_shoulder": ("{0}arm", "{0}upperarm", "upperarm{0}", "{0}uparm", "{0}shoulder", "shoulder{0}"),
            f"{half}_elbow": ("{0}forearm", "{0}lowerarm", "lowerarm{0}", "{0}lowarm", "{0}elbow", "elbow{0}"),
            f"{half}_hand": ("{0}hand", "hand{0}", "{0}wrist", "wrist{0}"),
            f"{half}_hip": ("{0}upleg", "{0}upperleg", "upperleg{0}", "{0}thigh", "thigh{0}", "{0}hip", "hip{0}"),
            f"{half}_knee": (
                "{0}leg",
                "{0}lowerleg",
                "lowerleg{0}",
                "{0}lowleg",
                "{0}shin",
                "shin{0}",
                "{0}knee",
                "knee{0}",
            ),
            f"{half}_foot": ("{0}foot", "foot{0}", "{0}ankle", "ankle{0}"),
        }.items()
    },
}
"""What a joint is called in skeletons of CMU, Bandai-Namco, Mixamo and others, likeliest first; lower case, letters and
digits only. Where a skeleton has both a collar bone and an upper arm, the arm begins at the shoulder."""


@dataclass
class Bone:
    """A joint of the file's skeleton."""

    name: str
    parent: int | None
    offset: Array
    channels: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Motion:
    """What a BVH file holds."""

    path: Path
    bones: tuple[Bone, ...]
    frame_s: float
    values: Array
    """(T, channels of all bones in order)"""

    def positions(self) -> Array:
        """Where every bone of the file's skeleton is, (T, bones, 3)."""
        number = len(self.values)
        places, turns = [], []
        column = 0
        for bone in self.bones:
            channels = dict(zip(bone.channels, self.values[:, column : column + len(bone.channels)].T, strict=True))
            column += len(bone.channels)
            local = np.tile(bone.offset, (number, 1))
            for axis, name in enumerate(POSITIONS):
                if name in channels:
                    # A position channel says where the joint is, as exporters write it, not how far from its offset.
                    local[:, axis] = channels[name]
            turn = np.tile(np.eye(3), (number, 1, 1))
            for name in bone.channels:
                if name in ROTATIONS:
                    turn = turn @ _rotation(ROTATIONS.index(name), np.radians(channels[name]))
            if bone.parent is None:
                places.append(local)
                turns.append(turn)
            else:
                outer = turns[bone.parent]
                places.append(places[bone.parent] + np.einsum("tij,tj->ti", outer, local))
                turns.append(outer @ turn)
        return np.stack(places, axis=1)


def _rotation(axis: int, angle: Array) -> Array:
    """(T, 3, 3), counterclockwise around an axis."""
    turn = np.tile(np.eye(3), (len(angle), 1, 1))
    first, second = (axis + 1) % 3, (axis + 2) % 3
    turn[:, first, first] = turn[:, second, second] = np.cos(angle)
    turn[:, second, first] = np.sin(angle)
    turn[:, first, second] = -np.sin(angle)
    return turn


def read(path: Path) -> Motion:
    """A BVH file. Raises DataError naming the file and the line."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise DataError([Fault(str(path), f"unreadable ({error.strerror})", EXPECTED)]) from error
    bones, motion = _read_hierarchy(path, lines)
    return _read_motion(path, lines, motion, bones)


def _read_hierarchy(path: Path, lines: Sequence[str]) -> tuple[list[Bone], int]:
    """The bones, and the line of MOTION, counted from 0."""
    if not lines or lines[0].strip() != "HIERARCHY":
        found = f"{lines[0][:40]!r}" if lines else "an empty file"
        raise DataError([Fault(f"{path}: line 1", found, EXPECTED)])
    skeleton = _Skeleton()
    for number, line in enumerate(lines[1:], start=2):
        if line.split()[:1] == ["MOTION"]:
            if skeleton.open or not skeleton.bones:
                raise DataError([Fault(f"{path}: line {number}", "MOTION before the skeleton's end", EXPECTED)])
            return skeleton.bones, number - 1
        skeleton.take(f"{path}: line {number}", line.split())
    raise DataError([Fault(str(path), "no MOTION: the file is cut short", EXPECTED)])


class _Skeleton:
    """The bones of a hierarchy, line by line."""

    def __init__(self) -> None:
        self.bones: list[Bone] = []
        self.open: list[int | None] = []
        """The bones whose braces are open; None for an end, which is no joint."""
        self._named: int | None = None

    def take(self, where: str, words: Sequence[str]) -> None:
        """Read a line. Raises DataError naming the place."""
        match words[:1]:
            case ["ROOT" | "JOINT"]:
                parent = next((one for one in reversed(self.open) if one is not None), None)
                self.bones.append(Bone(" ".join(words[1:]), parent, np.zeros(3)))
                self._named = len(self.bones) - 1
            case ["End"]:
                self._named = None
            case ["{"]:
                self.open.append(self._named)
            case ["}"]:
                if not self.open:
                    raise DataError([Fault(where, "a } without its {", EXPECTED)])
                self.open.pop()
            case ["OFFSET" | "CHANNELS"]:
                bone = self.open[-1] if self.open else None
                if bone is not None:
                    _read_property(where, words, self.bones[bone])


def _read_property(where: str, words: Sequence[str], bone: Bone) -> None:
    if words[0] == "OFFSET":
        numbers = _numbers(where, words[1:], 3)
        bone.offset = numbers
        return
    names = list(words[2:])
    if words[1:2] != [str(len(names))] or not set(names) <= {*ROTATIONS, *POSITIONS} or len(set(names)) != len(names):
        raise DataError(
            [Fault(where, f"channels {' '.join(words[1:])}", "their number and X, Y, Z position or rotation")]
        )
    bone.channels = names


def _numbers(where: str, words: Sequence[str], count: int) -> Array:
    try:
        values = np.array([float(word) for word in words])
    except ValueError as error:
        raise DataError([Fault(where, f"{' '.join(words)[:60]!r}", f"{count} numbers")]) from error
    if len(values) != count or not np.isfinite(values).all():
        found = f"{len(values)} numbers" if len(values) != count else "a number that is not finite"
        raise DataError([Fault(where, found, f"{count} finite numbers")])
    return values


def _read_motion(path: Path, lines: Sequence[str], motion: int, bones: Sequence[Bone]) -> Motion:
    head = " ".join(lines[motion + 1 : motion + 3])
    found = re.search(r"Frames:\s*(\d{1,9})\s+Frame Time:\s*(\d*\.?\d+(?:[eE][+-]?\d+)?)(?:\s|$)", head)
    if found is None:
        raise DataError([Fault(f"{path}: line {motion + 2}", repr(head[:60]), "Frames: N and Frame Time: S")])
    number, frame_s = int(found[1]), float(found[2])
    rows = [(place, line.split()) for place, line in enumerate(lines[motion + 3 :], start=motion + 4) if line.strip()]
    if not rows and not number:
        raise DataError([Fault(str(path), "no frames", "at least one line of motion")])
    if len(rows) != number:
        fault = Fault(str(path), f"{len(rows)} lines of motion", f"{number}, as its line Frames says", "Copy it again.")
        raise DataError([fault])
    count = sum(len(bone.channels) for bone in bones)
    values = np.stack([_numbers(f"{path}: line {place}", words, count) for place, words in rows])
    return Motion(path, tuple(bones), frame_s, values)


def joints(motion: Motion, named: Mapping[str, str]) -> Array:
    """The 16 joints in BPM-GCN's order, (T, V, 3), in the file's units.

    named: joint -> its name in the file, for those that are not found by their usual names. Raises DataError naming
    all joints that are missing.
    """
    columns = {bone.name: index for index, bone in enumerate(motion.bones)}
    plain = {_plain(name): index for name, index in reversed(columns.items())}
    chosen: list[int] = []
    faults: list[Fault] = []
    missing: list[str] = []
    for joint in JOINTS:
        name = named.get(joint)
        if name is not None and name not in columns:
            faults.append(
                Fault(f"{motion.path}: {joint}", f"no joint {name}", "a joint of it", nearest(name, list(columns)))
            )
            continue
        place = columns[name] if name is not None else next((plain[n] for n in KNOWN_AS[joint] if n in plain), None)
        if place is None:
            missing.append(joint)
        else:
            chosen.append(place)
    if missing:
        remedy = f"Type --joint {missing[0]}=NAME, and so for each of them. It has: {', '.join(columns)}."
        found = f"no joint with a usual name for {', '.join(missing)}"
        faults.append(Fault(str(motion.path), found, f"the {len(JOINTS)} joints", remedy))
    if faults:
        raise DataError(faults)
    return motion.positions()[:, chosen]


def _plain(name: str) -> str:
    # Mixamo and others write mixamorig:Hips.
    return re.sub(r"[^a-z0-9]", "", name.rpartition(":")[2].lower())
