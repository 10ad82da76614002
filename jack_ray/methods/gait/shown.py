"""What the picture of a gait needs.

# T frames  V joints  K classes
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Shown:
    """Plain lists, since it travels between ranks."""

    probabilities: list[float]
    targets: list[float]
    """1 for each class that is annotated; empty where nothing is."""
    joints: list[list[float]]
    """(V, K): what each joint adds to each class's score."""
    posture: list[list[list[float]]]
    """(3, T, V)"""
