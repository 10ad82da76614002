"""A rank: python -m benchmarks.growth.video SNIPPETS...: steps of the published TSL-Net on ever longer videos."""

import json
import resource
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import jittor as jt
import numpy as np

import jack_ray.train  # noqa: F401  (before Jittor: it pins what Jittor's cache depends on)
from benchmarks.communication import trial_of
from benchmarks.step_time.batches import video
from jack_ray.methods.roles import OneByOne, whole_loss
from jack_ray.train.method import Parts, typed

TURNS = 3
FPS = 25.0


def main() -> None:
    """Measure and print a line for each length; the memory is the most so far, so the lengths grow."""
    settings = typed(trial_of("tsl"))
    parts = Parts("tsl", settings)
    jt.set_global_seed(1)
    model = parts.model()
    model.train()
    loss = parts.loss()
    parameters = [var for group in model.groups() for var in group.parameters.values()]

    def step(batch: Any) -> None:
        cost, _ = whole_loss(loss(model, batch, OneByOne()))
        jt.sync(jt.grad(cost, parameters))

    for snippets in map(int, sys.argv[1:]):
        batch = video(settings.model, np.random.default_rng(1), snippets)
        outputs = _scores(snippets)
        about = {"name": "video", "fps": FPS, "segments": []}
        found = {
            "snippets": snippets,
            "step_s": _seconds(lambda batch=batch: step(batch)),
            "metric_s": _seconds(lambda about=about, outputs=outputs: parts.metric().update(outputs, about)),
            "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
        print(json.dumps(found), flush=True)


def _seconds(work: Callable[[], None]) -> float:
    """Of processor time: one thread computes, and others may use the machine."""
    work()  # compiles
    took = []
    for _ in range(TURNS):
        began = time.process_time()
        work()
        took.append(time.process_time() - began)
    return median(took)


def _scores(snippets: int) -> dict[str, np.ndarray]:
    """Of a video in which something happens every 20 snippets."""
    wave = 0.5 + 0.45 * np.sin(np.arange(snippets) * 2 * np.pi / 20)
    rows = np.stack([wave, 0.6 * (1 - wave), np.full(snippets, 0.3)], axis=1).astype(np.float32)
    return {"scores": rows[None], "video_scores": np.array([[0.9, 0.8]], np.float32)}


if __name__ == "__main__":
    main()
