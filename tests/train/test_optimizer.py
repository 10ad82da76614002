from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from jack_ray.contract.errors import WeightsError
from jack_ray.methods.roles import Group
from jack_ray.methods.tsl.reference import TRAIN

pytestmark = pytest.mark.rank

SGD: dict[str, Any] = {"optimizer": "sgd", "weight_decay": 0.0}


def start(value: Any, rate: float = 1.0, **settings: Any) -> tuple[Any, Any]:
    """A parameter "w" and its optimiser."""
    import jittor as jt

    from jack_ray.train import optimizer

    parameter = jt.array(np.asarray(value, np.float32))
    config = replace(TRAIN, **({"weight_decay": 0.0} | settings))
    return parameter, optimizer.make(config, [Group({"w": parameter}, rate)])


def follow(value: float, gradients: list[float], lr: float, **settings: Any) -> list[float]:
    """Where a number goes under a row of gradients."""
    import jittor as jt

    parameter, optimizer = start([value], **settings)
    seen = []
    for gradient in gradients:
        optimizer.step({"w": jt.array(np.array([gradient], np.float32))}, lr)
        seen.append(float(parameter.numpy()[0]))
    return seen


def test_adam_moves_as_worked_out_by_hand() -> None:
    # Gradients 0.5, 0.1. Step 1: m = 0.05 / 0.1 = 0.5, v = 0.00025 / 0.001 = 0.25, moved 0.1 * 0.5 / 0.5 = 0.1.
    # Step 2: m = 0.055 / 0.19 = 0.2894737, v = 0.00025975 / 0.001999 = 0.1299400, moved 0.1 * 0.8030430.
    assert follow(1.0, [0.5, 0.1], 0.1) == pytest.approx([0.9, 0.8196957], abs=2e-6)


def test_adams_eps_comes_after_the_bias_correction() -> None:
    # 0.5 / (sqrt(0.25) + 0.1); before the correction it would be 0.05 * sqrt(0.001) / 0.1 / (sqrt(0.00025) + 0.1).
    assert follow(1.0, [0.5], 0.1, eps=0.1) == pytest.approx([1 - 0.1 * 0.5 / 0.6], abs=1e-6)


def test_adams_weight_decay_is_part_of_the_gradient() -> None:
    # gradient 0.3 + 0.1 * 2 = 0.5, so m = 0.5 and sqrt(v) = 0.5
    assert follow(2.0, [0.3], 0.1, weight_decay=0.1, eps=0.5) == pytest.approx([2 - 0.1 * 0.5 / 1.0], abs=1e-6)


def test_sgd_with_momentum_moves_as_worked_out_by_hand() -> None:
    # velocity 1, then 0.9 * 1 + 1 = 1.9
    assert follow(0.0, [1.0, 1.0], 0.1, momentum=0.9, **SGD) == pytest.approx([-0.1, -0.29], abs=1e-6)


def test_nesterovs_momentum_looks_ahead() -> None:
    # 1 + 0.9 * 1 = 1.9, then 1 + 0.9 * 1.9 = 2.71
    moved = follow(0.0, [1.0, 1.0], 0.1, momentum=0.9, nesterov=True, **SGD)
    assert moved == pytest.approx([-0.19, -0.461], abs=1e-6)


def test_plain_sgd_follows_the_gradient_and_the_penalty() -> None:
    settings = SGD | {"weight_decay": 0.5}
    assert follow(2.0, [1.0], 0.1, momentum=0.0, **settings) == pytest.approx([2 - 0.1 * (1 + 0.5 * 2)], abs=1e-6)


def test_a_group_learns_at_its_own_rate() -> None:
    import jittor as jt

    parameter, optimizer = start([0.0], rate=10.0, momentum=0.0, **SGD)
    optimizer.step({"w": jt.array(np.ones(1, np.float32))}, 0.01)
    assert parameter.numpy()[0] == pytest.approx(-0.1)


@pytest.mark.parametrize("settings", [{"weight_decay": 0.1}, SGD | {"weight_decay": 0.1, "momentum": 0.9}])
def test_a_parameter_without_a_gradient_stays(settings: dict[str, Any]) -> None:
    parameter, optimizer = start([3.0], **settings)
    optimizer.step({"w": None}, 0.1)
    optimizer.step({}, 0.1)
    assert parameter.numpy()[0] == 3.0
    assert optimizer.state() == {}


@pytest.mark.parametrize("settings", [{"weight_decay": 5e-4}, SGD | {"momentum": 0.9, "nesterov": True}])
def test_going_on_from_a_saved_state_changes_no_bit(settings: dict[str, Any]) -> None:
    import jittor as jt

    generator = np.random.default_rng(1)
    value = generator.standard_normal((5, 7)).astype(np.float32)
    gradients = [generator.standard_normal((5, 7)).astype(np.float32) for _ in range(6)]
    whole, optimizer = start(value, **settings)
    for gradient in gradients:
        optimizer.step({"w": jt.array(gradient)}, 0.01)
    first, interrupted = start(value, **settings)
    for gradient in gradients[:3]:
        interrupted.step({"w": jt.array(gradient)}, 0.01)
    saved, state = np.array(first.numpy()), {key: np.array(array) for key, array in interrupted.state().items()}
    second, resumed = start(saved, **settings)
    resumed.load(state)
    for gradient in gradients[3:]:
        resumed.step({"w": jt.array(gradient)}, 0.01)
    np.testing.assert_array_equal(second.numpy(), whole.numpy())
    for key, array in optimizer.state().items():
        np.testing.assert_array_equal(resumed.state()[key], array)


def test_the_state_of_another_model_is_refused() -> None:
    _, optimizer = start(np.zeros((2, 3)))
    with pytest.raises(WeightsError, match=r"w/first \[4\], which this model has not"):
        optimizer.load({"w/first": np.zeros(4, np.float32)})
    with pytest.raises(WeightsError, match="other/number"):
        optimizer.load({"other/number": np.ones(1, np.int64)})
