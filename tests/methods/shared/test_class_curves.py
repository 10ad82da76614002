"""Precision-recall curves and calibration, held against scikit-learn."""

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import average_precision_score, precision_recall_curve

from jack_ray.methods.shared.class_curves import NUM_BINS, calibration, precision_recall, softmax

GENERATOR = np.random.default_rng(7)
TRUTH = GENERATOR.random((200, 4)) < (0.5, 0.2, 0.05, 0.9)
SCORES = np.round(GENERATOR.random((200, 4)) * 0.7 + 0.3 * TRUTH, 2).astype(
    np.float64
)  # rounded, so that many are equal


@pytest.mark.parametrize("k", range(4))
def test_average_precisions_are_those_of_scikit_learn(k: int) -> None:
    curve = precision_recall(TRUTH[:, k], SCORES[:, k])
    assert curve is not None
    assert curve.average == pytest.approx(average_precision_score(TRUTH[:, k], SCORES[:, k]), abs=1e-12)


@pytest.mark.parametrize("k", range(4))
def test_the_points_of_a_curve_are_those_of_scikit_learn(k: int) -> None:
    curve = precision_recall(TRUTH[:, k], SCORES[:, k])
    assert curve is not None
    precision, recall, _ = precision_recall_curve(TRUTH[:, k], SCORES[:, k])
    # Theirs rises in the threshold, and ends with a point at recall 0 that no score stands for.
    np.testing.assert_allclose(curve.precision, precision[-2::-1])
    np.testing.assert_allclose(curve.recall, recall[-2::-1])


def test_a_mean_curve_has_the_mean_average_precision_below_it() -> None:
    grid = (np.arange(20_000) + 0.5) / 20_000
    curves = [precision_recall(TRUTH[:, k], SCORES[:, k]) for k in range(4)]
    found = [curve for curve in curves if curve is not None]
    area = np.mean([curve.at(grid) for curve in found])
    assert area == pytest.approx(average_precision_score(TRUTH, SCORES, average="macro"), abs=1e-3)


def test_a_class_that_no_sample_has_has_no_curve() -> None:
    assert precision_recall(np.zeros(3, np.bool_), np.array([0.1, 0.2, 0.3])) is None


def test_bins_are_those_of_scikit_learn() -> None:
    true, claimed = calibration_curve(TRUTH.ravel(), SCORES.ravel(), n_bins=NUM_BINS)
    found = calibration(TRUTH.ravel(), SCORES.ravel())
    seen = found.counts > 0
    np.testing.assert_allclose(found.true[seen], true)
    np.testing.assert_allclose(found.claimed[seen], claimed)
    assert found.counts.sum() == TRUTH.size
    weights = found.counts[seen] / TRUTH.size
    assert found.error == pytest.approx(float((weights * np.abs(true - claimed)).sum()))


def test_the_expected_calibration_error_is_that_counted_by_hand() -> None:
    # Two claims of 0.9, one true: off by 0.4. Two of 0.6, both true: off by 0.4. One of 0.2, not true: off by 0.2.
    found = calibration(np.array([1, 0, 1, 1, 0], np.bool_), np.array([0.9, 0.9, 0.6, 0.6, 0.2]))
    assert found.error == pytest.approx((2 * 0.4 + 2 * 0.4 + 0.2) / 5)


def test_an_interval_is_wilsons_and_holds_the_share() -> None:
    # 8 of 10: 0.490 to 0.943 (Newcombe 1998, the score method without correction).
    found = calibration(np.array([1] * 8 + [0] * 2, np.bool_), np.full(10, 0.95))
    low, high = (end[-1] for end in found.interval())
    assert (low, high) == (pytest.approx(0.490, abs=1e-3), pytest.approx(0.943, abs=1e-3))


def test_nothing_claimed_is_not_wrong() -> None:
    found = calibration(np.zeros(0, np.bool_), np.zeros(0))
    assert found.error == 0
    assert np.isfinite(np.array(found.interval())).all()


def test_large_scores_do_not_overflow() -> None:
    np.testing.assert_allclose(softmax(np.array([[1000.0, 1000.0], [-1000.0, 0.0]])), [[0.5, 0.5], [0.0, 1.0]])
