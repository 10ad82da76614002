"""Crops and changes of pictures."""

import numpy as np
import pytest
from PIL import Image

from jack_ray.methods.shared.picture_transform import (
    CORNERS,
    Corner,
    EvaluationTransform,
    TrainingTransform,
    draw_transform,
)


def ramp(width: int, height: int) -> Image.Image:
    """Red rises to the right, green rises downwards."""
    array = np.zeros((height, width, 3), np.uint8)
    array[..., 0] = np.linspace(0, 255, width).astype(np.uint8)
    array[..., 1] = np.linspace(0, 255, height).astype(np.uint8)[:, None]
    return Image.fromarray(array)


@pytest.mark.parametrize("transform", [EvaluationTransform(16), TrainingTransform(16, "centre")])
def test_height_and_width_are_not_swapped(transform: EvaluationTransform | TrainingTransform) -> None:
    small = transform(ramp(64, 48))
    assert small.shape == (3, 16, 16)
    assert (np.diff(small[0].astype(int), axis=1) > 0).all()
    assert (np.diff(small[0].astype(int), axis=0) == 0).all()
    assert (np.diff(small[1].astype(int), axis=0) > 0).all()


@pytest.mark.parametrize(
    ("corner", "box"),
    [
        ("centre", (10, 0, 50, 40)),
        ("top left", (0, 0, 40, 40)),
        ("top right", (20, 0, 60, 40)),
        ("bottom left", (0, 0, 40, 40)),
        ("bottom right", (20, 0, 60, 40)),
    ],
)
def test_a_square_of_the_short_side_is_cut_out_and_resized(corner: Corner, box: tuple[int, int, int, int]) -> None:
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 256, (40, 60, 3), np.uint8))
    expected = np.asarray(noise.crop(box).resize((16, 16), Image.Resampling.BILINEAR)).transpose(2, 0, 1)
    assert (TrainingTransform(16, corner)(noise) == expected).all()


def test_corners_of_a_tall_picture_differ_from_top_to_bottom() -> None:
    tall = ramp(40, 60)
    top, bottom = (TrainingTransform(16, corner)(tall)[1].mean() for corner in ("top left", "bottom left"))
    assert top < bottom


def test_a_flip_turns_left_to_right_and_darkening_scales() -> None:
    picture = ramp(48, 48)
    plain = TrainingTransform(16, "centre")(picture)
    assert (TrainingTransform(16, "centre", "flip")(picture) == plain[:, :, ::-1]).all()
    dark = TrainingTransform(16, "centre", "darken", brightness=0.5)(picture)
    assert np.abs(dark.astype(float) - plain / 2).max() <= 1


def test_a_rotation_keeps_the_canvas_and_leaves_black_corners() -> None:
    white = Image.new("RGB", (48, 48), "white")
    turned = TrainingTransform(16, "centre", "rotate", degrees=20.0)(white)
    assert turned.shape == (3, 16, 16)
    assert turned[:, 8, 8].tolist() == [255, 255, 255]
    assert turned[:, 0, 0].tolist() == [0, 0, 0]


def test_changes_are_drawn_as_often_as_published() -> None:
    generator = np.random.default_rng(1)
    drawn = [draw_transform(16, generator) for _ in range(3000)]
    for corner in CORNERS:
        assert sum(one.corner == corner for one in drawn) / 3000 == pytest.approx(0.2, abs=0.03)
    for change in ("flip", "rotate", "darken"):
        assert sum(one.change == change for one in drawn) / 3000 == pytest.approx(0.1, abs=0.02)
    assert max(abs(one.degrees) for one in drawn) <= 20
    assert min(one.brightness for one in drawn) >= 0.5
    assert max(one.brightness for one in drawn) <= 1


@pytest.mark.parametrize(("width", "height"), [(320, 240), (240, 320), (17, 16), (100, 100), (16, 400)])
def test_evaluation_takes_the_middle_of_the_picture_with_its_short_side_resized(width: int, height: int) -> None:
    picture = Image.fromarray(np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8))
    short = min(width, height)
    size = (int(16 * width / short), int(16 * height / short))
    whole = np.asarray(picture.resize(size, Image.Resampling.BILINEAR))
    top, left = round((size[1] - 16) / 2), round((size[0] - 16) / 2)
    expected = whole[top : top + 16, left : left + 16].transpose(2, 0, 1)
    assert (EvaluationTransform(16)(picture) == expected).all()


def test_a_grey_picture_has_three_channels() -> None:
    assert EvaluationTransform(16)(Image.new("L", (32, 32), 7)).tolist() == np.full((3, 16, 16), 7).tolist()
