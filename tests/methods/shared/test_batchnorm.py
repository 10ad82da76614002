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
