from typing import Any

import numpy as np
import pytest

from jack_ray.methods.roles import OneByOne, whole_loss
from jack_ray.methods.vaanet.reference import CLASSES, MODEL

pytestmark = pytest.mark.rank


class Fixed:
    """A model with given logits."""

    def __init__(self, logits: Any) -> None:
        self.logits = logits

    def training_outputs(self, batch: Any) -> dict[str, Any]:
        """The logits."""
        return {"logits": self.logits}


def test_the_loss_is_the_polarity_consistent_one_and_tells_the_plain_one() -> None:
    import jittor as jt

    from jack_ray.methods.vaanet.loss import Loss

    # Both samples have equal logits but for a tiny lead of Anger; the first is Fear (same polarity), the second Trust.
    logits = np.zeros((2, 8), np.float32)
    logits[:, 0] = 1e-4
    batch = {"label": np.array([3, 7]), "classes": CLASSES}
    loss, terms = whole_loss(Loss(MODEL)(Fixed(jt.array(logits)), batch, OneByOne()))
    assert loss.numpy()[0] == pytest.approx(1.25 * np.log(8), rel=1e-4)
    assert terms["loss_ce"].numpy()[0] == pytest.approx(np.log(8), rel=1e-4)
