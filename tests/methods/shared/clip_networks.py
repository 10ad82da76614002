"""Small networks for clips with their sound, and batches for them, for tests."""

import ast
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from jack_ray.methods.vaanet.reference import CLASSES

SMALL: dict[str, Any] = {
    "segments": 3,
    "clip_frames": 2,
    "size": 48,
    "backbone_blocks": (1, 1, 1, 1),
    "backbone_width": 2,
    "audio_width": 2,
}
VAANET: dict[str, Any] = {**SMALL, "visual_width": 8, "mfcc": 8, "sound_rows": 64, "sound_pieces": 2}
CTEN: dict[str, Any] = {**SMALL, "mel_bands": 16, "piece_rows": 16, "intra_width": 8}


def small(published: Any, settings: dict[str, Any], **changes: Any) -> Any:
    """The published settings made small."""
    return replace(published, **{**settings, **changes})


def batch(config: Any, videos: int, seed: int = 0) -> dict[str, Any]:
    """Noise."""
    generator = np.random.default_rng(seed)
    clips = (videos, config.segments, 3, config.clip_frames, config.size, config.size)
    if hasattr(config, "mfcc"):
        sound = (videos, config.sound_rows, config.mfcc)
    else:
        sound = (videos, config.segments * config.piece_rows, config.mel_bands)
    return {
        "visual": generator.uniform(0, 255, clips).astype(np.float32),
        "audio": generator.standard_normal(sound).astype(np.float32),
        "label": np.arange(videos) % 8,
        "classes": CLASSES,
        "seeds": np.arange(1, videos + 1, dtype=np.int64),
        "name": [f"video {number}" for number in range(videos)],
    }


def published_state(path: Path) -> list[tuple[str, list[int]]]:
    """Names and shapes of a published state dict in its order, without the counters that Jittor has not."""
    entries = [line.split("\t") for line in path.read_text().splitlines() if line]
    return [(name, ast.literal_eval(shape)) for name, shape in entries if not name.endswith("num_batches_tracked")]
