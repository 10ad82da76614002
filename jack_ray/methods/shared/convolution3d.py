"""3-D convolution and pooling.

On a processor oneDNN convolves; time taps folded into channels of a 2-D convolution take 1.3 to 2.7 times as long. On
a GPU cuDNN does.
"""
# B batch  I channels in  O channels out  D depth (time)  H height  W width

from math import prod, sqrt

import jittor as jt
from jittor import nn

from jack_ray.methods.shared import kernels
from jack_ray.methods.shared.onednn import Convolution, result_sizes

Triple = tuple[int, int, int]
"""Of time, height and width."""

LOWEST = -3.4e38
"""What lies outside of a volume, for a maximum."""


def convolve(volume: jt.Var, kernel: jt.Var, stride: Triple = (1, 1, 1), padding: Triple = (0, 0, 0)) -> jt.Var:
    """3-D convolution without bias: (B, I, D, H, W) and (O, I, d, h, w) -> (B, O, D', H', W')."""
    if kernels.are_used():
        return Convolution(stride, padding)(volume, kernel, None)
    return nn.conv3d(volume, kernel, None, stride, padding)


class VolumeConvolution(nn.Module):
    """3-D convolution without bias: (B, I, D, H, W) -> (B, O, D', H', W').

    Initial weights are normal, Kaiming's with fan out, as in the published 3-D ResNets.
    """

    def __init__(
        self, channels: tuple[int, int], kernel: Triple, stride: Triple = (1, 1, 1), padding: Triple = (0, 0, 0)
    ) -> None:
        inputs, outputs = channels
        self.weight = jt.init.gauss((outputs, inputs, *kernel), "float32", 0.0, sqrt(2 / (outputs * prod(kernel))))
        self._stride = stride
        self._padding = padding

    def execute(self, volume: jt.Var) -> jt.Var:
        """Convolve."""
        return convolve(volume, self.weight, self._stride, self._padding)


class MaxPool(nn.Module):
    """The largest value of each window, also where the window is as large as the volume, which Jittor's refuses."""

    def __init__(self, kernel: Triple, stride: Triple, padding: Triple) -> None:
        self._kernel = kernel
        self._stride = stride
        self._padding = padding
        self._pool = nn.Pool3d(kernel, stride, op="maximum")

    def execute(self, volume: jt.Var) -> jt.Var:
        """(B, C, D, H, W) -> (B, C, D', H', W')."""
        wanted = result_sizes(volume.shape[2:], self._kernel, self._stride, self._padding)
        axes = zip(wanted, self._kernel, self._stride, strict=True)
        # Jittor's needs one more than the kernel; the windows that this adds are cut off again.
        padded = [max((size - 1) * step + taps, taps + 1) for size, taps, step in axes]
        places = ["i0", "i1", *(f"i{axis + 2}-{pad}" for axis, pad in enumerate(self._padding))]
        wide = volume.reindex([*volume.shape[:2], *padded], places, overflow_value=LOWEST)
        depth, height, width = wanted
        return self._pool(wide)[:, :, :depth, :height, :width]
