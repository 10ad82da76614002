from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.rank


def layer(channels: int = 1) -> Any:
    from jack_ray.methods.shared.batchnorm import SampleBatchNorm

    return SampleBatchNorm(channels)


def images(values: Sequence[float]) -> Any:
    """(B, 1, 1, 1)"""
    import jittor as jt

    return jt.array(np.array(values, np.float32).reshape(-1, 1, 1, 1))


def running(module: Any) -> tuple[float, float]:
    return float(module.running_mean.numpy()[0]), float(module.running_var.numpy()[0])


def see(module: Any, values: Sequence[float]) -> list[Any]:
    """The statistics that one call notes."""
    from jack_ray.methods.shared.batchnorm import drain

    module(images(values))
    return drain(module)


def test_training_normalises_with_the_calls_own_statistics() -> None:
    assert layer()(images([1, 3])).numpy().ravel() == pytest.approx([-1, 1], abs=1e-5)


def test_evaluation_normalises_with_the_running_statistics() -> None:
    module = layer()
    module.eval()
    assert module(images([1, 3])).numpy().ravel() == pytest.approx([1, 3], abs=1e-4)


def test_a_large_mean_costs_no_digits() -> None:
    values = np.random.default_rng(1).normal(1e4, 1, 4000)
    normalised = layer()(images(list(values))).numpy()
    assert normalised.std() == pytest.approx(1, abs=1e-3)


def test_running_statistics_follow_as_pytorchs_do() -> None:
    # torch.nn.BatchNorm2d on the batch [1, 3]: mean 0.1 * 2, variance 0.9 + 0.1 * 2 (unbiased)
    from jack_ray.methods.shared.batchnorm import absorb

    module = layer()
    absorb(module, see(module, [1, 3]))
    assert running(module) == pytest.approx((0.2, 1.1))


def test_a_call_alone_leaves_the_running_statistics() -> None:
    module = layer()
    see(module, [1, 3])
    assert running(module) == (0.0, 1.0)


def test_what_two_ranks_saw_gives_what_one_would_have_seen() -> None:
    from jack_ray.methods.shared.batchnorm import absorb

    samples = [[1.0, 3.0], [2.0, 8.0, 5.0], [-1.0, 0.5], [4.0, 4.5]]
    alone, left, right = layer(), layer(), layer()
    for sample in samples:
        absorb(alone, see(alone, sample))
    gathered = [see(left, samples[0]), see(left, samples[1]), see(right, samples[2]), see(right, samples[3])]
    for rank in (left, right):
        absorb(rank, [noted for statistics in gathered for noted in statistics])
    assert running(left) == running(right) == running(alone)


def test_statistics_are_taken_in_the_order_of_the_calls() -> None:
    import jittor as jt

    from jack_ray.methods.shared.batchnorm import absorb, drain

    first, second = layer(), layer()
    model = jt.nn.Sequential(first, second)
    for values in ([1, 3], [10, 14]):
        second(first(images(values)))
    drained = drain(model)
    assert [round(float(noted[0, 0]), 3) for noted in drained] == [2, 0, 12, 0]
    assert drain(model) == []
    absorb(model, drained)
    assert running(first)[0] == pytest.approx(0.9 * 0.2 + 0.1 * 12)


def test_statistics_of_another_model_are_refused() -> None:
    import jittor as jt

    from jack_ray.methods.shared.batchnorm import absorb, drain

    first, second = layer(), layer()
    with pytest.raises(ValueError, match="do not fit 2 layers"):
        absorb(jt.nn.Sequential(first, second), see(layer(), [1, 3]))
    first(images([1, 3]))
    with pytest.raises(ValueError, match="different number of times"):
        drain(jt.nn.Sequential(first, second))


def test_running_statistics_are_not_learnt() -> None:
    module = layer()
    assert module.running_mean.is_stop_grad()
    assert module.running_var.is_stop_grad()


def by_hand(images: Any, weight: Any, bias: Any) -> Any:
    """Ioffe and Szegedy 2015, algorithm 1, in float64."""
    axes = tuple(axis for axis in range(images.ndim) if axis != 1)
    mean, variance = images.mean(axes, keepdims=True), images.var(axes, keepdims=True)
    along = (1, -1, *(1,) * (images.ndim - 2))
    return (images - mean) / np.sqrt(variance + 1e-5) * weight.reshape(along) + bias.reshape(along)


@pytest.mark.parametrize("shape", [(6, 3), (4, 3, 5), (2, 3, 4, 5), (2, 3, 2, 3, 4)])
def test_a_batch_is_normalised_with_its_own_statistics_and_the_right_gradients(shape: tuple[int, ...]) -> None:
    import jittor as jt

    from jack_ray.methods.shared.batchnorm import BatchNorm

    draw = np.random.RandomState(len(shape))
    images = draw.standard_normal(shape) * 2 + 100  # a large mean, where E[x^2] - E[x]^2 loses its digits
    aim, weight, bias = draw.standard_normal(shape), draw.uniform(0.5, 2, 3), draw.standard_normal(3)
    norm = BatchNorm(3)
    norm.weight.update(jt.array(weight.astype(np.float32)))
    norm.bias.update(jt.array(bias.astype(np.float32)))
    given = jt.array(images.astype(np.float32))
    given.start_grad()
    found = norm(given)
    gradients = jt.grad((found * jt.array(aim.astype(np.float32))).sum(), [given, norm.weight, norm.bias])
    np.testing.assert_allclose(found.numpy(), by_hand(images, weight, bias), atol=2e-4)

    def loss(images: Any, weight: Any, bias: Any) -> float:
        return float((by_hand(images, weight, bias) * aim).sum())

    for place, gradient in enumerate(gradients):
        arguments = [images, weight, bias]
        for index in [(0,) * arguments[place].ndim, tuple(size - 1 for size in arguments[place].shape)]:
            sides = []
            for step in (1e-5, -1e-5):
                moved = [one.copy() for one in arguments]
                moved[place][index] += step
                sides.append(loss(*moved))
            assert gradient.numpy()[index] == pytest.approx((sides[0] - sides[1]) / 2e-5, rel=2e-3, abs=2e-3)

    axes = tuple(axis for axis in range(len(shape)) if axis != 1)
    np.testing.assert_allclose(norm.running_mean.numpy(), 0.1 * images.mean(axes), rtol=1e-5)
    np.testing.assert_allclose(norm.running_var.numpy(), 0.9 + 0.1 * images.var(axes, ddof=1), rtol=1e-4)


def test_frozen_statistics_are_used_and_left_as_they_are() -> None:
    import jittor as jt

    from jack_ray.methods.shared.batchnorm import BatchNorm

    norm = BatchNorm(2)
    norm.running_mean.update(jt.array([1.0, -1.0]))
    norm.running_var.update(jt.array([4.0, 0.25]))
    norm.frozen = True
    norm.train()
    found = norm(jt.array([[3.0, 0.0], [1.0, -1.0]]))
    np.testing.assert_allclose(found.numpy(), [[1.0, 2.0], [0.0, 0.0]], atol=1e-4)  # (3 - 1) / 2, (0 + 1) / 0.5
    norm.frozen = False
    norm.eval()
    np.testing.assert_allclose(norm(jt.array([[3.0, 0.0]])).numpy(), [[1.0, 2.0]], atol=1e-4)
    np.testing.assert_allclose(norm.running_mean.numpy(), [1.0, -1.0])
    np.testing.assert_allclose(norm.running_var.numpy(), [4.0, 0.25])
