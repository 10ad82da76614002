"""What our kernels compute beside Jittor's own operators."""

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.rank


@pytest.fixture(autouse=True)
def own_kernels() -> Iterator[None]:
    from jack_ray.methods.shared import kernels

    kernels.choose("auto")
    yield
    kernels.choose("auto")


def drawn(shape: Sequence[int], seed: int) -> Any:
    import jittor as jt

    return jt.array(np.random.default_rng(seed).standard_normal(shape).astype(np.float32))


def both_ways(compute: Callable[..., Any], inputs: Sequence[Any]) -> list[list[Any]]:
    """Result and gradients of all inputs: with our kernels, and with Jittor's operators."""
    import jittor as jt

    from jack_ray.methods.shared import kernels

    found = []
    kinds: tuple[kernels.Kernels, ...] = ("auto", "plain")
    for kind in kinds:
        kernels.choose(kind)
        result = compute(*inputs)
        gradients = jt.grad((result * drawn(result.shape, 9)).sum(), list(inputs))
        found.append([var.numpy() for var in (result, *gradients)])
    return found


def assert_alike(found: Sequence[Sequence[Any]], tolerance: float) -> None:
    for one, other in zip(*found, strict=True):
        assert np.abs(one - other).max() <= tolerance * np.abs(other).max()


@pytest.mark.parametrize("rectifies", [False, True])
@pytest.mark.parametrize("has_bias", [False, True])
@pytest.mark.parametrize("shape", [(2, 5, 9, 8), (149, 5, 9, 8), (1, 5, 1, 21)])
def test_pictures_and_rows_are_convolved_as_by_jittor(shape: tuple[int, ...], rectifies: bool, has_bias: bool) -> None:
    """149 are convolved in pieces that overlap; 0s are put behind a row of 21."""
    from jack_ray.methods.shared.convolution import convolve

    inputs = [drawn(shape, 1), drawn((6, 5, 3, 4), 2), *([drawn((6,), 3)] if has_bias else [])]

    def compute(images: Any, weight: Any, bias: Any = None) -> Any:
        return convolve(images, weight, bias, (2, 1), (1, 2), rectifies=rectifies)

    assert_alike(both_ways(compute, inputs), tolerance=1e-5)


NORMALISED = [
    *product([(7, 3, 2, 2), (4, 3, 5, 2), (2, 3, 40, 50)], [False, True], [False, True]),
    # another number of axes is compiled anew: once with all there is; test_batchnorm.py has all without either
    ((7, 3), True, True),
    ((4, 3, 5), True, True),
]
"""Shape, with a rectifier, with a short cut."""


@pytest.mark.parametrize(("shape", "rectifies", "has_short_cut"), NORMALISED)
def test_a_batch_is_normalised_as_by_jittor(shape: tuple[int, ...], rectifies: bool, has_short_cut: bool) -> None:
    from jack_ray.methods.shared.batchnorm import BatchNorm

    inputs = [drawn(shape, 1) * 2 + 5, drawn((3,), 2), drawn((3,), 3), *([drawn(shape, 4)] if has_short_cut else [])]
    running = []

    def compute(images: Any, weight: Any, bias: Any, short_cut: Any = None) -> Any:
        norm = BatchNorm(3, rectifies=rectifies)
        norm.weight, norm.bias = weight, bias
        result = norm(images, short_cut)
        running.append(np.stack([norm.running_mean.numpy(), norm.running_var.numpy()]))
        return result

    # the gradient of the images is a small difference of large terms
    assert_alike(both_ways(compute, inputs), tolerance=2e-5)
    np.testing.assert_allclose(running[0], running[1], rtol=1e-5)


def test_the_images_of_one_call_are_normalised_as_by_jittor() -> None:
    from jack_ray.methods.shared.batchnorm import SampleBatchNorm

    noted = []

    def compute(images: Any, weight: Any, bias: Any) -> Any:
        norm = SampleBatchNorm(3)
        norm.weight, norm.bias = weight, bias
        result = norm(images)
        noted.append(norm.take_notes()[0].numpy())
        return result

    inputs = [drawn((2, 3, 40, 50), 1) * 2 + 5, drawn((3,), 2), drawn((3,), 3)]
    assert_alike(both_ways(compute, inputs), tolerance=2e-5)
    np.testing.assert_allclose(noted[0], noted[1], rtol=1e-5)


@pytest.mark.parametrize("pools", [1, 4])
def test_each_sample_is_normalised_with_its_own_images(pools: int) -> None:
    """Many numbers are equal, and the gradient of the largest of a square goes to the first."""
    from jack_ray.methods.shared.batchnorm import SampleBatchNorm

    noted = []

    def compute(images: Any, weight: Any, bias: Any) -> Any:
        norm = SampleBatchNorm(3, pools=pools)
        norm.weight, norm.bias = weight, bias
        result = norm(images, (4, 1, 2))
        noted.append(norm.take_notes()[0].numpy())
        return result

    inputs = [(drawn((7, 3, 40, 50), 1) * 2 + 5).round(), drawn((3,), 2), drawn((3,), 3)]
    assert_alike(both_ways(compute, inputs), tolerance=2e-5)
    assert noted[0].shape == (3, 2, 3)
    np.testing.assert_allclose(noted[0], noted[1], rtol=1e-5)
    of_last = inputs[0].numpy()[5:].astype(np.float64)
    np.testing.assert_allclose(noted[0][2, 0], of_last.mean((0, 2, 3)), rtol=1e-5)
    np.testing.assert_allclose(noted[0][2, 1], of_last.var((0, 2, 3), ddof=1), rtol=1e-5)


@pytest.mark.parametrize("has_short_cut", [False, True])
def test_several_ranks_normalise_with_what_all_of_them_saw(has_short_cut: bool) -> None:
    """Two ranks with the same images: the sum over ranks is twice one's own, and nothing changes but the count."""
    import jittor as jt

    from jack_ray.methods.shared.fused_norm import FusedNorm

    inputs = [
        drawn((3, 4, 60), 1) + 3,
        drawn((4,), 2),
        drawn((4,), 3),
        *([drawn((3, 4, 60), 4)] if has_short_cut else []),
    ]
    found = []
    for over_ranks in (None, lambda values: values * 2):
        norm = FusedNorm(1e-5, True, over_ranks)
        result = norm(*inputs, *([] if has_short_cut else [None]))
        gradients = jt.grad((result * drawn(result.shape, 9)).sum(), inputs)
        found.append([var.numpy() for var in (result, norm.mean, norm.variance, *gradients)])
        assert norm.count == (180 if over_ranks is None else 360)
    assert_alike(found, tolerance=1e-5)


def test_statistics_of_unlike_ranks_are_put_together() -> None:
    import jittor as jt

    from jack_ray.methods.shared.fused_norm import FusedNorm

    images = np.random.default_rng(1).standard_normal((5, 2, 30)).astype(np.float32) + 100
    other = np.random.default_rng(2).standard_normal((2, 2, 30)) * 3 + 90
    mean = other.mean((0, 2))
    told: list[Any] = []

    def over_ranks(values: Any) -> Any:
        """What the other rank adds: its sums and its count, then its squares around the mean of both."""
        told.append(values)
        if len(told) == 1:
            return values + jt.array(np.append(mean * 60, 60.0))
        both = (images.sum((0, 2), np.float64) + mean * 60) / 210
        return values + jt.array((other.var((0, 2)) + (mean - both) ** 2) * 60)

    norm = FusedNorm(1e-5, False, over_ranks)
    norm(jt.array(images), jt.ones((2,)), jt.zeros((2,)), None).sync()
    everything = np.concatenate([images.astype(np.float64), other])
    np.testing.assert_allclose(norm.mean.numpy(), everything.mean((0, 2)), rtol=1e-6)
    np.testing.assert_allclose(norm.variance.numpy(), everything.var((0, 2)), rtol=1e-5)


def test_joints_are_multiplied_as_by_jittor() -> None:
    from jack_ray.methods.gait.graph_product import affinity, spread

    assert_alike(both_ways(affinity, [drawn((2, 6, 21, 16), 1)]), tolerance=1e-5)
    assert_alike(both_ways(spread, [drawn((2, 21, 16), 1), drawn((2, 3, 16, 16), 2)]), tolerance=1e-5)


def test_plain_computes_without_our_kernels() -> None:
    import jittor as jt

    from jack_ray.methods.shared import kernels
    from jack_ray.methods.shared.batchnorm import BatchNorm
    from jack_ray.methods.shared.convolution import convolve

    def operators() -> int:
        jt.sync_all(True)
        with jt.profile_scope(0, 1) as report:
            BatchNorm(3)(convolve(drawn((1, 2, 5, 5), 1), drawn((3, 2, 1, 1), 2), drawn((3,), 3))).sync()
        return sum(str(row[0]).startswith("code") for row in report[1:])

    assert operators() == 2
    kernels.choose("plain")
    assert operators() == 0


def can_halve() -> bool:
    return any(flag in Path("/proc/cpuinfo").read_text().split() for flag in ("amx_bf16", "avx512_bf16"))


@pytest.mark.skipif(not can_halve(), reason="this processor does not multiply bfloat16")
def test_bfloat16_convolves_with_the_digits_it_has() -> None:
    import jittor as jt

    from jack_ray.methods.shared import kernels
    from jack_ray.methods.shared.convolution import convolve

    inputs = [drawn((2, 32, 9, 8), 1), drawn((16, 32, 3, 3), 2), drawn((16,), 3)]
    found = []
    precisions: tuple[kernels.Precision, ...] = ("bfloat16", "float32")
    for precision in precisions:
        kernels.choose("auto", precision)
        result = convolve(inputs[0], inputs[1], inputs[2], (1, 1), (1, 1))
        gradients = jt.grad((result * drawn(result.shape, 9)).sum(), inputs)
        found.append([var.numpy() for var in (result, *gradients)])
    assert_alike(found, tolerance=1e-2)
    assert np.abs(found[0][0] - found[1][0]).max() > 0, "nothing was rounded"


def test_bfloat16_is_refused_where_it_cannot_be_had(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from jack_ray.contract.errors import TrainError
    from jack_ray.methods.shared import kernels

    with pytest.raises(TrainError, match="for jack_ray"):
        kernels.choose("plain", "bfloat16")
    monkeypatch.setattr(kernels, "PROCESSOR", tmp_path / "cpuinfo")
    (tmp_path / "cpuinfo").write_text("flags : fpu avx2")
    with pytest.raises(TrainError, match="needs a processor"):
        kernels.choose("auto", "bfloat16")
