"""Generated features in which TSL-Net can find sentiment: the pictures and the sound of a made-up video.

# T snippets  F spectrogram frames  K classes (n, p)
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jack_ray.methods.shared.detection import Segment
from jack_ray.methods.tsl.config import CLASSES

FloatArray = NDArray[np.float32]
Array = NDArray[np.float64]

# The shapes of the published features; the network's first layers are made for them.
RGB_WIDTH = 1024
MEL_BANDS = 60
MEL_FRAMES = 32
SNIPPET_FRAMES = 16

NUM_ACTIVE = 96
"""Columns of the visual feature that a class raises."""
RGB_RISE = 0.25
"""How far, where the spread of the noise is 0.5."""
MEL_RISE_DB = 5.0
DISTRACTOR = 0.4
"""Strength of what looks like sentiment outside of segments."""
NUM_SOUNDS = 5
LOUDNESS_DB = 4.0
BANDS = {"n": slice(6, 18), "p": slice(32, 46)}
TREMOLO_FRAMES = {"n": 16, "p": 4}


@dataclass(frozen=True)
class Scene:
    """What a made-up video holds."""

    name: str
    fps: float
    num_snippets: int
    segments: tuple[Segment, ...]

    @property
    def snippet_s(self) -> float:
        """Length of a snippet."""
        return SNIPPET_FRAMES / self.fps


def directions(seed: int) -> Array:
    """What each class adds to the visual feature: (K, RGB_WIDTH), the same for all videos of a data set."""
    generator = np.random.default_rng([seed, 1])
    added = np.zeros((len(CLASSES), RGB_WIDTH))
    for row in added:
        row[generator.choice(RGB_WIDTH, NUM_ACTIVE, replace=False)] = generator.uniform(0.5, 1.5, NUM_ACTIVE)
    return added


def features(scene: Scene, added: Array, generator: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """The two streams of a video: visual (T or more, RGB_WIDTH), spectrogram in dB (F, MEL_BANDS).

    As in the published data the streams end at slightly different times.
    """
    strength = _coverage(scene) * generator.uniform(0.6, 1.2, (scene.num_snippets, 1))
    strength = strength + _distractors(scene, generator)
    rgb = _rgb(strength, added, generator)
    mel = _mel(strength, generator)
    longer = rgb[-int(generator.integers(0, 3)) or len(rgb) :]
    spare = int(generator.integers(0, MEL_FRAMES))
    return np.concatenate([rgb, longer]), np.concatenate([mel, mel[:spare]])


def _coverage(scene: Scene) -> Array:
    """Share of each snippet that lies in segments of each class: (T, K)."""
    start = np.arange(scene.num_snippets) * scene.snippet_s
    share = np.zeros((scene.num_snippets, len(CLASSES)))
    for segment in scene.segments:
        inside = np.minimum(start + scene.snippet_s, segment.end_s) - np.maximum(start, segment.start_s)
        share[:, CLASSES.index(segment.label)] += np.maximum(inside, 0.0) / scene.snippet_s
    return np.minimum(share, 1.0)


def _distractors(scene: Scene, generator: np.random.Generator) -> Array:
    """Weak sentiment in single background snippets, of any class: (T, K)."""
    background = _coverage(scene).sum(axis=1) == 0
    chosen = background & (generator.random(scene.num_snippets) < 0.2)
    weak = np.zeros((scene.num_snippets, len(CLASSES)))
    weak[chosen, generator.integers(0, len(CLASSES), int(chosen.sum()))] = DISTRACTOR
    return weak


def _rgb(strength: Array, added: Array, generator: np.random.Generator) -> FloatArray:
    noise = np.abs(generator.standard_normal((len(strength), RGB_WIDTH))) * 0.5
    surroundings = np.abs(generator.standard_normal(RGB_WIDTH)) * 0.4
    return (noise + surroundings + RGB_RISE * strength @ added).astype(np.float32)


def _mel(strength: Array, generator: np.random.Generator) -> FloatArray:
    frames = np.repeat(strength, MEL_FRAMES, axis=0)
    time = np.arange(len(frames))
    level = np.linspace(-12.0, -30.0, MEL_BANDS) + generator.uniform(-5, 5)
    # Music and voices come and go in wide bands, whatever the sentiment.
    loudness = np.repeat(generator.standard_normal((len(strength), NUM_SOUNDS)), MEL_FRAMES, axis=0)
    sounds = np.repeat(LOUDNESS_DB * loudness, MEL_BANDS // NUM_SOUNDS, axis=1)
    decibel = level + sounds + 7.0 * generator.standard_normal((len(frames), MEL_BANDS))
    for index, label in enumerate(CLASSES):
        tremolo = 0.75 + 0.5 * (np.sin(2 * np.pi * time / TREMOLO_FRAMES[label]) > 0)
        decibel[:, BANDS[label]] += (MEL_RISE_DB * frames[:, index] * tremolo)[:, None]
    return decibel.astype(np.float32)


def invent_segments(num_snippets: int, fps: float, generator: np.random.Generator) -> tuple[Segment, ...]:
    """Segments of a made-up video, at least one; most of one class, as in real videos."""
    snippet_s = SNIPPET_FRAMES / fps
    mood = int(generator.integers(0, len(CLASSES)))
    segments = []
    position = generator.uniform(1.0, 2.5)
    while position + 2.0 <= num_snippets - 0.5:
        end = min(position + generator.uniform(3.0, 7.0), num_snippets - 0.5)
        label = CLASSES[mood if generator.random() < 0.75 else 1 - mood]
        segments.append(Segment(round(position * snippet_s, 3), round(end * snippet_s, 3), label))
        position = end + generator.uniform(3.0, 7.0)
    return tuple(segments)


def invent_points(
    segments: Sequence[Segment], fps: float, share: float, generator: np.random.Generator
) -> list[tuple[str, int, int, int]]:
    """Label, first frame, last frame and point of what one annotator marks: a share of the segments, at least one."""
    chosen = [segment for segment in segments if generator.random() < share]
    marked = []
    for segment in chosen or segments[:1]:
        first, last = int(np.ceil(segment.start_s * fps)), int(segment.end_s * fps)
        margin = (last - first) // 10
        point = int(generator.integers(first + margin, last - margin))
        reach = int(generator.integers(1, 6))
        marked.append((segment.label, max(first, point - reach), min(last, point + reach), point))
    return marked
