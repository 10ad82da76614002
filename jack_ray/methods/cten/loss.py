"""CTEN's loss: a video, the video without its key segments, and these alone (CTEN paper, section 3.4)."""
# B videos  S segments of a video

from collections.abc import Sequence
from typing import Any

import jittor as jt
import numpy as np
from numpy.typing import NDArray

from jack_ray.methods.cten.config import Config
from jack_ray.methods.cten.erasing import context_segments, key_segments, thresholds
from jack_ray.methods.roles import Batch, Workers
from jack_ray.methods.shared.class_loss import ClassLoss

THIRD = 1 / 3


class Loss:
    """The same loss of each pass over the same sound, put together."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.class_loss = ClassLoss(config)

    def __call__(self, model: Any, batch: Batch, workers: Workers) -> tuple[jt.Var, dict[str, jt.Var]]:
        """The loss and its terms, means over the batch.

        Beside the model's inputs `batch` holds `label` (B,), `classes`, `seeds` (B,), and `videos`, each with
        `redraw(kept_segments, seed)`, which reads other clips of it: (S, 3, D, H, W), or a `Seen`.
        """
        outputs = model.training_outputs(batch, 0)
        terms = {"loss_original": self._of(outputs, batch)}
        if self.config.erasing == "none":
            return terms["loss_original"], terms
        gamma = outputs["gamma"].numpy()
        for number, (name, kept) in enumerate(self._erased(gamma), start=1):
            redrawn = redraw(batch, kept, number, workers)
            terms[f"loss_{name}"] = self._of(model.training_outputs({**batch, **redrawn}, number), batch)
        total = sum(terms.values())
        return total * THIRD if self.config.erasing_scale == "third" else total, terms

    def _of(self, outputs: dict[str, jt.Var], batch: Batch) -> jt.Var:
        return self.class_loss(outputs["logits"], batch["label"], batch["classes"])[0]

    def _erased(self, gamma: NDArray[np.float32]) -> list[tuple[str, list[list[int]]]]:
        """The passes after the first: what each is called, and which segments of each video it keeps."""
        limits = thresholds(gamma, self.config.erasing_threshold)
        context = ("context", context_segments(gamma, limits))
        if self.config.erasing == "two_pass":
            return [context]
        return [context, ("key", key_segments(gamma, limits))]


def redraw(batch: Batch, kept: Sequence[Sequence[int]], number: int, workers: Workers) -> Batch:
    """What takes the place of `visual` or `seen`: clips of the kept segments of each video, read by the workers.

    visual: (B, S, 3, D, H, W), an array of its own; or, where features are kept, `seen`, a list.
    """
    seeds = [int(np.random.SeedSequence([int(seed), number]).generate_state(1)[0]) for seed in batch["seeds"]]
    items = list(zip(batch["videos"], kept, seeds, strict=True))
    redrawn = workers.map(lambda item: item[0].redraw(item[1], item[2]), items)
    return {"seen": redrawn} if "seen" in batch else {"visual": np.stack(redrawn)}
