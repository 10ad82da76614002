"""The same inputs for both sides, drawn from a seed."""
# B samples  S segments  D pictures of a clip  R rows of sound  M bands  T snippets  V joints  K classes

from typing import Any

import numpy as np

Batch = dict[str, Any]

CLASSES = ("Anger", "Anticipation", "Disgust", "Fear", "Joy", "Sadness", "Surprise", "Trust")
SNIPPETS = 200
"""Of a video of TSL-Net: 16 pictures each, so about two minutes."""
POINT_EVERY = 40


class Video:
    """A video that is read anew: CTEN's later passes see other clips, here the same ones in another order."""

    def __init__(self, clips: np.ndarray) -> None:
        self._clips = clips

    def redraw(self, kept: list[int], seed: int) -> np.ndarray:
        """(S, 3, D, H, W)"""
        chosen = kept or list(range(len(self._clips)))
        return self._clips[[chosen[place % len(chosen)] for place in range(len(self._clips))]]


def clips(model: Any, samples: int, rng: np.random.Generator) -> Batch:
    """A batch of VAANet or CTEN."""
    shape = (samples, model.segments, 3, model.clip_frames, model.size, model.size)
    visual = (rng.random(shape, np.float32) * 255).astype(np.float32)
    rows, bands = (
        (model.segments * model.piece_rows, model.mel_bands) if model.name == "cten" else (model.sound_rows, model.mfcc)
    )
    return {
        "visual": visual,
        "audio": rng.standard_normal((samples, rows, bands), np.float32),
        "label": rng.integers(0, model.num_classes, samples),
        "classes": CLASSES[: model.num_classes],
        "seeds": np.arange(samples),
        "videos": [Video(one) for one in visual],
    }


def gaits(model: Any, samples: int, rng: np.random.Generator) -> Batch:
    """A batch of BPM-GCN."""
    targets = np.zeros((samples, len(model.labels)), np.float32)
    targets[np.arange(samples), rng.integers(0, len(model.labels), samples)] = 1
    return {
        "posture": rng.standard_normal((samples, 3, model.frames, 16), np.float32),
        "movement": rng.standard_normal((samples, 8, model.frames, 16), np.float32),
        "targets": targets,
        "affective": rng.random((samples, model.affective_features * model.frames), np.float32),
    }


def video(model: Any, rng: np.random.Generator, snippets: int) -> Batch:
    """One video of TSL-Net."""
    points = np.zeros((snippets, 2), np.float32)
    points[::POINT_EVERY] = (0.9, 0.1)
    return {
        "name": "video",
        "rgb": rng.random((1, snippets, model.rgb_width), np.float32),
        "mel": rng.standard_normal((1, snippets, model.mel_frames, model.mel_bands), np.float32),
        "points": points,
        "video_labels": np.ones((1, 2), np.float32),
        "label_distribution": np.array([0.5, 0.5], np.float32),
    }


def batches(method: str, model: Any, samples: int) -> list[Batch]:
    """What one step takes: a batch, or for TSL-Net one for each video."""
    rng = np.random.default_rng(20220903)
    if method == "tsl":
        return [video(model, rng, SNIPPETS) for _ in range(samples)]
    return [gaits(model, samples, rng) if method == "gait" else clips(model, samples, rng)]
