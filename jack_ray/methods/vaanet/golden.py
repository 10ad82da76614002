"""VAANet held against numbers of the authors' PyTorch code (golden/*.json)."""

from pathlib import Path

import jittor as jt
import numpy as np

from jack_ray.methods.shared import clip_golden
from jack_ray.methods.shared.class_loss import ClassLoss
from jack_ray.methods.shared.clip_golden import FORWARD_TOLERANCE, Golden, MakeOptimizer, Published, Tell
from jack_ray.methods.shared.recipe import Comparison, deviation_of_values
from jack_ray.methods.vaanet import reference
from jack_ray.methods.vaanet.loss import Loss
from jack_ray.methods.vaanet.model import Model

GOLDEN = Path(__file__).parent / "golden"

PUBLISHED = Published(
    title="VAANet",
    config=reference.MODEL,
    train=reference.TRAIN,
    classes=reference.CLASSES,
    make_model=Model,
    make_loss=Loss,
    parts={
        "resnet_out": ("resnet", np.asarray),
        "conv0_out": ("conv0", np.asarray),
        "a_resnet_out": ("a_resnet", np.asarray),
    },
    vanishing=lambda name: False,
    outputs={
        "logits": ("logits", np.asarray),
        "gamma": ("gamma", np.asarray),
        "alpha": ("spatial", lambda weights: weights.transpose(1, 0, 2)),
        "beta": ("channel", lambda weights: weights.transpose(1, 0, 2)),
    },
    changes_without_gradient=False,
)


def check_file(path: Path, make_optimizer: MakeOptimizer, tell: Tell) -> list[Comparison]:
    """Every quantity of a golden file against ours, at full width; `tell` hears what is being computed.

    Raises JackRayError naming the file when it is broken or not one of VAANet's.
    """
    return clip_golden.check_file(path, PUBLISHED, {"pcce": _check_loss}, make_optimizer, tell)


def _check_loss(golden: Golden) -> list[Comparison]:
    given = golden["pcce"]
    logits, labels = jt.array(np.asarray(given["logits"], np.float32)), np.asarray(given["targets"], np.int64)
    found = ClassLoss(reference.MODEL)(logits, labels, reference.CLASSES)
    return [
        Comparison(f"loss: {name}", deviation_of_values(ours.numpy().reshape(()), given[name]), FORWARD_TOLERANCE)
        for name, ours in zip(("loss", "ce"), found, strict=True)
    ]
