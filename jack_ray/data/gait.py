"""Gaits of 16 joints, from BVH motion capture, arrays or E-Gait's h5 files, as the arrays that BPM-GCN reads."""

import argparse
from pathlib import Path

from jack_ray.contract.errors import ConfigError, Fault
from jack_ray.contract.settings import nearest
from jack_ray.methods.gait.config import DataConfig
from jack_ray.methods.gait.convert import Output, convert
from jack_ray.methods.gait.read_gaits import Found, How, from_h5, from_npz, listed
from jack_ray.methods.gait.skeleton import JOINTS

CLASSES = ("Happy", "Sad", "Angry", "Neutral")
"""As BPM-GCN's label files count them."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `python -m jack_ray.data gait`."""
    sources = (
        "folder of class folders with .bvh or .npy (T, 16, 3) files; or an .npz of arrays; or E-Gait's features.h5"
    )
    parser.add_argument("source", type=Path, metavar="SOURCE", help=sources)
    parser.add_argument("root", type=Path, metavar="ROOT", help="folder to write; new, empty, or an earlier output")
    parser.add_argument(
        "--labels", type=Path, metavar="FILE", help="folder: table of path,label[,split]. h5: labels.h5"
    )
    parser.add_argument("--classes", nargs="+", default=CLASSES, metavar="NAME", help="the classes, in output order")
    parser.add_argument(
        "--numbers", nargs="+", metavar="NAME",
        help="npz, h5: what class numbers 0, 1, ... mean (h5: Happy Angry Sad Neutral, as in E-Gait; npz: --classes)",
    )  # fmt: skip
    parser.add_argument(
        "--joint-order", choices=("left_first", "right_first"), default="left_first",
        help="arrays and h5: the side that comes first (E-Gait: left_first, the default; BPM-GCN: right_first)",
    )  # fmt: skip
    parser.add_argument(
        "--joint", action="append", default=[], metavar="JOINT=NAME",
        help="bvh: a joint's name in the files, where it is not found by itself; may be repeated",
    )  # fmt: skip
    parser.add_argument("--array", default="x", metavar="NAME", help="npz: the array of joints (default x)")
    parser.add_argument("--label-array", default="label", metavar="NAME", help="npz: the array of class numbers")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="take every Nth frame (default 1)")
    parser.add_argument("--scale", type=float, default=1.0, help="lengths are multiplied by this (0.01: from cm to m)")
    parser.add_argument("--keep-place", action="store_true", help="do not put the root at zero in every frame")
    parser.add_argument("--frames", type=int, default=48, help="frames of a written gait (default 48)")
    parser.add_argument(
        "--thin-from", type=int, default=240, metavar="N",
        help="gaits of at least N frames are thinned evenly, of others the first frames are taken (default 240)",
    )  # fmt: skip
    parser.add_argument("--test-fraction", type=float, default=0.1, help="share of test gaits (default 0.1)")
    parser.add_argument("--seed", type=int, default=0, help="of the drawing of test gaits (default 0)")


def run(options: argparse.Namespace) -> str:
    """Convert what was asked for, and say what came of it."""
    how = How(
        classes=tuple(options.classes),
        joint_order=options.joint_order,
        joints=_named_joints(options.joint),
        every=options.every,
        scale=options.scale,
        centre=not options.keep_place,
    )
    output = Output(options.root, options.frames, options.thin_from, options.test_fraction, options.seed)
    return convert(_found(options, how), how, output)


def _found(options: argparse.Namespace, how: How) -> list[Found]:
    kind = options.source.suffix.lower()
    if kind == ".npz":
        numbers = _known(options.numbers or options.classes, how)
        return from_npz(options.source, (options.array, options.label_array), numbers, how)
    if kind in (".h5", ".hdf5"):
        if options.labels is None:
            raise ConfigError([Fault("--labels", "missing", "the h5 file with the labels", "Type --labels labels.h5.")])
        return from_h5(_h5_data(options, how))
    return listed(options.source, options.labels, how)


def _h5_data(options: argparse.Namespace, how: How) -> DataConfig:
    return DataConfig(
        name="egait",
        root="",
        layout="h5",
        features_file=str(options.source),
        labels_file=str(options.labels),
        labels=_known(options.numbers or ("Happy", "Angry", "Sad", "Neutral"), how),
        joint_order=options.joint_order,
        frames=options.frames,
        thin_from=options.thin_from,
        own_scale=1.0,
        own_every=1,
        own_centre=True,
        folds=2,
        fold=0,
        val_fraction=0.0,
        augment=False,
        angles_deg=(),
        scales=(),
        shifts=(),
        shift_velocities=True,
    )


def _known(numbers: list[str] | tuple[str, ...], how: How) -> tuple[str, ...]:
    unknown = [name for name in numbers if name not in how.classes]
    if unknown:
        expected = f"one of --classes {' '.join(how.classes)}"
        raise ConfigError([Fault("--numbers", unknown[0], expected, nearest(unknown[0], how.classes))])
    return tuple(numbers)


def _named_joints(words: list[str]) -> dict[str, str]:
    named = {}
    for word in words:
        joint, equals, name = word.partition("=")
        if not equals or joint not in JOINTS or not name:
            raise ConfigError([Fault("--joint", repr(word), "JOINT=NAME", nearest(joint, JOINTS))])
        named[joint] = name
    return named
