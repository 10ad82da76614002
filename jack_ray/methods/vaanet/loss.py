"""VAANet's loss (VAANet paper, section 3.4; VAANet repository, core/loss.py)."""

from typing import Any

from jack_ray.methods.roles import Batch, LossPart, Workers
from jack_ray.methods.shared.class_loss import ClassLoss
from jack_ray.methods.vaanet.config import Config


class Loss:
    """Cross entropy; with polarities a sample that is taken for a class of the other polarity counts more."""

    def __init__(self, config: Config) -> None:
        self.class_loss = ClassLoss(config)

    def __call__(self, model: Any, batch: Batch, workers: Workers) -> list[LossPart]:
        """The loss and its terms, means over the batch.

        Beside the model's inputs `batch` holds `label` (B,), numbers of classes, and `classes`, all their names.
        """
        logits = model.training_outputs(batch)["logits"]
        loss, entropy = self.class_loss(logits, batch["label"], batch["classes"])
        return [(loss, {"loss_ce": entropy})]
