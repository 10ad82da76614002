"""Invented videos whose class shows in colour and sound together.

With K classes there are K / 2 colours and 2 pitches: class 2a + b has colour a and pitch b. Colour alone tells half
of it, pitch alone leaves K / 2 classes. Both are there in one part of the video only, its key segment; around it
everything is grey, and the sound is noise.

# T pictures of a video  H W height and width  N samples
"""

import colorsys
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from jack_ray.methods.shared.sound_file import FloatArray

LABELS = ("Anger", "Anticipation", "Disgust", "Fear", "Joy", "Sadness", "Surprise", "Trust")
"""VideoEmotion-8's, so that its polarities apply."""
FPS = 30
RATE_HZ = 22050
PITCHES_HZ = (260.0, 1400.0)
TINT = 0.65
"""How much of a picture's colour is the class' in its key segment."""


@dataclass(frozen=True)
class Scene:
    """One video, before it is drawn."""

    name: str
    label: int
    num_classes: int
    subset: str
    num_frames: int
    first: int
    """Pictures first .. last - 1 are the key segment."""
    last: int

    @property
    def segment_s(self) -> tuple[float, float]:
        """The key segment."""
        return self.first / FPS, self.last / FPS


def invent(num_classes: int, per_class: dict[str, int], frames: tuple[int, int], seed: int) -> list[Scene]:
    """Scenes by class and subset; a scene does not change when there are more of another kind."""
    scenes = []
    for label in range(num_classes):
        for subset, count in per_class.items():
            for number in range(count):
                generator = np.random.default_rng([seed, 1, label, len(subset), number])
                length = int(generator.integers(frames[0], frames[1] + 1))
                key = int(length * generator.uniform(0.5, 0.75))
                first = int(generator.integers(0, length - key + 1))
                name = f"{LABELS[label].lower()}_{subset}_{number:02d}"
                scenes.append(Scene(name, label, num_classes, subset, length, first, first + key))
    return scenes


def pictures(scene: Scene, height: int, seed: int) -> Iterator[Image.Image]:
    """The T pictures, in 4:3: a bright disc that moves over a blurred background."""
    generator = np.random.default_rng([seed, 2, scene.label, *scene.name.encode()])
    width = round(height * 4 / 3)
    coarse = generator.uniform(60, 190, (4, 5)).astype(np.uint8)
    background = np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC), np.float32)
    colour = np.array(colorsys.hsv_to_rgb((scene.label // 2) / ((scene.num_classes + 1) // 2), 0.9, 1.0), np.float32)
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    start, angle = generator.uniform(0, 1, 2), generator.uniform(0, 2 * np.pi)
    for number in range(scene.num_frames):
        across = (start[0] + number / 40 * np.cos(angle)) % 1 * width
        down = (start[1] + number / 40 * np.sin(angle)) % 1 * height
        disc = (x - across) ** 2 + (y - down) ** 2 < (height / 5) ** 2
        grey = np.where(disc, 230.0, background) + generator.normal(0, 8, (height, width))
        is_key = scene.first <= number < scene.last
        tint = (1 - TINT) + TINT * colour * 1.3 if is_key else np.ones(3, np.float32)
        yield Image.fromarray(np.clip(grey[..., None] * tint, 0, 255).astype(np.uint8))


def sound(scene: Scene, seed: int) -> FloatArray:
    """(1, N): noise, and in the key segment pulses of the class' pitch."""
    generator = np.random.default_rng([seed, 3, scene.label, *scene.name.encode()])
    seconds = scene.num_frames / FPS
    time = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    pitch = PITCHES_HZ[scene.label % 2] * generator.uniform(0.9, 1.1)
    tone = sum(np.sin(2 * np.pi * pitch * part * time) / part for part in (1, 2, 3))
    pulses = 0.6 + 0.4 * np.sin(2 * np.pi * generator.uniform(3, 6) * time)
    start_s, end_s = scene.segment_s
    is_key: NDArray[np.bool_] = (start_s <= time) & (time < end_s)
    whole = 0.03 * generator.normal(size=len(time)) + 0.25 * tone * pulses * is_key
    return np.clip(whole, -1, 1).astype(np.float32)[None]
