"""BPM-GCN: what its numbers mean. The numbers themselves are in conf/model/gait.yaml and conf/data/."""

from dataclasses import dataclass
from typing import Literal

from jack_ray.contract.errors import Fault
from jack_ray.contract.schema import TrainConfig
from jack_ray.contract.settings import nearest, setting

OPERATORS = 180
"""Compiled by Jittor for a training with its evaluations: those that one on a processor had loaded."""

SINGLE_NAMES = ("accuracy", "macro_F1")
MULTI_NAMES = ("accuracy", "mAP", "macro_F1")


@dataclass(frozen=True)
class Config:
    """`model`: the network and its loss."""

    name: str = setting("the method's folder")
    labels: tuple[str, ...] = setting("the classes, in the order of the network's outputs", source="BPM-GCN paper")
    multi_label: bool = setting("a gait may have several classes at once (ELMD's labels): a sigmoid for each class")

    frames: int = setting("frames of a gait; the network takes no other number", unit="frames", ge=4)
    widths: tuple[int, int, int] = setting(
        "channels of the three stages; the second and third halve the frames", source="BPM-GCN model", ge=4
    )
    blocks: tuple[int, int, int] = setting(
        "blocks of the three stages, each followed by an exchange between the streams", source="BPM-GCN model", ge=1
    )
    inner_share: int = setting(
        "likeness of joints is measured in one channel for this many of the block's", source="BPM-GCN model", ge=1
    )
    temporal_kernel: int = setting("frames that a temporal convolution spans; odd", unit="frames", ge=1)
    affective_features: int = setting("affective features of a frame that are predicted", source="BPM-GCN paper", ge=1)
    lambdas: tuple[float, float, float] = setting(
        "weights of the movement, posture and affective terms of the loss", source="BPM-GCN paper", ge=0
    )


@dataclass(frozen=True)
class DataConfig:
    """`data`: gaits as arrays (Emotion-Gait as BPM-GCN has it) or as E-Gait's h5 files."""

    name: str = setting("the data set")
    root: str = setting("folder of the files")
    layout: Literal["npy", "h5"] = setting(
        "npy: {train,test}_{joint,movement,affective}.npy and labels, as BPM-GCN and `python -m jack_ray.data gait` "
        "write them. h5: E-Gait's features and labels, one entry a gait, without a split"
    )
    features_file: str = setting("h5: file with an array (T, 48) for each gait")
    labels_file: str = setting("h5: file with the number of a class for each gait")
    labels: tuple[str, ...] = setting("what the class numbers 0, 1, ... of the label files mean")
    joint_order: Literal["right_first", "left_first"] = setting(
        "h5: which side the files list first; E-Gait the left one, BPM-GCN the right one"
    )
    frames: int = setting("frames of a gait; shorter ones are filled with zeros", unit="frames", ge=4)
    thin_from: int = setting(
        "h5: gaits of at least so many frames are thinned evenly (240: every 5th), of others the first are taken",
        unit="frames",
        ge=4,
    )
    own_scale: float = setting("predict: lengths in people's own files are multiplied by this; 0.01 for cm", gt=0)
    own_every: int = setting("predict: one frame in this many of people's own files is taken", unit="frames", ge=1)
    own_centre: bool = setting("predict: put the root at zero in every frame of people's own files, as in E-Gait")
    folds: int = setting("0: the files' own test split. More: cross-validation, all gaits in so many parts", ge=0)
    fold: int = setting("cross-validation: which part is the test split", unit="counted from 0", ge=0)
    val_fraction: float = setting("share of the training gaits held out to choose the checkpoint", ge=0, lt=1)
    augment: bool = setting("move gaits at random while training; both streams by themselves", source="BPM-GCN feeder")
    angles_deg: tuple[float, ...] = setting("rotations in the x-y plane to draw from", unit="degrees", source="BPM-GCN")
    scales: tuple[float, ...] = setting("scales to draw from", source="BPM-GCN feeder", gt=0)
    shifts: tuple[float, ...] = setting("shifts in x and y to draw from", unit="the data's", source="BPM-GCN feeder")
    shift_velocities: bool = setting(
        "shift the movement stream too, as BPM-GCN's code does, though it holds velocities"
    )


def metric_names(model: Config) -> tuple[str, ...]:
    """The numbers by which a checkpoint can be chosen: those that every split has."""
    return MULTI_NAMES if model.multi_label else SINGLE_NAMES


def check(model: Config, data: DataConfig, train: TrainConfig) -> list[Fault]:
    """Every combination of settings that cannot work together."""
    return [
        *_check_labels(model, data),
        *_check_network(model, data),
        *_check_folds(data),
        *_check_augmentation(data),
        *_check_choice(model, data, train),
    ]


def _check_labels(model: Config, data: DataConfig) -> list[Fault]:
    faults = []
    for where, labels in (("model.labels", model.labels), ("data.labels", data.labels)):
        if len(set(labels)) != len(labels) or len(labels) < 2:
            faults.append(Fault(where, f"{list(labels)}", "at least two different classes"))
    if not faults and sorted(model.labels) != sorted(data.labels):
        expected = f"the classes of data.labels, {', '.join(data.labels)}, in any order"
        faults.append(Fault("model.labels", ", ".join(model.labels), expected))
    return faults


def _check_network(model: Config, data: DataConfig) -> list[Fault]:
    faults = []
    if model.frames != data.frames:
        faults.append(Fault("model.frames", f"{model.frames}, but data.frames is {data.frames}", "the same in both"))
    if model.temporal_kernel % 2 == 0:
        faults.append(Fault("model.temporal_kernel", str(model.temporal_kernel), "an odd number"))
    if min(model.widths) < model.inner_share:
        found = f"{model.inner_share}, which leaves nothing of model.widths={list(model.widths)}"
        faults.append(Fault("model.inner_share", found, f"at most {min(model.widths)}"))
    if data.thin_from < data.frames:
        faults.append(Fault("data.thin_from", str(data.thin_from), f"at least data.frames={data.frames}"))
    return faults


def _check_folds(data: DataConfig) -> list[Fault]:
    faults = []
    if data.folds == 1 or (data.folds == 0 and data.layout == "h5"):
        reason = "at least 2" if data.folds else "at least 2, since h5 files have no test split"
        faults.append(Fault("data.folds", str(data.folds), reason, "Type data.folds=5."))
    if data.fold >= max(data.folds, 1):
        expected = f"0 to {data.folds - 1} (data.folds={data.folds})" if data.folds else "0, as data.folds is 0"
        remedy = "" if data.folds else "Type data.folds=5 for a cross-validation."
        faults.append(Fault("data.fold", str(data.fold), expected, remedy))
    return faults


def _check_augmentation(data: DataConfig) -> list[Fault]:
    empty = [key for key in ("angles_deg", "scales", "shifts") if not getattr(data, key)]
    remedy = "Type data.augment=false to leave gaits as they are."
    return [Fault(f"data.{key}", "an empty list", "at least one value", remedy) for key in empty if data.augment]


def _check_choice(model: Config, data: DataConfig, train: TrainConfig) -> list[Fault]:
    faults = []
    if train.select_on == "val" and data.val_fraction == 0:
        remedy = (
            "Type data.val_fraction=0.1, or train.select_on=test to choose on the test gaits as BPM-GCN's code does."
        )
        faults.append(Fault("data.val_fraction", "0", "more than 0 for train.select_on=val", remedy))
    names = metric_names(model)
    if train.metric not in names:
        remedy = nearest(train.metric, names)
        faults.append(Fault("train.metric", repr(train.metric), "a number that every split of BPM-GCN has", remedy))
    if train.mode != "max":
        faults.append(
            Fault("train.mode", repr(train.mode), "max: more of every number is better", "Type train.mode=max.")
        )
    return faults
