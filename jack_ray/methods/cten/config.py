"""CTEN: what its numbers mean. The numbers themselves are in conf/model/cten.yaml and conf/data/."""

from dataclasses import dataclass
from typing import Literal

from jack_ray.contract.errors import Fault
from jack_ray.contract.schema import TrainConfig
from jack_ray.contract.settings import setting
from jack_ray.methods.shared.clip_network_config import ClipNetworkConfig, check_clip_network, check_labels
from jack_ray.methods.shared.clips_config import DataConfig

__all__ = ["Config", "DataConfig", "check", "check_labels"]

OPERATORS = 249
"""Compiled by Jittor for a training of two ranks with its evaluations: counted on processors, from an empty cache."""

FEATURES_OF_WIDTH = 32
"""The 3-D ResNet puts out so many times `backbone_width`; both streams have as many features."""


@dataclass(frozen=True)
class Config(ClipNetworkConfig):
    """`model`: the network, its loss, the sound it takes, and how key segments are found."""

    mel_bands: int = setting("mel bands of a row of sound", source="JACK CTEN datasets", ge=4)
    piece_rows: int = setting("rows of a piece of sound, 10 ms each; one piece for each clip", ge=16)
    sound_mean: float = setting("subtracted from a log energy", source="JACK CTEN datasets")
    sound_scale: float = setting("a log energy is divided by this", source="JACK CTEN datasets", gt=0)
    intra_width: int = setting("channels in which segments of a stream are compared", source="CTEN models", ge=1)
    heads: int = setting("heads of the attention between the streams", source="CTEN models", ge=1)
    dropout: float = setting("share of the joint features dropped while training", source="CTEN models", ge=0, lt=1)

    erasing: Literal["none", "two_pass", "three_pass"] = setting(
        "what is learnt from beside the video. two_pass: the video without its key segments. three_pass: also the key "
        "segments alone. Clips of these are read anew in each step"
    )
    erasing_scale: Literal["sum", "third"] = setting(
        "sum: the passes' losses added up, as in the paper. third: a third of it, also of two passes, as in JACK's and "
        "the authors' code. Without erasing it changes nothing"
    )
    erasing_threshold: float = setting(
        "where between the least and the most attention of a video a segment becomes a key segment",
        source="CTEN paper, theta",
        ge=0,
        le=1,
    )
    tious: tuple[float, ...] = setting(
        "overlaps at which a key segment counts as found", source="CTEN paper, table 3", gt=0, le=1
    )


def check(model: Config, data: DataConfig, train: TrainConfig) -> list[Fault]:
    """Every combination of settings that cannot work together."""
    faults = check_clip_network(model, data, train)
    features = FEATURES_OF_WIDTH * model.backbone_width
    if features % model.heads:
        found = f"{model.heads}, which do not divide {features} features ({FEATURES_OF_WIDTH} * model.backbone_width)"
        faults.append(Fault("model.heads", found, "heads of equal size"))
    if not model.tious:
        faults.append(Fault("model.tious", "an empty list", "at least one overlap", "Type model.tious=[0.1,0.3,0.5]."))
    return faults
