"""BPM-GCN's loss (BPM-GCN paper, section 4.4; BPM-GCN repository, main_diff_combine_double_fagg.py)."""
# B gaits  K classes  F affective features of all frames

from typing import Any

import jittor as jt
from jittor import nn

from jack_ray.methods.gait.config import Config
from jack_ray.methods.roles import Batch, LossPart, Workers


class Loss:
    """Both streams' classes, and the affective features predicted from posture."""

    def __init__(self, config: Config) -> None:
        self.config = config

    def __call__(self, model: Any, batch: Batch, workers: Workers) -> list[LossPart]:
        """The loss and its terms, means over the batch.

        Beside the model's inputs `batch` holds `targets` (B, K), 1 for a gait's class or classes, and `affective`
        (B, F).
        """
        outputs = model.training_outputs(batch)
        targets = jt.array(batch["targets"])
        terms = {
            "loss_cls_m": class_loss(outputs["movement_logits"], targets, self.config.multi_label),
            "loss_cls_p": class_loss(outputs["posture_logits"], targets, self.config.multi_label),
            "loss_reg": ((outputs["affective"] - jt.array(batch["affective"])) ** 2).mean(),
        }
        movement, posture, affective = self.config.lambdas
        total = movement * terms["loss_cls_m"] + posture * terms["loss_cls_p"] + affective * terms["loss_reg"]
        return [(total, terms)]


def class_loss(logits: jt.Var, targets: jt.Var, multi_label: bool) -> jt.Var:
    """Cross entropy of (B, K) with targets (B, K), added up over classes, averaged over gaits.

    multi_label: of the logits' sigmoids, taken for logits, as BPM-GCN's code does for ELMD.
    """
    scores = jt.sigmoid(logits) if multi_label else logits
    return -(targets * nn.log_softmax(scores, 1)).sum(1).mean()
