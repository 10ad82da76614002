"""Gaits that walk, as GIFs."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jack_ray.methods.gait.animation import FRAME_MS, MAX_FRAMES, draw
from jack_ray.methods.gait.shown import Shown
from jack_ray.methods.gait.skeleton import NUM_JOINTS

GENERATOR = np.random.default_rng(0)


def shown(frames: int, whole: int, classes: int = 4) -> Shown:
    posture = np.zeros((3, whole, NUM_JOINTS))
    posture[:, :frames] = GENERATOR.standard_normal((3, frames, NUM_JOINTS))
    shares = np.full(classes, 1 / classes).tolist()
    return Shown(shares, [1.0] + [0.0] * (classes - 1), np.ones((NUM_JOINTS, classes)).tolist(), posture.tolist())


@pytest.mark.parametrize(("frames", "whole", "pictures", "every"), [(10, 48, 10, 1), (1, 48, 1, 1), (150, 150, 75, 2)])
def test_a_gait_takes_as_long_as_it_has_frames(
    tmp_path: Path, frames: int, whole: int, pictures: int, every: int
) -> None:
    path = tmp_path / "gait.gif"
    draw(path, "a gait", shown(frames, whole), ("Happy", "Sad", "Angry", "Neutral"))
    with Image.open(path) as picture:
        assert picture.format == "GIF"
        assert getattr(picture, "n_frames", 1) == pictures <= MAX_FRAMES
        assert pictures == 1 or picture.info["duration"] == FRAME_MS * every
    assert path.stat().st_size < 1_000_000


def test_both_sides_have_their_colours_in_every_frame(tmp_path: Path) -> None:
    path = tmp_path / "gait.gif"
    draw(path, "a gait", shown(3, 3, 12), tuple(f"a class with a long name {number}" for number in range(12)))
    with Image.open(path) as picture:
        for frame in range(3):
            picture.seek(frame)
            pixels = np.asarray(picture.convert("RGB")).astype(int)[:, :400]
            for color in ((213, 94, 0), (0, 114, 178)):
                assert (np.abs(pixels - color).max(axis=2) < 30).sum() > 50
