from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytestmark = pytest.mark.rank

SAMPLES, WIDTH = 16, 64


def network() -> tuple[Any, dict[str, Any]]:
    """Two layers without normalisation, and their parameters."""
    import jittor as jt
    from jittor import nn

    from jack_ray.methods.shared.linear import Linear

    jt.set_global_seed(5)
    model = nn.Sequential(Linear(WIDTH, WIDTH), nn.Tanh(), Linear(WIDTH, 1))
    jt.sync_all(True)
    return model, dict(model.state_dict())


def gradient(parts: int) -> tuple[dict[str, NDArray[np.float32]], list[tuple[int, int]]]:
    """Of the same samples in so many parts; after each part, how many arrays and operators live."""
    import jittor as jt

    from jack_ray.train.gradients import add_gradient

    model, parameters = network()
    inputs = np.random.default_rng(3).standard_normal((SAMPLES, WIDTH)).astype(np.float32)
    total: dict[str, Any] = {}
    alive = []
    for part in np.split(inputs, parts):
        terms = {"square": (model(jt.array(part)) ** 2).mean()}
        loss = terms["square"] * 0.5
        add_gradient(total, loss, parameters, 1 / parts, terms=terms.values(), state=model.state_dict().values())
        del loss, terms
        alive.append((jt.number_of_lived_vars(), jt.number_of_lived_ops()))
    return {name: var.numpy() for name, var in total.items()}, alive


@pytest.mark.parametrize("parts", [2, 8])
def test_the_gradient_of_parts_is_that_of_the_whole(parts: int) -> None:
    whole, _ = gradient(1)
    cut, _ = gradient(parts)
    assert list(cut) == list(whole)
    for name, values in whole.items():
        np.testing.assert_allclose(cut[name], values, rtol=1e-4, atol=1e-6)


def test_more_parts_keep_no_more_arrays() -> None:
    _, alive = gradient(8)
    assert len(set(alive)) == 1, alive
    assert alive[0][1] == 0, "nothing that led to a gradient is kept"


def test_a_step_keeps_nothing_of_the_weights_before_it() -> None:
    import jittor as jt

    from jack_ray.methods.roles import Group
    from jack_ray.methods.tsl.reference import TRAIN
    from jack_ray.train import optimizer
    from jack_ray.train.gradients import add_gradient

    model, parameters = network()
    rule = optimizer.make(TRAIN, [Group(parameters)])
    alive = []
    for _ in range(3):
        total: dict[str, Any] = {}
        add_gradient(total, (model(jt.ones((2, WIDTH))) ** 2).mean(), parameters, 1.0, terms=[], state=[])
        assert all(float((var * var).sum().numpy()[0]) > 0 for var in total.values()), "the weights are still learnt"
        rule.step(total, 1e-3)
        del total
        alive.append(jt.number_of_lived_vars())
    assert len(set(alive)) == 1, alive


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (1, [(4, [0, 1, 2, 3])]),
        (3, [(4, [0]), (5, [1]), (6, [2, 3])]),
        (9, [(4, [0]), (5, [1]), (6, [2]), (7, [3])]),  # no more parts than samples
    ],
)
def test_a_ranks_samples_are_cut_into_parts_in_order(parts: int, expected: list[tuple[int, list[int]]]) -> None:
    from jack_ray.train.loop import Training

    second: Any = SimpleNamespace(
        ranks=SimpleNamespace(rank=1, size=2),
        data=SimpleNamespace(separate=False),
        config=SimpleNamespace(parts=parts),
        _incoming=iter([{"number": number} for number in range(4)]),
    )
    step: Any = SimpleNamespace(indices=list(range(8)))
    found = [(first, [sample["number"] for sample in read]) for first, read in Training._batches(second, step)]
    assert found == expected


def test_separate_samples_are_joined_as_far_as_they_fit_together() -> None:
    from jack_ray.train.loop import Training

    def fits(samples: list[dict[str, int]]) -> bool:
        return sum(sample["number"] for sample in samples) <= 5

    second: Any = SimpleNamespace(
        ranks=SimpleNamespace(rank=1, size=2),
        data=SimpleNamespace(separate=True, fit_together=fits),
        _incoming=iter([{"number": number} for number in (2, 3, 9, 1, 4, 7)]),
    )
    second._joined = lambda first, read: Training._joined(second, first, read)
    step: Any = SimpleNamespace(indices=list(range(10)))
    found = [(first, [sample["number"] for sample in read]) for first, read in Training._batches(second, step)]
    assert found == [(5, [2, 3]), (7, [9]), (8, [1, 4])]
    assert next(second._incoming) == {"number": 7}
