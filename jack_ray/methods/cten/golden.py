"""CTEN held against numbers of a PyTorch twin of the published code (golden/*.json)."""

import re
from pathlib import Path

import numpy as np

from jack_ray.methods.cten import reference
from jack_ray.methods.cten.loss import Loss
from jack_ray.methods.cten.model import Model
from jack_ray.methods.shared import clip_golden
from jack_ray.methods.shared.clip_golden import MakeOptimizer, Published, Tell
from jack_ray.methods.shared.recipe import Comparison

GOLDEN = Path(__file__).parent / "golden"

VANISHING = re.compile(r"(v2a_attn|a2v_attn)\.linear_[qk]\.|(nl|nl_a)\.0\.(theta|phi)\.")
"""What compares segments: with random weights their likeness hardly differs."""

PUBLISHED = Published(
    title="CTEN",
    config=reference.MODEL,
    train=reference.TRAIN,
    classes=reference.CLASSES,
    make_model=Model,
    make_loss=Loss,
    parts={
        "resnet_out": ("resnet", lambda maps: maps.mean((2, 3, 4))),
        "nl_out": ("nl", np.asarray),
        "a_fc_out": ("a_fc", np.asarray),
        "nl_a_out": ("nl_a", np.asarray),
        "v2a_out": ("v2a_attn", np.asarray),
        "a2v_out": ("a2v_attn", np.asarray),
    },
    vanishing=lambda name: VANISHING.match(name) is not None,
    outputs={"logits": ("logits", np.asarray), "gamma": ("gamma", np.asarray)},
    changes_without_gradient=True,
)


def check_file(path: Path, make_optimizer: MakeOptimizer, tell: Tell) -> list[Comparison]:
    """Every quantity of a golden file against ours, at full width; `tell` hears what is being computed.

    Raises JackRayError naming the file when it is broken or not one of CTEN's.
    """
    return clip_golden.check_file(path, PUBLISHED, {}, make_optimizer, tell)
