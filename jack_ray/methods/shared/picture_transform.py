"""From a picture of any size to a small square: crops, and changes that training draws once for a whole video.

Pillow's own resizing is the reference: the published code transforms Pillow pictures (VAANet transforms/spatial.py).
`picture_scaling` gives the same values.

# H W height and width of the result
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from PIL import Image, ImageEnhance

from jack_ray.methods.shared.picture_scaling import Axis, Bytes, axis, scaled

Box = tuple[int, int, int, int]
"""Of pixels: left, top, right, bottom, the last two not in it."""

Corner = Literal["centre", "top left", "top right", "bottom left", "bottom right"]
CORNERS: tuple[Corner, ...] = ("centre", "top left", "top right", "bottom left", "bottom right")
CHANGES: tuple[Literal["flip", "rotate", "darken"], ...] = ("flip", "rotate", "darken")
CHANGE_PROBABILITY = 0.3
MAX_DEGREES = 20.0
MIN_BRIGHTNESS = 0.5


class Transform(Protocol):
    """What makes a small square of a picture."""

    def part(self, width: int, height: int) -> Box:
        """Which pixels of a picture of that size are looked at."""
        ...

    def __call__(self, picture: Image.Image) -> Bytes:
        """(3, H, W), RGB."""
        ...


@dataclass(frozen=True)
class TrainingTransform:
    """The square at one of five places, resized; sometimes flipped, rotated or darkened."""

    size: int
    corner: Corner
    change: Literal["none", "flip", "rotate", "darken"] = "none"
    degrees: float = 0.0
    brightness: float = 1.0

    def part(self, width: int, height: int) -> Box:
        """The square."""
        return _box(*self._axes(width, height))

    def __call__(self, picture: Image.Image) -> Bytes:
        """(3, H, W)"""
        square = scaled(_pixels(picture), *self._axes(*picture.size))
        match self.change:
            case "rotate":
                return _changed(square, lambda one: one.rotate(self.degrees, Image.Resampling.BILINEAR))
            case "darken":
                return _changed(square, lambda one: ImageEnhance.Brightness(one).enhance(self.brightness))
        return square

    def _axes(self, width: int, height: int) -> tuple[Axis, Axis]:
        """Of the square, which is cut out before it is resized: what lies around it is not mixed in."""
        side = min(width, height)
        right, bottom = width - side, height - side
        left, top = {
            "centre": (round(right / 2), round(bottom / 2)),
            "top left": (0, 0),
            "top right": (right, 0),
            "bottom left": (0, bottom),
            "bottom right": (right, bottom),
        }[self.corner]
        whole = axis(side, self.size, 0, self.size)
        across = whole.mirrored() if self.change == "flip" else whole
        return across.moved(left), whole.moved(top)


def draw_transform(size: int, generator: np.random.Generator) -> TrainingTransform:
    """A training transform; the same for all pictures of a video. The order of the draws is fixed."""
    corner = CORNERS[generator.integers(len(CORNERS))]
    is_changed = generator.random() < CHANGE_PROBABILITY
    change = CHANGES[generator.integers(len(CHANGES))]
    degrees = float(generator.uniform(-MAX_DEGREES, MAX_DEGREES))
    brightness = float(generator.uniform(MIN_BRIGHTNESS, 1.0))
    return TrainingTransform(size, corner, change if is_changed else "none", degrees, brightness)


@dataclass(frozen=True)
class EvaluationTransform:
    """The short side resized, then the middle."""

    size: int

    def part(self, width: int, height: int) -> Box:
        """Its middle."""
        return _box(*self._axes(width, height))

    def __call__(self, picture: Image.Image) -> Bytes:
        """(3, H, W)"""
        width, height = picture.size
        if height > 2 * width:  # Pillow adds up such pictures' columns first, which rounds otherwise
            return self._by_pillow(picture)
        return scaled(_pixels(picture), *self._axes(width, height))

    def _by_pillow(self, picture: Image.Image) -> Bytes:
        width, height = picture.size
        tall = max(self.size, int(self.size * height / width))
        whole = picture.convert("RGB").resize((self.size, tall), Image.Resampling.BILINEAR)
        top = round((tall - self.size) / 2)
        return np.asarray(whole.crop((0, top, self.size, top + self.size))).transpose(2, 0, 1)

    def _axes(self, width: int, height: int) -> tuple[Axis, Axis]:
        if width < height:
            resized = (self.size, max(self.size, int(self.size * height / width)))
        else:
            resized = (max(self.size, int(self.size * width / height)), self.size)
        left, top = round((resized[0] - self.size) / 2), round((resized[1] - self.size) / 2)
        return axis(width, resized[0], left, self.size), axis(height, resized[1], top, self.size)


def _box(across: Axis, down: Axis) -> Box:
    return across.start, down.start, across.stop, down.stop


def _pixels(picture: Image.Image) -> Bytes:
    """(height, width, 3)"""
    return np.asarray(picture if picture.mode == "RGB" else picture.convert("RGB"))


def _changed(square: Bytes, change: Callable[[Image.Image], Image.Image]) -> Bytes:
    """(3, H, W) from the same, by way of Pillow."""
    picture = Image.fromarray(np.ascontiguousarray(square.transpose(1, 2, 0)))
    return np.ascontiguousarray(np.asarray(change(picture)).transpose(2, 0, 1))
