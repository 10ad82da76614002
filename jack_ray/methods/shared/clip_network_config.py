"""The settings that networks for clips with their sound share; the numbers are in conf/model/."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from jack_ray.contract.errors import Fault
from jack_ray.contract.schema import TrainConfig
from jack_ray.contract.settings import nearest, setting
from jack_ray.methods.shared.clips_config import DataConfig

METRICS = ("accuracy", "macro_F1")
"""The numbers that every split has, by which a checkpoint can be chosen."""


@dataclass(frozen=True)
class ClipNetworkConfig:
    """What `model` says of the clips, of the two backbones and of the loss of a class."""

    name: str = setting("the method's folder")
    num_classes: int = setting("classes of the data", ge=2)

    segments: int = setting("S, clips of a video; a checkpoint fixes it", source="VAANet --seq_len", ge=1)
    clip_frames: int = setting("D, pictures of a clip", unit="frames", source="VAANet --snippet_duration", ge=1)
    size: int = setting("height and width of a picture", unit="pixels", source="VAANet --sample_size", ge=16)

    backbone_blocks: tuple[int, int, int, int] = setting(
        "blocks of the 3-D ResNet's four stages; 3, 4, 23, 3 is the ResNet-101", ge=1
    )
    backbone_width: int = setting(
        "channels of its first stage; it puts out 32 times as many", source="Hara et al., CVPR 2018", ge=1
    )
    backbone: Literal["frozen", "trained"] = setting(
        "frozen: the 3-D ResNet stays as it is. trained: it learns with the rest, which takes three times as long"
    )
    freeze_bn: bool = setting(
        "normalise in the 3-D ResNet with its running statistics also while training; false: with the batch's, which "
        "also moves the running ones, as the published code does though the network is frozen"
    )
    backbone_weights: str | None = setting(
        "file with the 3-D ResNet's weights, trained on Kinetics (.pth or .safetensors); null: random"
    )
    audio_width: int = setting("channels of the sound network's first stage", source="ResNet-18", ge=1)
    audio_weights: str | None = setting(
        "file with ResNet-18's weights, trained on ImageNet; its first convolution is not taken; null: random"
    )

    loss: Literal["ce", "pcce"] = setting(
        "ce: cross entropy. pcce: the same, more for a sample that is taken for a class of the other polarity"
    )
    polarity_penalty: float = setting(
        "pcce: what such a sample adds, as a share of its cross entropy", source="VAANet --lambda_0", ge=0
    )
    positive: tuple[str, ...] = setting("pcce: the positive classes; upper and lower case are the same")
    negative: tuple[str, ...] = setting("pcce: the negative classes")


def check_clip_network(model: ClipNetworkConfig, data: DataConfig, train: TrainConfig) -> list[Fault]:
    """Every combination of these settings that cannot work together."""
    return [
        *_check_classes(model, data), *_check_polarities(model, data), *_check_choice(data, train),
        *_check_kept(model, data),
    ]  # fmt: skip


def keeps_features(model: ClipNetworkConfig, data: DataConfig) -> bool:
    """Whether the backbone's features are computed once and kept (data.feature_cache)."""
    return data.feature_cache is not False and not _in_the_way(model, data)


def _in_the_way(model: ClipNetworkConfig, data: DataConfig) -> dict[str, str]:
    """What changes the backbone's features from step to step, as it is set, and what to type instead."""
    needed = {
        f"data.clips={data.clips}": (data.clips, "fixed", "data.clips=fixed"),
        f"model.backbone={model.backbone}": (model.backbone, "frozen", "model.backbone=frozen"),
        f"model.freeze_bn={str(model.freeze_bn).lower()}": (model.freeze_bn, True, "model.freeze_bn=true"),
    }
    return {found: remedy for found, (value, wanted, remedy) in needed.items() if value != wanted}


def _check_kept(model: ClipNetworkConfig, data: DataConfig) -> list[Fault]:
    changing = _in_the_way(model, data)
    if data.feature_cache is not True or not changing:
        return []
    found = f"true, with {', '.join(changing)}"
    expected = "clips that come again, and a backbone that nothing changes"
    remedy = f"Type {' '.join(changing.values())}, or data.feature_cache=false."
    return [Fault("data.feature_cache", found, expected, remedy)]


def check_labels(model: ClipNetworkConfig, labels: Sequence[str]) -> list[Fault]:
    """What of the model does not fit the data's classes, once they are known."""
    unfit = polarity_faults(model, labels) if model.loss == "pcce" else []
    if len(labels) == model.num_classes:
        return unfit
    found = f"{model.num_classes}, but the data has {len(labels)}: {', '.join(labels)}"
    return [
        Fault("model.num_classes", found, "as many classes as the data", f"Type model.num_classes={len(labels)}."),
        *unfit,
    ]


def _check_classes(model: ClipNetworkConfig, data: DataConfig) -> list[Fault]:
    if data.labels is None or len(data.labels) == model.num_classes:
        return []
    found = f"{model.num_classes}, but data.labels has {len(data.labels)}"
    remedy = f"Type model.num_classes={len(data.labels)}."
    return [Fault("model.num_classes", found, "as many classes as the data", remedy)]


def _check_polarities(model: ClipNetworkConfig, data: DataConfig) -> list[Fault]:
    if model.loss != "pcce":
        return []
    both = sorted(lowered(model.positive) & lowered(model.negative))
    faults = [Fault("model.negative", f"{label}, which is positive too", "each class in one list") for label in both]
    return [*faults, *polarity_faults(model, data.labels or ())]


def lowered(labels: Sequence[str]) -> set[str]:
    """Names of classes for comparing."""
    return {label.lower() for label in labels}


def polarity_faults(model: ClipNetworkConfig, labels: Sequence[str]) -> list[Fault]:
    """The classes that are neither positive nor negative."""
    known = lowered(model.positive) | lowered(model.negative)
    unknown = [label for label in labels if label.lower() not in known]
    if not unknown:
        return []
    remedy = "Name every class in one of the two, or type model.loss=ce."
    return [Fault("model.positive, model.negative", f"no {', '.join(unknown)}", "every class of the data", remedy)]


def _check_choice(data: DataConfig, train: TrainConfig) -> list[Fault]:
    faults = []
    if train.select_on == "val" and data.val_fraction == 0:
        remedy = "Type data.val_fraction=0.15, or train.select_on=test to choose on the test videos as published."
        faults.append(Fault("data.val_fraction", "0", "more than 0 for train.select_on=val", remedy))
    if train.metric not in METRICS:
        remedy = nearest(train.metric, METRICS)
        faults.append(Fault("train.metric", repr(train.metric), "a number that every split has", remedy))
    if train.mode != "max":
        faults.append(
            Fault("train.mode", repr(train.mode), "max: more of every number is better", "Type train.mode=max.")
        )
    return faults
