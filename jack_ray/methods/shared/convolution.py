"""Convolutions with PyTorch's initial weights, which differ from Jittor's."""
# B batch  I channels in  O channels out  H height  W width  T time

from math import prod, sqrt

import jittor as jt
from jittor import nn


def initial_weight(shape: tuple[int, ...], fan_in: int) -> jt.Var:
    """Uniform in +-1/sqrt(fan in), as PyTorch's convolutions and linear layers start (weights and biases)."""
    bound = 1 / sqrt(fan_in)
    return jt.init.uniform(shape, "float32", -bound, bound)


class ImageConvolution(nn.Module):
    """2-D convolution: (B, I, H, W) -> (B, O, H', W')."""

    def __init__(
        self, channels: tuple[int, int], kernel: int, stride: tuple[int, int] = (1, 1), padding: int = 0
    ) -> None:
        self.stride = stride
        self.padding = padding
        shape = (channels[1], channels[0], kernel, kernel)
        self.weight = initial_weight(shape, prod(shape[1:]))
        self.bias = initial_weight(shape[:1], prod(shape[1:]))

    def execute(self, images: jt.Var) -> jt.Var:
        """Convolve."""
        return nn.conv2d(images, self.weight, self.bias, self.stride, self.padding)


class SequenceConvolution(nn.Module):
    """1-D convolution that keeps the length: (B, I, T) -> (B, O, T); the kernel is odd."""

    def __init__(self, channels: tuple[int, int], kernel: int, has_bias: bool = True) -> None:
        shape = (channels[1], channels[0], kernel)
        self.weight = initial_weight(shape, prod(shape[1:]))
        self.bias = initial_weight(shape[:1], prod(shape[1:])) if has_bias else None

    def execute(self, sequence: jt.Var) -> jt.Var:
        """Convolve as an image of height 1, which oneDNN computes; Jittor's own conv1d takes 1.6 times as long."""
        padding = (0, self.weight.shape[2] // 2)
        return nn.conv2d(sequence.unsqueeze(2), self.weight.unsqueeze(2), self.bias, 1, padding).squeeze(2)
