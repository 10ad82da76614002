"""The ResNet-18 that hears: pieces of a sound's spectrogram as pictures with one colour (He et al., 2016).

State-dict names are those of a sequence of its parts: 0 the first convolution, 1 its normalisation, 4 to 7 the stages.
"""
# N pieces  R rows (time)  M coefficients or mel bands  C channels

from math import sqrt

import jittor as jt
import numpy as np
from jittor import nn
from numpy.typing import NDArray

from jack_ray.methods.shared.batchnorm import BatchNorm
from jack_ray.methods.shared.convolution import convolve, initial_weight
from jack_ray.methods.shared.linear import Linear

NUM_STAGES = 4
BLOCKS_OF_A_STAGE = 2
TIME_TAPS = 7


class PlaneConvolution(nn.Module):
    """2-D convolution without bias: (N, I, H, W) -> (N, O, H', W').

    Initial weights are normal, Kaiming's with fan out, as torchvision's ResNet has them.
    """

    def __init__(self, channels: tuple[int, int], kernel: int, stride: int = 1) -> None:
        inputs, outputs = channels
        spread = sqrt(2 / (outputs * kernel * kernel))
        self.weight = jt.init.gauss((outputs, inputs, kernel, kernel), "float32", 0.0, spread)
        self._stride = stride

    def execute(self, planes: jt.Var) -> jt.Var:
        """Convolve; the result is as large as the planes, or half as large."""
        padding = self.weight.shape[2] // 2
        return convolve(planes, self.weight, None, (self._stride, self._stride), (padding, padding))


class TimeConvolution(nn.Module):
    """The first one, along the rows only: (N, 1, R, M) -> (N, O, R / 2, M). Starts as PyTorch's convolutions do."""

    def __init__(self, outputs: int) -> None:
        self.weight = initial_weight((outputs, 1, TIME_TAPS, 1), TIME_TAPS)

    def execute(self, pieces: jt.Var) -> jt.Var:
        """Convolve."""
        return convolve(pieces, self.weight, None, (2, 1), (TIME_TAPS // 2, 0))


class BasicBlock(nn.Module):
    """Two convolutions and a short cut."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        self.conv1 = PlaneConvolution((inputs, outputs), 3, stride)
        self.bn1 = BatchNorm(outputs, rectifies=True)
        self.conv2 = PlaneConvolution((outputs, outputs), 3)
        self.bn2 = BatchNorm(outputs, rectifies=True)
        changes = stride != 1 or inputs != outputs
        short = PlaneConvolution((inputs, outputs), 1, stride) if changes else None
        self.downsample = nn.Sequential(short, BatchNorm(outputs)) if changes else None

    def execute(self, planes: jt.Var) -> jt.Var:
        """(N, C, H, W) -> (N, O, H / stride, W / stride)."""
        inner = self.conv2(self.bn1(self.conv1(planes)))
        return self.bn2(inner, planes if self.downsample is None else self.downsample(planes))


class PlaneMean(nn.Module):
    """(N, C, H, W) -> (N, C); the published average pooling spans the whole of the published sizes."""

    def execute(self, planes: jt.Var) -> jt.Var:
        """Average."""
        return planes.mean((2, 3))


def sound_resnet(width: int) -> nn.Sequential:
    """(N, 1, R, M) -> (N, 8 width); width: channels of the first stage (64)."""
    parts = [TimeConvolution(width), BatchNorm(width, rectifies=True), nn.Identity(), nn.Pool(3, 2, 1, op="maximum")]
    inputs = width
    for stage in range(NUM_STAGES):
        outputs = width * 2**stage
        first = BasicBlock(inputs, outputs, 1 if stage == 0 else 2)
        parts.append(nn.Sequential(first, *(BasicBlock(outputs, outputs, 1) for _ in range(BLOCKS_OF_A_STAGE - 1))))
        inputs = outputs
    return nn.Sequential(*parts, PlaneMean())


def num_features(width: int) -> int:
    """Features that `sound_resnet` puts out."""
    return width * 2 ** (NUM_STAGES - 1)


def embedding(inputs: int, outputs: int) -> nn.Sequential:
    """(N, I) -> (N, O) in -1..1: linear, normalised over the pieces, tanh."""
    return nn.Sequential(Linear(inputs, outputs), BatchNorm(outputs), nn.Tanh())


def cut(sound: NDArray[np.float32], pieces: int) -> jt.Var:
    """Sounds (B, R, M) in equal pieces of consecutive rows, (B * pieces, 1, R / pieces, M); each sound's together."""
    batch, rows, bands = sound.shape
    return jt.array(sound.reshape((batch * pieces, 1, rows // pieces, bands)))
