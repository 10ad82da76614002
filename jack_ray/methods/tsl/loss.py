"""TSL-Net's loss (TSL-Net paper, section 3.5; TSL300 loss.py)."""
# B videos  L snippets of a row of them (row.py)  K classes

from collections.abc import Mapping
from typing import Any

import jittor as jt
import numpy as np

from jack_ray.contract.errors import TrainError
from jack_ray.methods.roles import Batch, LossPart, Workers
from jack_ray.methods.tsl import seed_search
from jack_ray.methods.tsl.config import Config
from jack_ray.methods.tsl.row import Row
from jack_ray.methods.tsl.seed_search import BACKGROUND, Seeds

SMALLEST_LOG = -100.0
"""PyTorch's binary cross entropy clamps logarithms here."""

SMALLEST = 1e-37
"""Below it float32 has too few digits for a logarithm, and its slope overflows."""


class Loss:
    """The loss of one video, or the mean over a row of them; the loss of a step is the mean over its videos."""

    def __init__(self, config: Config) -> None:
        self.config = config

    def __call__(self, model: Any, batch: Batch, workers: Workers) -> list[LossPart]:
        """The loss and its terms, each (1,).

        Beside the model's inputs `batch` holds `points` (L, K), each point's row naming its class, `video_labels`
        (B, K) and `label_distribution` (B, K), or (K,) of one video. Raises TrainError for a video without points.
        """
        row = Row.of(batch)
        names = batch["name"] if "lengths" in batch else [batch["name"]]
        for name, place in zip(names, row.places, strict=True):
            if not batch["points"][place].any():
                raise TrainError(f"{name} has no labelled point, so there is nothing to learn from.")
        outputs = model.training_outputs(batch)
        return [combine(outputs, batch["points"], batch["label_distribution"], self.config, row)]


def combine(
    outputs: Mapping[str, jt.Var], points: np.ndarray, label_distribution: np.ndarray, config: Config, row: Row
) -> tuple[jt.Var, dict[str, jt.Var]]:
    """The loss and its terms from the model's training outputs `scores`, `video_distribution` and `cpc`.

    `cpc` is a log-probability. The paper lowers its negative; TSL300's code lowers the log-probability itself.
    """
    scores = outputs["scores"][0]
    padded = np.concatenate([points, np.zeros((len(points), 1), points.dtype)], axis=1)
    seeds = _search(scores.numpy(), padded, config.seed_threshold, row)
    terms = {
        "loss_vid": video_loss(outputs["video_distribution"], label_distribution),
        "loss_frame": frame_loss(scores, padded, row),
        "loss_pact": pseudo_label_loss(scores, seeds.foreground, row),
        "loss_bkg": background_loss(scores, seeds.background, row),
        "cpc": outputs["cpc"],
    }
    video, frame, pseudo, prediction = config.lambdas
    frames = (1 - pseudo) * terms["loss_frame"] + pseudo * (terms["loss_bkg"] + terms["loss_pact"])
    sign = 1 if config.cpc_sign == "code" else -1
    return video * terms["loss_vid"] + frame * frames + sign * prediction * terms["cpc"], terms


def _search(scores: np.ndarray, points: np.ndarray, threshold: float, row: Row) -> Seeds:
    found = Seeds(np.zeros(points.shape, np.float32), np.zeros(len(points), np.float32))
    for place in row.places:
        seeds = seed_search.search(scores[place], points[place], threshold)
        found.foreground[place], found.background[place] = seeds.foreground, seeds.background
    return found


def video_loss(distribution: jt.Var, label_distribution: np.ndarray) -> jt.Var:
    """Kullback-Leibler divergence of the predicted (B, K) from the labelled distributions, divided by K; the mean.

    label_distribution: (B, K), or (K,) of one video. A class that does not occur adds nothing: 0 ln 0 = 0.
    """
    target = np.asarray(label_distribution, np.float32).reshape(distribution.shape)
    entropy = float((target * np.log(np.where(target > 0, target, 1.0))).sum())
    return ((entropy - (jt.array(target) * _log(distribution)).sum()) / target.size).float32()


def frame_loss(scores: jt.Var, points: np.ndarray, row: Row) -> jt.Var:
    """Focal cross entropy at the points; scores, points: (L, K+1)."""
    target = jt.array(points)
    loss = _miss(scores, target) ** 2 * _cross_entropy(scores, target)
    return _weighted(loss, points.max(axis=1, keepdims=True), row)


def pseudo_label_loss(scores: jt.Var, foreground: np.ndarray, row: Row) -> jt.Var:
    """Half the focal cross entropy against the points and what grew around them; scores, foreground: (L, K+1)."""
    high, low = jt.array((foreground > 0.5).astype(np.float32)), jt.array((foreground < 0.5).astype(np.float32))
    miss = (1 - scores) * high + scores * low
    entropy = _cross_entropy(scores, jt.array(foreground))
    return 0.5 * _weighted(miss**2 * entropy, foreground, row)


def background_loss(scores: jt.Var, background: np.ndarray, row: Row) -> jt.Var:
    """Focal cross entropy against "background only"; scores: (L, K+1), background: weights (L,)."""
    rows = np.zeros(scores.shape, np.float32)
    rows[:, BACKGROUND] = 1
    target = jt.array(rows)
    return _weighted(_miss(scores, target) ** 2 * _cross_entropy(scores, target), background[:, None], row)


def _miss(scores: jt.Var, target: jt.Var) -> jt.Var:
    return (1 - scores) * target + scores * (1 - target)


def _weighted(values: jt.Var, weights: np.ndarray, row: Row) -> jt.Var:
    return (values * jt.array(np.broadcast_to(row.shares(weights), values.shape).astype(np.float32))).sum()


def _cross_entropy(scores: jt.Var, target: jt.Var) -> jt.Var:
    return -(target * _log(scores) + (1 - target) * _log(1 - scores))


def _log(probability: jt.Var) -> jt.Var:
    # Where a probability has vanished the clamp alone is left, without a slope: 0 * infinity would be NaN.
    logarithm = jt.maximum(jt.log(jt.maximum(probability, SMALLEST)), SMALLEST_LOG)
    return jt.ternary(probability > SMALLEST, logarithm, jt.full_like(probability, SMALLEST_LOG))
