"""The 16 joints of a gait, the bones between them, and the orders in which files hold them.

# T frames  V joints
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

JointOrder = Literal["right_first", "left_first"]

JOINTS = (
    "root", "spine", "neck", "head",
    "right_shoulder", "right_elbow", "right_hand", "left_shoulder", "left_elbow", "left_hand",
    "right_hip", "right_knee", "right_foot", "left_hip", "left_knee", "left_foot",
)  # fmt: skip
"""BPM-GCN's order (BPM-GCN repository, graph/EGait.py): right before left."""

LEFT_FIRST = (
    "root", "spine", "neck", "head",
    "left_shoulder", "left_elbow", "left_hand", "right_shoulder", "right_elbow", "right_hand",
    "left_hip", "left_knee", "left_foot", "right_hip", "right_knee", "right_foot",
)  # fmt: skip
"""The order of E-Gait's features.h5 (STEP repository)."""

BONES = (
    ("left_hand", "left_elbow"), ("left_elbow", "left_shoulder"), ("left_shoulder", "neck"), ("head", "neck"),
    ("right_shoulder", "neck"), ("right_elbow", "right_shoulder"), ("right_hand", "right_elbow"),
    ("neck", "spine"), ("spine", "root"), ("left_hip", "root"), ("right_hip", "root"),
    ("left_foot", "left_knee"), ("left_knee", "left_hip"), ("right_foot", "right_knee"), ("right_knee", "right_hip"),
)  # fmt: skip
"""(child, parent)"""

INDEX = {name: index for index, name in enumerate(JOINTS)}
NUM_JOINTS = len(JOINTS)
NUM_GRAPHS = 3
"""A joint with itself, with its parent, with its children."""

FloatArray = NDArray[np.float32]


def reordered(joints: NDArray[np.floating], order: JointOrder) -> NDArray[np.floating]:
    """Joints (T, V, 3) that a file holds in `order`, in BPM-GCN's order."""
    if order == "right_first":
        return joints
    return joints[:, [LEFT_FIRST.index(name) for name in JOINTS]]


def adjacency() -> FloatArray:
    """The three fixed graphs (3, V, V): self, inward [parent, child] and outward [child, parent].

    The columns of the last two are divided by their sums (BPM-GCN repository, graph/EGait.py).
    """
    inward = np.zeros((NUM_JOINTS, NUM_JOINTS))
    for child, parent in BONES:
        inward[INDEX[parent], INDEX[child]] = 1
    graphs = [np.eye(NUM_JOINTS), _column_normalised(inward), _column_normalised(inward.T)]
    return np.stack(graphs).astype(np.float32)


def _column_normalised(graph: NDArray[np.float64]) -> NDArray[np.float64]:
    return graph / np.maximum(graph.sum(0, keepdims=True), 1)
