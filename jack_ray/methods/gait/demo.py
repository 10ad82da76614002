"""A small data set of walking skeletons, generated: no download, and something to learn in posture and movement."""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from jack_ray.contract.errors import ConfigError, Fault
from jack_ray.contract.settings import as_typed
from jack_ray.methods.gait.features import describe
from jack_ray.methods.gait.folder import Named, read_marker, refuse_foreign, write
from jack_ray.methods.gait.skeleton import INDEX, NUM_JOINTS

# T frames  V joints

MARKER = "demo.json"
LAYOUT = 1
"""Counted up when generated files change, so that older ones are made anew."""
CLASSES = ("Happy", "Sad", "Angry", "Neutral")
FRAMES = 48
FRAMES_PER_SECOND = 10

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Style:
    """How a class walks; lengths in metres, angles in radians."""

    steps_per_s: float
    stride: float
    arm_swing: float
    elbow_bend: float
    slump: float
    """How far neck and head lean forward."""
    bounce: float
    stomp: float
    """Share of the second harmonic in the legs: quick down, slow up."""


STYLES = {
    "Happy": Style(1.9, 0.42, 0.75, 0.5, -0.05, 0.05, 0.0),
    "Sad": Style(1.2, 0.26, 0.22, 0.2, 0.4, 0.01, 0.0),
    "Angry": Style(2.1, 0.46, 0.55, 1.2, 0.2, 0.02, 0.5),
    "Neutral": Style(1.6, 0.36, 0.45, 0.35, 0.05, 0.025, 0.1),
}
CHANCE = 0.12
"""Standard deviation of each person's own way of walking, as a share of a style's values."""


LEAST = ("--train", "24", "--test", "4")
"""Options of the least data that every preset takes a step on."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `python -m jack_ray.data demo gait`."""
    parser.add_argument("root", type=Path, metavar="ROOT", help="folder to write; new, empty, or earlier demo data")
    parser.add_argument("--train", type=int, default=120, help="training gaits (default 120)")
    parser.add_argument("--test", type=int, default=40, help="test gaits (default 40)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same files (default 1)")


def run(options: argparse.Namespace) -> str:
    """Generate what was asked for on the command line, and say what came of it."""
    did = generate(options.root, train=options.train, test=options.test, seed=options.seed)
    root = as_typed("data.root", str(options.root.expanduser().absolute()))
    return (
        f"Demo data for gait: {options.train} train and {options.test} test gaits, {did}: {options.root}\n"
        "Generated skeletons, not Emotion-Gait: good for trying things, not for results.\n"
        f"Next: python -m jack_ray.launch model=gait_smoke {root}"
    )


def generate(root: Path, *, train: int, test: int, seed: int) -> str:
    """Write a data set of generated gaits; the same arguments give the same files.

    Returns what was done: written, or there already. Raises ConfigError for impossible numbers, DataError if `root`
    holds anything but demo data, JackRayError if it cannot be written.
    """
    faults = [
        Fault(name, str(value), f"at least {least}")
        for name, value, least in (("--train", train, len(CLASSES)), ("--test", test, 1), ("--seed", seed, 0))
        if value < least
    ]
    if faults:
        raise ConfigError(faults)
    root = root.expanduser().absolute()
    arguments = {"train": train, "test": test, "seed": seed, "layout": LAYOUT}
    about = {"about": "generated, not Emotion-Gait", "arguments": arguments}
    refuse_foreign(root, MARKER)
    if read_marker(root, MARKER) == about:
        return "are there already, complete"
    splits = {
        split: [_gait(f"{split}_{index:04d}", index % len(CLASSES), (seed, place, index)) for index in range(number)]
        for place, (split, number) in enumerate((("train", train), ("test", test)))
    }
    write(root, splits, CLASSES, MARKER, about)
    return "written"


def _gait(name: str, label: int, seed: tuple[int, int, int]) -> Named:
    joints = walk(STYLES[CLASSES[label]], np.random.default_rng(seed))
    return Named(f"{name}_{CLASSES[label]}", label, describe(joints, FRAMES, thin_from=5 * FRAMES))


def walk(style: Style, generator: np.random.Generator) -> Array:
    """A person who walks on the spot in a style, (T, V, 3), right side at negative x, y up, walking towards z."""
    own = generator.normal(1, CHANCE, 7)
    size = generator.normal(1, 0.06)
    time = np.arange(FRAMES) / FRAMES_PER_SECOND
    phase = np.pi * style.steps_per_s * own[0] * time + generator.uniform(0, 2 * np.pi)
    joints = np.zeros((FRAMES, NUM_JOINTS, 3))
    lean = style.slump + 0.08 * generator.normal()
    for name, height, depth in (("spine", 0.2, 0.3), ("neck", 0.42, 0.7), ("head", 0.58, 1.0)):
        joints[:, INDEX[name], 1] = height * np.cos(lean * depth)
        joints[:, INDEX[name], 2] = height * np.sin(lean * depth)
    for side, sign, way in (("right", -1, 0.0), ("left", 1, np.pi)):
        _leg(joints, side, sign, (style.stride * own[1], style.stomp * own[2]), phase + way)
        _arm(joints, side, sign, (style.arm_swing * own[3], style.elbow_bend * own[4]), phase + way + np.pi)
    joints[:, :, 1] += (style.bounce * own[5] * np.cos(2 * phase))[:, None]
    joints = _turned(joints * size, generator.normal(0, 0.25)) + generator.normal(0, 0.006, joints.shape)
    return joints - joints[:, :1]


def _leg(joints: Array, side: str, sign: int, how: tuple[float, float], phase: Array) -> None:
    stride, stomp = how
    swing = stride * (np.sin(phase) + stomp * 0.5 * np.sin(2 * phase))
    bend = 0.15 + 0.7 * stride * np.maximum(np.cos(phase), 0) * (1 + stomp)
    hip, knee, foot = (INDEX[f"{side}_{part}"] for part in ("hip", "knee", "foot"))
    joints[:, hip, :2] = sign * 0.1, 0.0
    joints[:, knee] = joints[:, hip] + 0.38 * _down(swing + bend / 2)
    joints[:, foot] = joints[:, knee] + 0.4 * _down(swing - bend)


def _arm(joints: Array, side: str, sign: int, how: tuple[float, float], phase: Array) -> None:
    swing, bend = how[0] * np.sin(phase), how[1] * np.ones_like(phase)
    shoulder, elbow, hand = (INDEX[f"{side}_{part}"] for part in ("shoulder", "elbow", "hand"))
    joints[:, shoulder] = joints[:, INDEX["neck"]] + (sign * 0.16, -0.05, 0.0)
    joints[:, elbow] = joints[:, shoulder] + 0.26 * _down(swing)
    joints[:, hand] = joints[:, elbow] + 0.25 * _down(swing + bend)


def _down(angle: Array) -> Array:
    """Unit vectors that hang down, swung forward by an angle, (T, 3)."""
    return np.stack([np.zeros_like(angle), -np.cos(angle), np.sin(angle)], axis=1)


def _turned(joints: Array, angle: float) -> Array:
    cosine, sine = np.cos(angle), np.sin(angle)
    return joints @ np.array([[cosine, 0, -sine], [0, 1, 0], [sine, 0, cosine]])
