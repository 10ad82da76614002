"""Convolutions with PyTorch's initial weights, which differ from Jittor's."""
# B batch  I channels in  O channels out  H height  W width  T time

from math import prod, sqrt

import jittor as jt
from jittor import nn

from jack_ray.methods.shared import kernels
from jack_ray.methods.shared.onednn import Convolution

Pair = tuple[int, int]
"""Of height and width."""


def convolve(
    images: jt.Var,
    weight: jt.Var,
    bias: jt.Var | None,
    stride: Pair = (1, 1),
    padding: Pair = (0, 0),
    *,
    rectifies: bool = False,
) -> jt.Var:
    """2-D convolution, rectified if wished: (B, I, H, W), (O, I, h, w), (O,) -> (B, O, H', W')."""
    if kernels.are_used():
        return Convolution(stride, padding, rectifies)(images, weight, bias)
    convolved = nn.conv2d(images, weight, bias, stride, padding)
    return nn.relu(convolved) if rectifies else convolved


def initial_weight(shape: tuple[int, ...], fan_in: int) -> jt.Var:
    """Uniform in +-1/sqrt(fan in), as PyTorch's convolutions and linear layers start (weights and biases)."""
    bound = 1 / sqrt(fan_in)
    return jt.init.uniform(shape, "float32", -bound, bound)


class ImageConvolution(nn.Module):
    """2-D convolution: (B, I, H, W) -> (B, O, H', W')."""

    def __init__(
        self, channels: Pair, kernel: int, stride: Pair = (1, 1), padding: int = 0, rectifies: bool = False
    ) -> None:
        self.stride = stride
        self.padding = (padding, padding)
        self.rectifies = rectifies
        shape = (channels[1], channels[0], kernel, kernel)
        self.weight = initial_weight(shape, prod(shape[1:]))
        self.bias = initial_weight(shape[:1], prod(shape[1:]))

    def execute(self, images: jt.Var) -> jt.Var:
        """Convolve."""
        return convolve(images, self.weight, self.bias, self.stride, self.padding, rectifies=self.rectifies)


class SequenceConvolution(nn.Module):
    """1-D convolution that keeps the length: (B, I, T) -> (B, O, T); the kernel is odd."""

    def __init__(self, channels: Pair, kernel: int, has_bias: bool = True, rectifies: bool = False) -> None:
        self.rectifies = rectifies
        shape = (channels[1], channels[0], kernel)
        self.weight = initial_weight(shape, prod(shape[1:]))
        self.bias = initial_weight(shape[:1], prod(shape[1:])) if has_bias else None

    def execute(self, sequence: jt.Var) -> jt.Var:
        """Convolve as an image of height 1, which oneDNN computes; Jittor's own conv1d takes 1.6 times as long."""
        padding = (0, self.weight.shape[2] // 2)
        image, weight = sequence.unsqueeze(2), self.weight.unsqueeze(2)
        return convolve(image, weight, self.bias, (1, 1), padding, rectifies=self.rectifies).squeeze(2)
