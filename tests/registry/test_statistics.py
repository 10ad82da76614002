"""Numbers of a card against hand-worked values, scikit-learn, and the evaluation that training uses."""

import math
from typing import Any

import numpy as np
import pytest
from sklearn import calibration as sklearn_calibration
from sklearn import metrics

from jack_ray.contract.errors import JackRayError
from jack_ray.contract.scored import of_classes, of_labels, of_segments
from jack_ray.methods.shared.detection import Detection, Segment, evaluate
from jack_ray.registry.bootstrap import intervals
from jack_ray.registry.segments import Videos
from jack_ray.registry.statistics import average_precision, calibration, measure

LABELS = ("a", "b", "c")


def drawn_classes(num: int) -> dict[str, tuple[int, list[float]]]:
    random = np.random.default_rng(3)
    return {f"{number}": (int(random.integers(2)), random.dirichlet([1, 1, 1]).tolist()) for number in range(num)}


def test_the_interval_of_a_share_is_that_of_the_normal_approximation() -> None:
    right = np.repeat([1.0, 0.0], [320, 80])
    found = intervals(lambda weights: {"share": float(weights @ right / weights.sum())}, 400)["share"]
    half = 1.96 * math.sqrt(0.8 * 0.2 / 400)
    assert found.value == 0.8
    assert found.low == pytest.approx(0.8 - half, abs=0.004)
    assert found.high == pytest.approx(0.8 + half, abs=0.004)


def test_the_same_seed_gives_the_same_interval_and_another_one_another() -> None:
    def mean(weights: Any) -> dict[str, float]:
        return {"mean": float(weights @ np.arange(30) / weights.sum())}

    assert intervals(mean, 30, 200) == intervals(mean, 30, 200)
    assert intervals(mean, 30, 200) != intervals(mean, 30, 200, seed=1)


def test_a_single_sample_has_an_interval_without_width() -> None:
    found = measure(of_classes(LABELS, {"x": (0, [0.7, 0.2, 0.1])}))
    assert {(one.low, one.value, one.high) for one in found.numbers.values()} == {(1.0, 1.0, 1.0)}


def test_a_hand_worked_split_of_classes() -> None:
    answers = {"v1": (0, [0.9, 0.1, 0.0]), "v2": (0, [0.35, 0.65, 0.0]), "v3": (1, [0.25, 0.75, 0.0])}
    found = measure(of_classes(LABELS, answers))
    assert found.num_samples == 3
    assert found.numbers["accuracy"].value == pytest.approx(2 / 3)
    assert found.numbers["macro_F1"].value == pytest.approx(2 / 3)  # both classes: 2 * 1 / (2 + 1), 2 * 1 / (1 + 2)
    assert found.confusion == [[1, 1, 0], [0, 1, 0], [0, 0, 0]]
    assert found.classes[0] == {"class": "a", "samples": 2, "precision": 1.0, "recall": 0.5, "F1": 2 / 3}
    assert found.classes[2] == {"class": "c", "samples": 0, "precision": None, "recall": None, "F1": None}
    assert found.calibration is not None
    # 0.9 right, 0.65 wrong, 0.75 right: each in a bin of its own
    assert found.calibration.error == pytest.approx((0.1 + 0.65 + 0.25) / 3)


def test_the_table_by_class_is_scikit_learns() -> None:
    answers = drawn_classes(200)
    found = measure(of_classes(LABELS, answers))
    truth = [number for number, _ in answers.values()]
    taken = [int(np.argmax(shares)) for _, shares in answers.values()]
    theirs = metrics.precision_recall_fscore_support(truth, taken, labels=[0, 1], zero_division=0)
    for index in (0, 1):
        row = found.classes[index]
        ours = [row["precision"], row["recall"], row["F1"], row["samples"]]
        assert ours == pytest.approx([part[index] for part in theirs])
    assert found.numbers["accuracy"].value == pytest.approx(metrics.accuracy_score(truth, taken))
    expected = metrics.f1_score(truth, taken, labels=[0, 1], average="macro")
    assert found.numbers["macro_F1"].value == pytest.approx(expected)
    assert found.numbers["accuracy"].low < found.numbers["accuracy"].value < found.numbers["accuracy"].high


def test_reliability_bins_are_scikit_learns() -> None:
    random = np.random.default_rng(5)
    shares = random.uniform(size=300)
    right = random.uniform(size=300) < shares
    found = calibration(shares, right)
    true, predicted = sklearn_calibration.calibration_curve(right, shares, n_bins=10)
    assert [one.share_right for one in found.bins] == pytest.approx(true)
    assert [one.mean_probability for one in found.bins] == pytest.approx(predicted)
    assert sum(one.num for one in found.bins) == found.num == 300


def test_a_probability_of_one_lies_in_the_last_bin() -> None:
    (only,) = calibration(np.array([1.0, 0.95]), np.array([True, True])).bins
    assert (only.low, only.high, only.num) == (0.9, 1.0, 2)


def test_average_precision_is_scikit_learns_with_equal_scores_and_with_weights() -> None:
    random = np.random.default_rng(7)
    truth = random.uniform(size=80) < 0.3
    scores = random.uniform(size=80).round(1)
    weights = random.integers(0, 3, 80).astype(np.float64)
    for chosen in (np.ones(80), weights):
        theirs = metrics.average_precision_score(truth, scores, sample_weight=chosen)
        assert average_precision(truth, scores, chosen) == pytest.approx(theirs)


def test_samples_of_several_classes_are_measured_as_training_measures_them() -> None:
    from jack_ray.methods.gait.multi_label import MultiLabelMetric

    random = np.random.default_rng(9)
    targets, shares = random.integers(0, 2, (50, 3)), random.uniform(size=(50, 3))
    names = [str(number) for number in range(50)]
    theirs = MultiLabelMetric(LABELS)
    theirs.update(shares, targets, names)
    rows = {name: (target.tolist(), row.tolist()) for name, target, row in zip(names, targets, shares, strict=True)}
    found = measure(of_labels(LABELS, rows))
    for name in ("accuracy", "mAP", "macro_F1"):
        assert found.numbers[name].value == pytest.approx(theirs.result()[name])
    assert found.classes[1]["precision"] == pytest.approx(theirs.result()["precision_b"])
    assert found.confusion == ()


def drawn_videos() -> tuple[dict[str, list[Segment]], dict[str, list[Detection]]]:
    random = np.random.default_rng(1)
    names = [f"v{number:02d}" for number in range(20)]
    spans = {name: random.uniform(1, 20, (15, 2)) for name in names}
    words = {name: random.choice(["n", "p"], 15) for name in names}
    truth = {
        name: [Segment(float(s), float(s + d), str(words[name][i])) for i, (s, d) in enumerate(spans[name][:3])]
        for name in names
    }
    found = {
        name: [
            Detection(str(words[name][i]), float(random.uniform()), float(s), float(s + d))
            for i, (s, d) in enumerate(spans[name] + random.normal(0, 1, (15, 2)).clip(-0.9))
        ]
        for name in names
    }
    return truth, found


def test_average_precision_of_drawn_videos_is_that_of_a_list_with_each_as_often_as_it_was_drawn() -> None:
    truth, found = drawn_videos()
    tious = (0.1, 0.3)
    videos = Videos(of_segments(("n", "p"), tious, {name: (truth[name], found[name]) for name in truth}))
    random = np.random.default_rng(2)
    for counts in (np.ones(20, int), random.multinomial(20, np.ones(20) / 20)):
        again = [
            (f"{name}#{copy}", name) for name, num in zip(sorted(truth), counts, strict=True) for copy in range(num)
        ]
        theirs = evaluate({new: truth[old] for new, old in again}, {new: found[old] for new, old in again}, tious)
        ours = videos.numbers(counts.astype(np.float64))
        assert ours["mAP@0.10"] == pytest.approx(theirs.mean_average_precision[0])
        assert ours["average_mAP"] == pytest.approx(theirs.mean_average_precision.mean())
        assert ours["AP_p"] == pytest.approx(theirs.of_class("p"))


def test_found_segments_have_intervals_and_counts_by_class() -> None:
    truth, found = drawn_videos()
    measured = measure(of_segments(("n", "p"), (0.1,), {name: (truth[name], found[name]) for name in truth}))
    assert set(measured.numbers) == {"average_mAP", "mAP@0.10"}
    assert sum(int(str(row["true segments"])) for row in measured.classes) == 60
    assert measured.calibration is None


@pytest.mark.parametrize(
    "scored",
    [
        {"kind": "classes", "labels": ["a"], "samples": {}},
        {"kind": "nothing", "labels": ["a"], "samples": {"x": {}}},
        {"kind": "classes", "labels": ["a"], "samples": {"x": {"truth": 5, "probabilities": [1.0]}}},
        {},
    ],
)
def test_a_file_that_says_nothing_is_refused(scored: dict[str, Any]) -> None:
    with pytest.raises(JackRayError, match=r"scored\.json"):
        measure(scored)
