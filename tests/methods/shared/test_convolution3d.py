from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from tests.operators import loaded

pytestmark = pytest.mark.rank

Triple = tuple[int, int, int]

CASES = [
    # volume, kernel, stride, padding: the shapes of a 3-D ResNet, smaller, and odd numbers of channels
    ((2, 3, 5, 9, 8), (8, 3, 7, 7, 7), (1, 2, 2), (3, 3, 3)),
    ((2, 5, 4, 6, 7), (6, 5, 3, 3, 3), (2, 2, 2), (1, 1, 1)),
    ((3, 4, 4, 5, 5), (8, 4, 1, 1, 1), (2, 2, 2), (0, 0, 0)),
    ((1, 16, 1, 4, 4), (16, 16, 3, 3, 3), (1, 1, 1), (1, 1, 1)),
]


def drawn(shape: Sequence[int], seed: int) -> Any:
    import jittor as jt

    return jt.array(np.random.default_rng(seed).standard_normal(shape).astype(np.float32))


def deviation(ours: Any, theirs: Any) -> float:
    expected = theirs.numpy()
    return float(np.abs(ours.numpy() - expected).max() / np.abs(expected).max())


@pytest.mark.parametrize(("volume", "kernel", "stride", "padding"), CASES)
def test_result_and_gradients_are_those_of_jittors_own_convolution(
    volume: Sequence[int], kernel: Sequence[int], stride: Triple, padding: Triple
) -> None:
    import jittor as jt
    from jittor import nn

    from jack_ray.methods.shared.convolution3d import convolve

    images, weight = drawn(volume, 1), drawn(kernel, 2)
    ours, theirs = convolve(images, weight, stride, padding), nn.conv3d(images, weight, None, stride, padding)
    assert deviation(ours, theirs) < 1e-5
    direction = drawn(ours.shape, 3)
    gradients = [jt.grad((result * direction).sum(), [images, weight]) for result in (ours, theirs)]
    assert [deviation(one, other) < 1e-5 for one, other in zip(*gradients, strict=True)] == [True, True]


def test_another_shape_needs_no_other_operators() -> None:
    from jack_ray.methods.shared.convolution3d import convolve

    def needed_after(size: int) -> set[str]:
        convolve(drawn((1, size, 3, size, 5), 1), drawn((2, size, 3, 1, 1), 2)).sync()
        return loaded()

    known = needed_after(4)
    assert known
    assert [needed_after(size) for size in (6, 7)] == [known, known]


@pytest.mark.parametrize(
    ("shape", "kernel", "stride", "padding"),
    [
        ((2, 3, 4, 6, 5), (3, 3, 3), (2, 2, 2), (1, 1, 1)),
        ((1, 2, 1, 4, 4), (1, 4, 4), (1, 1, 1), (0, 0, 0)),  # as large as the kernel, which Jittor's own refuses
        ((1, 2, 2, 3, 3), (3, 3, 3), (2, 2, 2), (1, 1, 1)),  # smaller than the kernel
        ((1, 2, 1, 1, 1), (3, 3, 3), (2, 2, 2), (1, 1, 1)),
    ],
)
def test_pooling_finds_the_largest_of_each_window_in_volumes_of_any_size(
    shape: Sequence[int], kernel: Triple, stride: Triple, padding: Triple
) -> None:
    import jittor as jt

    from jack_ray.methods.shared.convolution3d import MaxPool

    volume = drawn(shape, 4)
    pooled = MaxPool(kernel, stride, padding)(volume)
    wide = np.pad(volume.numpy(), [(0, 0), (0, 0), *((pad, pad) for pad in padding)], constant_values=-np.inf)
    view: Any = np.lib.stride_tricks.sliding_window_view  # its types know no axes
    windows = view(wide, kernel, axis=(2, 3, 4))
    taken = windows[:, :, :: stride[0], :: stride[1], :: stride[2]].max((5, 6, 7))
    np.testing.assert_array_equal(pooled.numpy(), taken)
    # every window hands its gradient to one place
    assert jt.grad(pooled.sum(), volume).numpy().sum() == taken.size
