import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from jack_ray.contract.errors import ConfigError
from jack_ray.methods.vaanet.reference import CLASSES, MODEL

pytestmark = pytest.mark.rank


def loss_of(logits: Any, labels: list[int], classes: tuple[str, ...] = CLASSES, **changes: Any) -> tuple[float, float]:
    import jittor as jt

    from jack_ray.methods.shared.class_loss import ClassLoss

    loss = ClassLoss(replace(MODEL, **changes))
    found = loss(jt.array(np.asarray(logits, np.float32)), np.asarray(labels, np.int64), classes)
    return float(found[0].numpy()[0]), float(found[1].numpy()[0])


def entropy(row: list[float], label: int) -> float:
    return math.log(sum(math.exp(value) for value in row)) - row[label]


def test_each_sample_has_its_own_weight() -> None:
    # Taken for Anger (negative): the first truly is Sadness, the second truly is Joy. A mean of weights times a mean
    # of entropies would be another number.
    rows = [[3.0, 0, 0, 0, 0, 1, 0, 0], [2.0, 0, 0, 0, 0, 0, 0, 0]]
    first, second = entropy(rows[0], 5), entropy(rows[1], 4)
    loss, plain = loss_of(rows, [5, 4])
    assert loss == pytest.approx((first + 1.5 * second) / 2, rel=1e-6)
    assert plain == pytest.approx((first + second) / 2, rel=1e-6)
    assert loss != pytest.approx(1.25 * plain, rel=1e-3)


def test_cross_entropy_knows_no_polarity() -> None:
    rows = [[2.0, 0, 0, 0, 0, 0, 0, 0]]
    assert loss_of(rows, [4], loss="ce") == pytest.approx((entropy(rows[0], 4),) * 2, rel=1e-6)


def test_the_penalty_is_the_settings() -> None:
    rows = [[2.0, 0, 0, 0, 0, 0, 0, 0]]
    assert loss_of(rows, [4], polarity_penalty=2.0)[0] == pytest.approx(3 * entropy(rows[0], 4), rel=1e-6)


def test_ekman_6_has_its_polarities_whatever_the_case() -> None:
    ekman = ("anger", "disgust", "fear", "joy", "sadness", "surprise")
    row = [0.0, 0, 0, 2, 0, 0]  # taken for joy
    penalised = [loss_of([row], [label], ekman)[0] / entropy(row, label) for label in range(6)]
    assert penalised == pytest.approx([1.5, 1.5, 1.5, 1, 1.5, 1], rel=1e-6)


def test_a_class_without_a_polarity_is_told() -> None:
    with pytest.raises(ConfigError, match=r"no Neutral; expected every class of the data") as caught:
        loss_of([[0.0, 0, 0]], [0], ("Anger", "Joy", "Neutral"))
    assert "or type model.loss=ce" in str(caught.value)


def test_the_weights_are_not_differentiated() -> None:
    import jittor as jt

    from jack_ray.methods.shared.class_loss import ClassLoss

    logits = jt.array(np.array([[2.0, 0, 0, 0, 0, 0, 0, 0]], np.float32))
    loss, plain = ClassLoss(MODEL)(logits, np.array([4]), CLASSES)
    ours, theirs = jt.grad(loss, logits).numpy(), jt.grad(plain, logits).numpy()
    np.testing.assert_allclose(ours, 1.5 * theirs, rtol=1e-6)
