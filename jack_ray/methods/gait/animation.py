"""One gait as a GIF: the skeleton walks, from the front and from the side, beside the probabilities.

# T frames  V joints  K classes
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from jack_ray.contract.colours import BLACK, BLUE, VERMILION
from jack_ray.contract.files import replacing
from jack_ray.methods.gait.shown import Shown
from jack_ray.methods.gait.skeleton import BONES, INDEX

VIEWS = (("from the front", 0), ("from the side", 2))
"""A name and the axis to the right; y is up."""
RIGHT, LEFT, MIDDLE, PALE = VERMILION, BLUE, "#555555", "#bbbbbb"
FRAME_MS = 80
MAX_FRAMES = 96
"""Of longer gaits only every second frame is shown, or every third, .., for as much longer each."""
MAX_CLASSES = 8
SCALE = 2
"""Drawn so much larger, then made small, which smooths the lines."""
VIEW_WIDTH, HEIGHT, BARS_WIDTH, TOP, BOTTOM = 200, 330, 270, 58, 26
NUM_COLORS = 48

Points = NDArray[np.float64]


def draw(path: Path, name: str, shown: Shown, labels: Sequence[str]) -> None:
    """Write a GIF that repeats for ever."""
    posture = np.array(shown.posture, np.float64)
    frames = np.flatnonzero(np.abs(posture).sum((0, 2)) > 0)
    frames = frames if len(frames) else np.array([0])
    every = -(-len(frames) // MAX_FRAMES)
    frames = frames[::every]
    still = _still(name, shown, labels)
    places = _places(posture[:, frames])
    small = still.reduce(SCALE)
    walkers = [_walker(still, places[:, row], f"frame {frame + 1}") for row, frame in enumerate(frames)]
    first = small.copy()
    first.paste(walkers[0], (0, TOP))
    # One palette for all, or still parts would flicker.
    palette = first.quantize(NUM_COLORS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    base = small.quantize(palette=palette, dither=Image.Dither.NONE)
    pictures = []
    for walker in walkers:
        pictures.append(base.copy())
        pictures[-1].paste(walker.quantize(palette=palette, dither=Image.Dither.NONE), (0, TOP))
    with replacing(path) as temporary:
        pictures[0].save(
            temporary,
            "GIF",
            save_all=True,
            append_images=pictures[1:],
            duration=FRAME_MS * every,
            loop=0,
            optimize=False,
        )


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    """Matplotlib's own, the only one that is surely there."""
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"), size * SCALE)


def _places(posture: Points) -> Points:
    """Posture (3, T, V) -> pixels (views, T, V, 2), as large as the gait allows, feet on the ground."""
    up = posture[1]
    across = [posture[axis] - posture[axis].mean(1, keepdims=True) for _, axis in VIEWS]
    reach = max(float(np.abs(side).max()) for side in across)
    room = (HEIGHT - TOP - BOTTOM - 30, VIEW_WIDTH - 24)
    size = min(room[0] / max(float(np.ptp(up)), 1e-6), room[1] / max(2 * reach, 1e-6))
    low = HEIGHT - BOTTOM - 12
    views = []
    for number, side in enumerate(across):
        x = VIEW_WIDTH * (number + 0.5) + side * size
        views.append(np.stack([x, low - (up - up.min()) * size], axis=-1))
    return np.stack(views) * SCALE


def _still(name: str, shown: Shown, labels: Sequence[str]) -> Image.Image:
    """All that does not move."""
    picture = Image.new("RGB", (SCALE * (len(VIEWS) * VIEW_WIDTH + BARS_WIDTH), SCALE * HEIGHT), "white")
    pen = ImageDraw.Draw(picture)
    found = labels[int(np.argmax(shown.probabilities))]
    own = [label for label, has in zip(labels, shown.targets, strict=False) if has]
    title = f"{found} found" + (f", {', '.join(own)} annotated" if own else "")
    _text(pen, (10, 8), title, 15, BLACK)
    _text(pen, (10, 30), name, 11, MIDDLE)
    for number, (view, _) in enumerate(VIEWS):
        _text(pen, (VIEW_WIDTH * (number + 0.5), HEIGHT - BOTTOM + 2), view, 11, MIDDLE, anchor="ma")
        ground = SCALE * (HEIGHT - BOTTOM - 6)
        pen.line(
            (SCALE * (VIEW_WIDTH * number + 16), ground, SCALE * (VIEW_WIDTH * (number + 1) - 16), ground), PALE, SCALE
        )
    _text(pen, (10, 46), "orange: right side, blue: left side", 9, MIDDLE)
    _draw_bars(pen, shown, labels, own)
    return picture


def _draw_bars(pen: ImageDraw.ImageDraw, shown: Shown, labels: Sequence[str], own: Sequence[str]) -> None:
    """The likeliest classes in the order of the labels; those annotated are marked."""
    likeliest = np.argsort(-np.array(shown.probabilities), kind="stable")[:MAX_CLASSES]
    left, right = len(VIEWS) * VIEW_WIDTH + 12, len(VIEWS) * VIEW_WIDTH + BARS_WIDTH - 54
    _text(pen, (left, 30), "probability (framed: annotated)", 11, MIDDLE)
    step = (HEIGHT - TOP - BOTTOM) / max(4, len(likeliest))
    for row, k in enumerate(sorted(likeliest)):
        label, share = labels[k], shown.probabilities[k]
        top = TOP + row * step
        _text(pen, (left, top), label if len(label) <= 30 else f"{label[:29]}…", 11, BLACK)
        box = [SCALE * value for value in (left, top + 15, left + max(1.0, (right - left) * share), top + step - 5)]
        pen.rectangle(box, BLUE if k == likeliest[0] else PALE)
        if label in own:
            pen.rectangle((box[0], box[1], SCALE * right, box[3]), None, BLACK, SCALE)
        _text(pen, (right + 8, (box[1] + box[3]) / 2 / SCALE), f"{share:.2f}", 11, BLACK, anchor="lm")


def _walker(still: Image.Image, places: Points, words: str) -> Image.Image:
    """The part that moves, at its final size. places: (views, V, 2)"""
    top, right, bottom = SCALE * TOP, SCALE * len(VIEWS) * VIEW_WIDTH, SCALE * HEIGHT
    picture = still.crop((0, top, right, bottom))
    pen = ImageDraw.Draw(picture)
    for joints in places - np.array([0, top]):
        for child, parent in BONES:
            color = RIGHT if child.startswith("right") else LEFT if child.startswith("left") else MIDDLE
            pen.line((*joints[INDEX[child]], *joints[INDEX[parent]]), color, 4 * SCALE)
        for x, y in joints:
            pen.ellipse((x - 3 * SCALE, y - 3 * SCALE, x + 3 * SCALE, y + 3 * SCALE), BLACK)
        x, y = joints[INDEX["head"]]
        pen.ellipse((x - 7 * SCALE, y - 7 * SCALE, x + 7 * SCALE, y + 7 * SCALE), MIDDLE)
    _text(pen, (len(VIEWS) * VIEW_WIDTH - 12, HEIGHT - TOP - 12), words, 9, MIDDLE, anchor="rb")
    return picture.reduce(SCALE)


def _text(
    pen: ImageDraw.ImageDraw, place: tuple[float, float], words: str, size: int, color: str, *, anchor: str = "la"
) -> None:
    pen.text((place[0] * SCALE, place[1] * SCALE), words, color, _font(size), anchor)
