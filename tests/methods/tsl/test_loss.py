import json
from dataclasses import replace
from math import log
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jack_ray.contract.errors import TrainError
from jack_ray.methods.tsl import seed_search
from jack_ray.methods.tsl.reference import MODEL
from jack_ray.methods.tsl.row import Row

pytestmark = pytest.mark.rank

GOLDEN = Path(seed_search.__file__).parent / "golden" / "tsl.json"


def var(values: Any) -> Any:
    import jittor as jt

    return jt.array(np.asarray(values, np.float32))


def number(term: Any) -> float:
    return float(term.numpy().reshape(-1)[0])


def golden_outputs() -> tuple[dict[str, Any], np.ndarray[Any, Any], dict[str, float]]:
    """The model's outputs, points and expected terms of golden/tsl.json."""
    golden = json.loads(GOLDEN.read_text())
    outputs = {
        "scores": var(golden["seed_search"]["scores"]),
        "video_distribution": var([[0.35, 0.65]]),
        "cpc": var([-3.5]),
    }
    points = np.array(golden["seed_search"]["point_anno_padded"][0], np.float32)[:, :2]
    return outputs, points, golden["loss"]


def combined(cpc_sign: Any) -> tuple[float, dict[str, float]]:
    from jack_ray.methods.tsl.loss import combine

    outputs, points, _ = golden_outputs()
    distribution = np.array([0.4, 0.6], np.float32)
    total, terms = combine(outputs, points, distribution, replace(MODEL, cpc_sign=cpc_sign), Row((len(points),)))
    return number(total), {name: number(term) for name, term in terms.items()}


def test_every_term_is_that_of_the_authors_code() -> None:
    expected = golden_outputs()[2]
    total, terms = combined("code")
    assert total == pytest.approx(expected["total"], rel=1e-5)
    assert terms == pytest.approx(
        {
            "loss_vid": expected["loss_vid_ldl"],
            "loss_frame": expected["loss_frame"],
            "loss_pact": expected["loss_frame_pact"],
            "loss_bkg": expected["loss_frame_bkg"],
            "cpc": -3.5,
        },
        rel=1e-4,
    )


def test_the_papers_sign_lowers_the_loss_of_features_that_predict_well() -> None:
    # lambda 1 times the log-probability -3.5: added by the code, subtracted by the paper
    assert combined("paper")[0] - combined("code")[0] == pytest.approx(7.0, rel=1e-5)


def test_a_class_that_does_not_occur_adds_nothing_to_the_divergence() -> None:
    from jack_ray.methods.tsl.loss import video_loss

    loss = video_loss(var([[0.2, 0.8]]), np.array([0.0, 1.0], np.float32))
    assert number(loss) == pytest.approx(-log(0.8) / 2, rel=1e-5)


def test_the_frame_loss_is_as_worked_out_by_hand() -> None:
    from jack_ray.methods.tsl.loss import frame_loss

    # One point of n (0.9, 0.1, 0) in two snippets; the unlabelled one has no weight.
    scores, target = [[0.8, 0.3, 0.1], [0.5, 0.5, 0.5]], (0.9, 0.1, 0.0)
    terms = [
        ((1 - s) * y + s * (1 - y)) ** 2 * -(y * log(s) + (1 - y) * log(1 - s))
        for s, y in zip(scores[0], target, strict=True)
    ]
    loss = frame_loss(var(scores), np.array([target, (0, 0, 0)], np.float32), Row((2,)))
    assert number(loss) == pytest.approx(sum(terms), rel=1e-5)


def test_the_background_loss_is_as_worked_out_by_hand() -> None:
    from jack_ray.methods.tsl.loss import background_loss

    # Target (0, 0, 1): misses 0.2, 0.1, 0.4, so 0.04 ln 1/0.8 + 0.01 ln 1/0.9 + 0.16 ln 1/0.6; the weight cancels.
    loss = background_loss(var([[0.2, 0.1, 0.6], [0.9, 0.9, 0.9]]), np.array([0.97, 0], np.float32), Row((2,)))
    assert number(loss) == pytest.approx(-(0.04 * log(0.8) + 0.01 * log(0.9) + 0.16 * log(0.6)), rel=1e-5)


def test_nothing_to_learn_costs_nothing() -> None:
    from jack_ray.methods.tsl.loss import background_loss, pseudo_label_loss

    scores = var(np.full((3, 3), 0.5))
    assert number(background_loss(scores, np.zeros(3, np.float32), Row((3,)))) == 0
    assert number(pseudo_label_loss(scores, np.zeros((3, 3), np.float32), Row((3,)))) == 0


def test_logarithms_end_at_minus_100_as_in_pytorch() -> None:
    from jack_ray.methods.tsl.loss import frame_loss

    # torch.nn.functional.binary_cross_entropy clamps: a score of 0 for a target of 1 costs 100.
    loss = frame_loss(var([[0.0, 0.0, 0.0]]), np.array([[1, 0, 0]], np.float32), Row((1,)))
    assert number(loss) == pytest.approx(100)


def test_saturated_scores_have_a_finite_loss_and_gradient() -> None:
    import jittor as jt

    from jack_ray.methods.tsl.loss import combine
    from jack_ray.methods.tsl.model import fuse

    logits = np.zeros((1, 12, 3), np.float32)
    logits[0, :4], logits[0, 4:8, 2], logits[0, 8:] = (-200, 200, 90), 200, (100, -100, -300)
    points = np.zeros((12, 2), np.float32)
    points[[2, 6, 9]] = (0.9, 0.1)
    given = jt.array(logits)
    outputs = {"scores": fuse(jt.sigmoid(given)), "video_distribution": var([[1.0, 0.0]]), "cpc": var([-1.0])}
    total, _ = combine(outputs, points, np.array([0.5, 0.5], np.float32), MODEL, Row((12,)))
    assert np.isfinite(number(total))
    assert np.isfinite(jt.grad(total, given).numpy()).all()


def test_a_video_without_points_is_named() -> None:
    from jack_ray.methods.roles import OneByOne
    from jack_ray.methods.tsl.loss import Loss

    with pytest.raises(TrainError, match="12_joy has no labelled point"):
        batch = {"name": "12_joy", "rgb": np.zeros((1, 9, 1)), "points": np.zeros((9, 2), np.float32)}
        Loss(MODEL)(None, batch, OneByOne())
