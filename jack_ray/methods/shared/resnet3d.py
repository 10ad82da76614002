"""The 3-D ResNet with bottlenecks that looks at clips (Hara et al., CVPR 2018), without its classifier.

State-dict names are those of a sequence of its parts, as VAANet and CTEN have it: 0 the first convolution, 1 its
normalisation, 4 to 7 the stages.
"""
# B videos  S clips of a video  N clips  D pictures of a clip  H W height and width  C channels

import hashlib
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path

import jittor as jt
import numpy as np
from jittor import nn
from numpy.typing import NDArray

from jack_ray.methods.roles import Batch, Pretrained
from jack_ray.methods.shared import kernels
from jack_ray.methods.shared.batchnorm import BatchNorm
from jack_ray.methods.shared.clip_source import Clips
from jack_ray.methods.shared.computing import compute
from jack_ray.methods.shared.convolution3d import MaxPool, VolumeConvolution
from jack_ray.methods.shared.kept_features import Features

EXPANSION = 4
"""A block puts out this many times the channels of its middle convolution."""

CLIPS_AT_ONCE = 32
"""That a network with fixed statistics looks at, which bounds the memory."""

LOOKING = 1
"""To be raised whenever another code gives other features for the same clips and weights, by more than rounding."""

PUBLISHED_NAMES = ("conv1", "bn1", "", "", "layer1", "layer2", "layer3", "layer4")
"""What a published ResNet, of pictures or of clips, calls the parts of the sequence that have weights."""
FIRST = "conv1.weight"


class Bottleneck(nn.Module):
    """Convolutions 1, 3, 1 and a short cut: (N, C, D, H, W) -> (N, 4 width, D / stride, H / stride, W / stride)."""

    def __init__(self, inputs: int, width: int, stride: int, changes: bool) -> None:
        outputs = EXPANSION * width
        self.conv1 = VolumeConvolution((inputs, width), (1, 1, 1))
        self.bn1 = BatchNorm(width, rectifies=True)
        self.conv2 = VolumeConvolution((width, width), (3, 3, 3), (stride, stride, stride), (1, 1, 1))
        self.bn2 = BatchNorm(width, rectifies=True)
        self.conv3 = VolumeConvolution((width, outputs), (1, 1, 1))
        self.bn3 = BatchNorm(outputs, rectifies=True)
        # Short cut B of He et al. (2016): in the first block of each stage, whatever its stride.
        short = VolumeConvolution((inputs, outputs), (1, 1, 1), (stride, stride, stride)) if changes else None
        self.downsample = nn.Sequential(short, BatchNorm(outputs)) if changes else None

    def execute(self, clips: jt.Var) -> jt.Var:
        """Convolve."""
        inner = self.bn2(self.conv2(self.bn1(self.conv1(clips))))
        return self.bn3(self.conv3(inner), clips if self.downsample is None else self.downsample(clips))


def resnet3d(blocks: Sequence[int], width: int) -> nn.Sequential:
    """(N, 3, D, H, W) -> (N, 32 width, D / 16, H / 32, W / 32), rounded up.

    blocks: of the four stages; (3, 4, 23, 3) is the 3-D ResNet-101. width: channels of the first stage's middle
    convolutions (64).
    """
    parts = [
        VolumeConvolution((3, width), (7, 7, 7), (1, 2, 2), (3, 3, 3)),
        BatchNorm(width, rectifies=True),
        nn.Identity(),  # the published rectifier has a number in the state dict's names
        MaxPool((3, 3, 3), (2, 2, 2), (1, 1, 1)),
    ]
    inputs = width
    for stage, number in enumerate(blocks):
        inner = width * 2**stage
        first = Bottleneck(inputs, inner, 1 if stage == 0 else 2, True)
        inputs = EXPANSION * inner
        parts.append(nn.Sequential(first, *(Bottleneck(inputs, inner, 1, False) for _ in range(number - 1))))
    return nn.Sequential(*parts)


def num_features(width: int) -> int:
    """Channels that `resnet3d` puts out."""
    return EXPANSION * width * 8


def reduced(size: int, halvings: int) -> int:
    """What is left of an axis after so many halvings, each rounded up."""
    return -(-size // 2**halvings)


class Look:
    """How a backbone looks at clips: trained with the rest, or as it is, without a way back for gradients.

    pools: to the mean of each clip's whole map.
    """

    def __init__(
        self, backbone: nn.Sequential, is_trained: bool, freezes_statistics: bool, pools: bool = False
    ) -> None:
        self.backbone = backbone
        self.is_trained = is_trained
        self.is_frozen = not is_trained and freezes_statistics
        self.pools = pools
        for norm in norms(backbone):
            norm.frozen = freezes_statistics

    def at(self, batch: Batch) -> jt.Var:
        """The features (B, S, C, D', H', W') of a batch's clips, (B, S, C) if pooled.

        batch: `visual` (B, S, 3, D, H, W), RGB 0..255; or `seen`, a `Seen` of each video, if the backbone is frozen.
        """
        if "seen" in batch:
            return jt.array(np.stack([video.features(self._of_one_video) for video in batch["seen"]]))
        videos, segments = batch["visual"].shape[:2]
        features = self._pooled(self(batch["visual"].reshape((videos * segments, *batch["visual"].shape[2:]))))
        return features.reshape((videos, segments, *features.shape[1:]))

    def _of_one_video(self, clips: Clips) -> Features:
        assert self.is_frozen, "features that change are not kept"
        features: Features = _computed(self._pooled(self(clips.astype(np.float32)))).numpy()
        return features

    def _pooled(self, maps: jt.Var) -> jt.Var:
        return maps.mean((2, 3, 4)) if self.pools else maps

    def identity(self) -> str:
        """A digest of what the features of a clip follow from beside the clip."""
        computed = f"{version('jittor')} {jt.flags.use_cuda} {kernels.are_used()} {kernels.halves()}"
        hashed = hashlib.sha256(f"{LOOKING} {self.pools} {computed}".encode())
        for name, var in self.backbone.state_dict().items():
            hashed.update(f"{name} {tuple(var.shape)}".encode())
            hashed.update(var.numpy().tobytes())
        return hashed.hexdigest()

    def __call__(self, clips: NDArray[np.float32]) -> jt.Var:
        """(N, 3, D, H, W), RGB 0..255, -> (N, C, D', H', W'). The clips stay as they are.

        A frozen backbone whose statistics are not frozen still normalises with those of the batch while training,
        and moves its running statistics, as the published code does.
        """
        if self.is_trained and self.backbone.is_training():
            return self.backbone(scaled(clips))
        with jt.no_grad():
            if any(norm.is_train and not norm.frozen for norm in norms(self.backbone)):
                return self.backbone(scaled(clips))
            parts = [clips[start : start + CLIPS_AT_ONCE] for start in range(0, len(clips), CLIPS_AT_ONCE)]
            return jt.concat([_computed(self.backbone(scaled(part))) for part in parts], 0)


def scaled(clips: NDArray[np.float32]) -> jt.Var:
    """RGB 0..255 as the Kinetics weights have learnt it: x / 255 - 100 / 255 (VAANet repository, models/vaanet.py)."""
    return jt.array(clips) / 255.0 - 100.0 / 255.0


def norms(backbone: nn.Module) -> list[BatchNorm]:
    """Its normalisations."""
    return [module for module in backbone.modules() if isinstance(module, BatchNorm)]


def pretrained_parts(names: Iterable[str], backbone_weights: str | None, audio_weights: str | None) -> list[Pretrained]:
    """What a model with `resnet` and `a_resnet` starts from; names: those of its state dict.

    Of the ResNet-18 everything but its first convolution, which has three colours and another kernel.
    """
    names = list(names)
    parts = []
    if backbone_weights is not None:
        parts.append(Pretrained(Path(backbone_weights), published_names(names, "resnet")))
    if audio_weights is not None:
        taken = published_names(names, "a_resnet")
        parts.append(Pretrained(Path(audio_weights), {theirs: taken[theirs] for theirs in taken if theirs != FIRST}))
    return parts


def published_names(names: Iterable[str], prefix: str) -> dict[str, str]:
    """What a published ResNet calls its tensors -> the state-dict names that we have below `prefix`."""
    taken = {}
    for name in names:
        if name.startswith(f"{prefix}."):
            place, _, rest = name.removeprefix(f"{prefix}.").partition(".")
            taken[f"{PUBLISHED_NAMES[int(place)]}.{rest}"] = name
    return taken


def _computed(features: jt.Var) -> jt.Var:
    compute([features])
    return features
