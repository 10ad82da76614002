"""Models and answers as each method gives them, invented."""

import math
from typing import Any

EMOTIONS = ("Anger", "Anticipation", "Disgust", "Fear", "Joy", "Sadness", "Surprise", "Trust")
ABOUT = {"alias": "champion", "version": "3", "max_mb": 500, "window_s": 10.0, "paths": False}
VIDEO = ABOUT | {"input": "video", "accepts": [".mp4", ".mov", ".mkv", ".webm", ".avi"]}

MODELS: dict[str, dict[str, Any]] = {
    "vaanet": VIDEO | {"name": "emotions", "method": "vaanet", "trial": "vaanet-1f0c9d3a52", "labels": EMOTIONS},
    "cten": VIDEO | {"name": "key-emotions", "method": "cten", "trial": "cten-77aa01b2c3", "labels": EMOTIONS},
    "tsl": ABOUT | {"name": "sentiment", "method": "tsl", "trial": "tsl-504571cc23", "labels": ["n", "p"],
                    "input": "features", "accepts": [".npy"]},
    "gait": ABOUT | {"name": "walkers", "method": "gait", "trial": "gait-90aa11bb22", "input": "gait",
                     "accepts": [".bvh", ".npy"], "labels": ["Happy", "Sad", "Angry", "Neutral"]},
}  # fmt: skip


def shares(labels: tuple[str, ...], place: float) -> dict[str, float]:
    """Probabilities that go up and down."""
    heights = [math.exp(1.6 * math.sin(place * (0.4 + 0.17 * k) + 2.1 * k)) for k in range(len(labels))]
    return {label: height / sum(heights) for label, height in zip(labels, heights, strict=True)}


def course(labels: tuple[str, ...], window_s: float, count: int) -> list[dict[str, Any]]:
    """A timeline."""
    return [
        {"start_s": k * window_s, "end_s": (k + 1) * window_s, "probabilities": shares(labels, k)} for k in range(count)
    ]


def of_clips(seconds: float, parts: int, has_segments: bool) -> dict[str, Any]:
    """VAANet's answer, or CTEN's."""
    answer: dict[str, Any] = {
        "input": "a.mp4", "label": "Joy", "probabilities": shares(EMOTIONS, 5.1) | {"Joy": 0.41}, "duration_s": seconds,
        "timeline": course(EMOTIONS, seconds / parts, parts), "model": "emotions", "version": "3",
        "attention": [0.4 + abs(math.sin(1.3 * k)) for k in range(16)],
    }  # fmt: skip
    if has_segments:
        bounds = ((0.3, 0.5, 1.32), (0.75, 0.88, 1.11))
        answer["segments"] = [
            {"start_s": start * seconds, "end_s": end * seconds, "label": "Joy", "score": score}
            for start, end, score in bounds
        ]
    return answer


def of_snippets(count: int) -> dict[str, Any]:
    """TSL-Net's."""
    scores = []
    for k in range(count):
        rest = 0.5 + 0.45 * math.sin(k / 9)
        scores.append([(1 - rest) * (0.5 + 0.5 * math.sin(k / 23)), (1 - rest) * (0.5 - 0.5 * math.sin(k / 23)), rest])
    snippet_s = 16 / 25
    segments = [
        {
            "start_s": k * snippet_s,
            "end_s": (k + 12 + k % 7) * snippet_s,
            "label": "np"[k // 3 % 2],
            "score": 1.2 - 0.006 * k,
        }
        for k in range(8, count - 20, 17)
    ]
    return {
        "input": "6_Demo.npy", "label": "p", "probabilities": {"n": 0.38, "p": 0.62}, "duration_s": count * snippet_s,
        "snippet_s": snippet_s, "scores": scores, "segments": segments, "model": "sentiment", "version": "7",
        "timeline": [
            {"start_s": k * snippet_s, "end_s": (k + 1) * snippet_s, "probabilities": {"n": row[0], "p": row[1]}}
            for k, row in enumerate(scores)
        ],
    }  # fmt: skip


def of_gait(frames: list[Any], edges: list[list[int]], joints: tuple[str, ...]) -> dict[str, Any]:
    """BPM-GCN's, 30 frames a second."""
    labels, seconds = ("Happy", "Sad", "Angry", "Neutral"), len(frames) / 30
    return {
        "input": "walk.bvh", "label": "Happy",
        "probabilities": {"Happy": 0.64, "Sad": 0.08, "Angry": 0.21, "Neutral": 0.07},
        "duration_s": seconds, "timeline": course(labels, seconds / 4, 4), "model": "walkers", "version": "2",
        "joints": {joint: round(math.sin(3.7 * k + 1), 4) for k, joint in enumerate(joints)},
        "skeleton": {"edges": edges, "rate": 30.0, "frames": frames},
    }  # fmt: skip
