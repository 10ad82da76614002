"""Pictures are scaled, cut out and passed through JPEG with the values of the straightforward way by Pillow."""

import io
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps

from jack_ray.methods.shared.frames import PictureFolder, PicturesOfVideo, jpeg_blocks, picture_name
from jack_ray.methods.shared.picture_scaling import Bytes
from jack_ray.methods.shared.picture_transform import (
    CHANGES,
    CORNERS,
    EvaluationTransform,
    TrainingTransform,
    Transform,
)
from jack_ray.methods.shared.video_file import as_jpeg

UNCHANGED: Literal["none"] = "none"
SIZES = [
    (320, 240), (427, 240), (240, 427), (240, 480), (240, 481), (31, 100), (31, 500), (241, 239), (112, 112),
    (113, 112), (97, 31), (16, 16), (1, 1), (3, 2),
]  # fmt: skip


def noise(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """A picture of random values, its first and last ones among them."""
    generator = np.random.default_rng([width, height])
    array = generator.choice(np.array([0, 1, 127, 254, 255], np.uint8), (height, width, 3))
    return Image.fromarray(array).convert(mode)


def first(picture: Image.Image) -> Bytes:
    """(3, H, W)"""
    return np.asarray(picture.convert("RGB")).transpose(2, 0, 1)


def straightforward(picture: Image.Image, transform: TrainingTransform) -> Bytes:
    """By Pillow alone."""
    picture = picture.convert("RGB")
    left, top, right, bottom = transform.part(*picture.size)
    side = min(picture.size)
    assert (right - left, bottom - top) == (side, side)
    square = picture.crop((left, top, right, bottom)).resize((transform.size,) * 2, Image.Resampling.BILINEAR)
    match transform.change:
        case "flip":
            square = ImageOps.mirror(square)
        case "rotate":
            square = square.rotate(transform.degrees, Image.Resampling.BILINEAR)
        case "darken":
            square = ImageEnhance.Brightness(square).enhance(transform.brightness)
    return first(square)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("small", [112, 48, 17])
def test_training_pictures_are_those_of_cropping_and_resizing_by_pillow(size: tuple[int, int], small: int) -> None:
    picture = noise(*size)
    for corner in CORNERS:
        for change in (*CHANGES, UNCHANGED):
            transform = TrainingTransform(small, corner, change, degrees=-13.7, brightness=0.71)
            assert (transform(picture) == straightforward(picture, transform)).all()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("small", [112, 48, 17])
def test_evaluated_pictures_are_those_of_resizing_everything_and_cropping(size: tuple[int, int], small: int) -> None:
    picture = noise(*size)
    width, height = size
    whole = (small, max(small, int(small * height / width))) if width < height else (
        max(small, int(small * width / height)), small
    )  # fmt: skip
    left, top = round((whole[0] - small) / 2), round((whole[1] - small) / 2)
    resized = picture.resize(whole, Image.Resampling.BILINEAR).crop((left, top, left + small, top + small))
    assert (EvaluationTransform(small)(picture) == first(resized)).all()


@pytest.mark.parametrize("mode", ["L", "CMYK", "P", "RGBA", "1"])
def test_pictures_of_other_colours_are_scaled_as_rgb(mode: str) -> None:
    picture = noise(64, 48, mode)
    transform = TrainingTransform(16, "centre")
    assert (transform(picture) == straightforward(picture, transform)).all()


@pytest.mark.parametrize("mode", ["L", "CMYK", "RGB"])
def test_extracted_pictures_of_any_colours_are_read_as_rgb(tmp_path: Path, mode: str) -> None:
    noise(33, 21, mode).save(tmp_path / picture_name(1), "JPEG")
    (tmp_path / "n_frames").write_text("1")
    with Image.open(tmp_path / picture_name(1)) as stored:
        expected = np.asarray(stored.convert("RGB"))
    ((number, picture),) = PictureFolder(tmp_path).read([1])
    assert (number, picture.mode) == (1, "RGB")
    assert (np.asarray(picture) == expected).all()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("quality", [92, 40, 100])
def test_what_is_looked_at_of_a_picture_is_as_if_all_of_it_had_passed_through_jpeg(
    size: tuple[int, int], quality: int
) -> None:
    picture = noise(*size)
    whole = Image.open(io.BytesIO(as_jpeg(picture, quality))).convert("RGB")
    transforms: list[Transform] = [EvaluationTransform(16), *(TrainingTransform(16, corner) for corner in CORNERS)]
    for transform in transforms:
        box = transform.part(*size)
        seen = PicturesOfVideo(Path("a.mp4"), 240, quality)._as_extracted(picture.copy(), box)
        assert (np.asarray(seen.crop(box)) == np.asarray(whole.crop(box))).all()
        assert (transform(seen) == transform(whole)).all()


@pytest.mark.parametrize(
    ("part", "blocks"),
    [
        ((40, 0, 280, 240), (32, 0, 288, 240)),
        ((0, 0, 240, 240), (0, 0, 256, 240)),
        ((80, 0, 320, 240), (64, 0, 320, 240)),  # one pixel of colour to the left lies in the block before
        ((17, 0, 319, 240), (0, 0, 320, 240)),
    ],
)
def test_whole_blocks_around_a_part_pass_through_jpeg(
    part: tuple[int, int, int, int], blocks: tuple[int, int, int, int]
) -> None:
    assert jpeg_blocks(part, (320, 240)) == blocks


def test_a_picture_that_may_not_be_written_to_is_left_as_it_is() -> None:
    picture = noise(64, 48)
    before = picture.tobytes()
    TrainingTransform(16, "centre", "flip")(picture)
    assert picture.tobytes() == before
