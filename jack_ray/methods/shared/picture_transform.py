"""From a picture of any size to a small square: crops, and changes that training draws once for a whole video.

Pillow's own resizing is the reference: the published code transforms Pillow pictures (VAANet transforms/spatial.py).

# H W height and width of the result
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageOps

Bytes = NDArray[np.uint8]
Transform = Callable[[Image.Image], Bytes]
"""A picture -> (3, H, W), RGB."""

Corner = Literal["centre", "top left", "top right", "bottom left", "bottom right"]
CORNERS: tuple[Corner, ...] = ("centre", "top left", "top right", "bottom left", "bottom right")
CHANGES: tuple[Literal["flip", "rotate", "darken"], ...] = ("flip", "rotate", "darken")
CHANGE_PROBABILITY = 0.3
MAX_DEGREES = 20.0
MIN_BRIGHTNESS = 0.5


@dataclass(frozen=True)
class TrainingTransform:
    """The square at one of five places, resized; sometimes flipped, rotated or darkened."""

    size: int
    corner: Corner
    change: Literal["none", "flip", "rotate", "darken"] = "none"
    degrees: float = 0.0
    brightness: float = 1.0

    def __call__(self, picture: Image.Image) -> Bytes:
        """(3, H, W)"""
        # cut out first: resize(box=..) would mix in what lies around the square
        square = picture.crop(self._box(*picture.size)).resize((self.size, self.size), Image.Resampling.BILINEAR)
        if self.change == "flip":
            square = ImageOps.mirror(square)
        elif self.change == "rotate":
            square = square.rotate(self.degrees, Image.Resampling.BILINEAR)
        elif self.change == "darken":
            square = ImageEnhance.Brightness(square).enhance(self.brightness)
        return _channels_first(square)

    def _box(self, width: int, height: int) -> tuple[int, int, int, int]:
        side = min(width, height)
        right, bottom = width - side, height - side
        left, top = {
            "centre": (round(right / 2), round(bottom / 2)),
            "top left": (0, 0),
            "top right": (right, 0),
            "bottom left": (0, bottom),
            "bottom right": (right, bottom),
        }[self.corner]
        return left, top, left + side, top + side


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

    def __call__(self, picture: Image.Image) -> Bytes:
        """(3, H, W)"""
        width, height = picture.size
        if width < height:
            resized = (self.size, max(self.size, int(self.size * height / width)))
        else:
            resized = (max(self.size, int(self.size * width / height)), self.size)
        whole = picture.resize(resized, Image.Resampling.BILINEAR)
        left, top = round((resized[0] - self.size) / 2), round((resized[1] - self.size) / 2)
        return _channels_first(whole.crop((left, top, left + self.size, top + self.size)))


def _channels_first(picture: Image.Image) -> Bytes:
    return np.ascontiguousarray(np.asarray(picture.convert("RGB"), np.uint8).transpose(2, 0, 1))
