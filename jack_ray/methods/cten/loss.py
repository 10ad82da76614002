"""CTEN's loss: a video, the video without its key segments, and these alone (CTEN paper, section 3.4)."""
# B videos  S segments of a video

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import jittor as jt
import numpy as np
from numpy.typing import NDArray

from jack_ray.methods.cten.config import Config
from jack_ray.methods.cten.erasing import context_segments, key_segments, thresholds
from jack_ray.methods.roles import Batch, LossPart, Workers
from jack_ray.methods.shared.class_loss import ClassLoss
from jack_ray.methods.shared.computing import computed

THIRD = 1 / 3


class Loss:
    """The same loss of each pass over the same sound, put together."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.class_loss = ClassLoss(config)

    def __call__(self, model: Any, batch: Batch, workers: Workers) -> Iterator[LossPart]:
        """The loss in a part for each pass, with a term each, means over the batch.

        Beside the model's inputs `batch` holds `label` (B,), `classes`, `seeds` (B,), and `videos`, each with
        `redraw(kept_segments, seed)`, which reads other clips of it: (S, 3, D, H, W), or a `Seen`. They are read while
        the gradient of the first pass is computed.
        """
        losses = _Losses(self.class_loss, model, batch)
        if self.config.erasing == "none":
            yield losses.part("original", 1.0)
            return
        scale = THIRD if self.config.erasing_scale == "third" else 1.0
        erased = self._erased(losses.gamma())
        waits = [redraw(batch, kept, number, workers) for number, (_, kept) in enumerate(erased, start=1)]
        yield losses.part("original", scale)
        for number, ((name, _), wait) in enumerate(zip(erased, waits, strict=True), start=1):
            losses.see(wait(), number)
            yield losses.part(name, scale)

    def _erased(self, gamma: NDArray[np.float32]) -> list[tuple[str, list[list[int]]]]:
        """The passes after the first: what each is called, and which segments of each video it keeps."""
        limits = thresholds(gamma, self.config.erasing_threshold)
        context = ("context", context_segments(gamma, limits))
        if self.config.erasing == "two_pass":
            return [context]
        return [context, ("key", key_segments(gamma, limits))]


class _Losses:
    """The losses of the passes over a batch; keeps no array of a pass whose loss was given away."""

    def __init__(self, class_loss: ClassLoss, model: Any, batch: Batch) -> None:
        self._class_loss = class_loss
        self._model = model
        self._batch = batch
        self._outputs: Mapping[str, jt.Var] = {}
        self.see({}, 0)

    def see(self, redrawn: Batch, number: int) -> None:
        """Begin a pass, over other clips."""
        self._outputs = self._model.training_outputs({**self._batch, **redrawn}, number)

    def gamma(self) -> NDArray[np.float32]:
        """The attention over segments of the pass that has begun."""
        gamma: NDArray[np.float32] = computed({"gamma": self._outputs["gamma"]})["gamma"]
        return gamma

    def part(self, name: str, scale: float) -> LossPart:
        """The loss of the pass that has begun, which ends it."""
        logits, self._outputs = self._outputs["logits"], {}
        loss = self._class_loss(logits, self._batch["label"], self._batch["classes"])[0]
        return loss * scale, {f"loss_{name}": loss}


def redraw(batch: Batch, kept: Sequence[Sequence[int]], number: int, workers: Workers) -> Callable[[], Batch]:
    """Let the workers begin to read clips of the kept segments of each video; what is given waits for them.

    They take the place of `visual`, (B, S, 3, D, H, W), an array of its own; or, where features are kept, of `seen`,
    a list.
    """
    seeds = [int(np.random.SeedSequence([int(seed), number]).generate_state(1)[0]) for seed in batch["seeds"]]
    items = list(zip(batch["videos"], kept, seeds, strict=True))
    wait = workers.begin(lambda item: item[0].redraw(item[1], item[2]), items)
    return lambda: {"seen": wait()} if "seen" in batch else {"visual": np.stack(wait())}
