"""From joint positions to what BPM-GCN learns from: 48 frames of posture, movement and affective features.

# T frames  V joints  F affective features of a frame
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jack_ray.methods.gait.skeleton import INDEX, NUM_JOINTS

FloatArray = NDArray[np.float32]
Array = NDArray[np.float64]

UP = np.array([0.0, 1.0, 0.0])
"""The y axis, as in E-Gait and most motion capture."""

ANGLES = (
    ("left_shoulder", "neck", "right_shoulder"), ("neck", "right_shoulder", "left_shoulder"),
    ("right_shoulder", "left_shoulder", "neck"), ("neck", "right_shoulder", "right_elbow"),
    ("neck", "left_shoulder", "left_elbow"), ("right_shoulder", "right_elbow", "right_hand"),
    ("left_shoulder", "left_elbow", "left_hand"), ("neck", "spine", "root"), ("head", "neck", "spine"),
    ("root", "right_hip", "right_knee"), ("root", "left_hip", "left_knee"),
    ("right_hip", "right_knee", "right_foot"), ("left_hip", "left_knee", "left_foot"), ("head", "root", "up"),
)  # fmt: skip
"""Three points each, the corner in the middle; `up` is vertically above the root (BPM-GCN paper, table 1)."""

DISTANCES = (
    ("right_hand", "root"), ("left_hand", "root"), ("right_hand", "right_shoulder"), ("left_hand", "left_shoulder"),
    ("right_elbow", "root"), ("left_elbow", "root"), ("right_foot", "root"), ("left_foot", "root"),
    ("right_foot", "left_foot"),
)  # fmt: skip

AREAS = (
    ("left_hand", "neck", "right_hand"), ("left_shoulder", "neck", "right_shoulder"),
    ("left_hand", "root", "right_hand"), ("left_elbow", "neck", "right_elbow"), ("left_foot", "neck", "right_foot"),
    ("left_hip", "neck", "right_hip"), ("left_foot", "root", "right_foot"), ("left_knee", "neck", "right_knee"),
)  # fmt: skip
"""Triangles."""

NUM_FEATURES = len(ANGLES) + len(DISTANCES) + len(AREAS)


@dataclass(frozen=True)
class Gait:
    """What is learnt from one gait, float32."""

    posture: FloatArray
    """(3, T, V): x, y, z."""
    movement: FloatArray
    """(8, T, V): velocity and its norm, acceleration and its norm."""
    affective: FloatArray
    """(F * T,): feature after feature."""


def describe(joints: NDArray[np.floating], frames: int, thin_from: int) -> Gait:
    """The streams and features of a gait: joints (T, V, 3), in BPM-GCN's order, of any length.

    The features of movement are those of the frames that are kept; frames that are filled up are zero in everything.
    """
    kept = fit(np.asarray(joints, np.float64), frames, thin_from)
    posture = kept.transpose(2, 0, 1)
    streams = (posture, movement(kept), affective(kept).T)
    filled = [_filled(stream, frames).astype(np.float32) for stream in streams]
    return Gait(filled[0], filled[1], filled[2].reshape(-1))


def fit(joints: Array, frames: int, thin_from: int) -> Array:
    """At most `frames` of the frames: evenly spaced ones of a long gait (240 give every 5th), else the first."""
    step = len(joints) // frames if len(joints) >= thin_from else 1
    return joints[::step][:frames]


def _filled(stream: Array, frames: int) -> Array:
    """(.., T, ..) with zeros behind, up to `frames` on the second axis."""
    missing = frames - stream.shape[1]
    return np.pad(stream, [(0, 0), (0, missing), *[(0, 0)] * (stream.ndim - 2)])


def movement(joints: Array) -> Array:
    """(8, T, V) from (T, V, 3): frame-to-frame differences, their differences, and the norm of each.

    What has no frame before it is zero: the first velocity, the first two accelerations.
    """
    velocity, acceleration = np.zeros_like(joints), np.zeros_like(joints)
    velocity[1:] = np.diff(joints, axis=0)
    acceleration[2:] = np.diff(velocity[1:], axis=0)
    parts = [
        np.concatenate([one, np.linalg.norm(one, axis=2, keepdims=True)], axis=2) for one in (velocity, acceleration)
    ]
    return np.concatenate(parts, axis=2).transpose(2, 0, 1)


def affective(joints: Array) -> Array:
    """The 31 affective features of each frame, (T, F): angles in radians, then distances, then areas.

    An angle at which a side has no length is 0.
    """
    points = {name: joints[:, index] for name, index in INDEX.items()}
    points["up"] = points["root"] + UP
    angles = [_angle(*(points[name] for name in corner)) for corner in ANGLES]
    distances = [np.linalg.norm(points[first] - points[second], axis=1) for first, second in DISTANCES]
    areas = [_area(*(points[name] for name in corners)) for corners in AREAS]
    return np.stack([*angles, *distances, *areas], axis=1)


def _angle(first: Array, corner: Array, second: Array) -> Array:
    one, other = first - corner, second - corner
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    cosine = (one * other).sum(1) / np.where(lengths > 0, lengths, 1.0)
    return np.where(lengths > 0, np.arccos(np.clip(cosine, -1, 1)), 0.0)


def _area(first: Array, second: Array, third: Array) -> Array:
    return np.linalg.norm(np.cross(first - second, third - second), axis=1) / 2


def height(joints: NDArray[np.floating]) -> float:
    """The mean distance along y between head and the lower foot, for (T, V, 3)."""
    up = np.asarray(joints, np.float64)[:, :, 1].reshape(len(joints), NUM_JOINTS)
    feet = np.minimum(up[:, INDEX["right_foot"]], up[:, INDEX["left_foot"]])
    return float((up[:, INDEX["head"]] - feet).mean())
