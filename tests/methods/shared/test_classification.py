"""The shared numbers of classifiers, against hand-worked cases."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.image import imread
from numpy.typing import NDArray

from jack_ray.contract.errors import TrainError
from jack_ray.methods.shared.classification import ClassMetric

FloatArray = NDArray[np.floating[Any]]

LABELS = ("Happy", "Sad", "Angry")
SCORES = np.array([[2.0, 1.0, 0.0], [0.0, 3.0, 1.0], [1.0, 0.5, 0.0], [0.1, 0.2, 0.0], [0.0, 0.1, 0.9]])
TRUTH = np.array([0, 1, 1, 0, 2])
NAMES = ["a", "b", "c", "d", "e"]


def scored(order: list[int]) -> ClassMetric:
    metric = ClassMetric(LABELS)
    for index in order:
        metric.update(SCORES[index : index + 1], TRUTH[index : index + 1], NAMES[index : index + 1])
    return metric


def test_the_numbers_are_those_counted_by_hand() -> None:
    # Found 0 1 0 1 2 for 0 1 1 0 2: each of Happy and Sad is once right, once missed and once taken for the other.
    assert scored([0, 1, 2, 3, 4]).result() == pytest.approx(
        {
            "accuracy": 3 / 5,
            "macro_F1": (1 / 2 + 1 / 2 + 1) / 3,
            "accuracy_Happy": 1 / 2,
            "accuracy_Sad": 1 / 2,
            "accuracy_Angry": 1.0,
        }
    )


def test_precision_and_recall_enter_the_f1_of_a_class() -> None:
    metric = ClassMetric(("x", "y"))
    metric.update(np.array([[1, 0], [1, 0], [1, 0], [0, 1]]), np.array([0, 0, 1, 1]), ["a", "b", "c", "d"])
    # x: precision 2/3, recall 1; y: precision 1, recall 1/2
    assert metric.result()["macro_F1"] == pytest.approx((0.8 + 2 / 3) / 2)


def test_rows_of_the_confusion_matrix_are_true_classes() -> None:
    assert scored([0, 1, 2, 3, 4]).confusion().tolist() == [[1, 1, 0], [1, 1, 0], [0, 0, 1]]


def test_the_order_of_samples_and_their_spread_over_ranks_do_not_matter() -> None:
    whole = scored([0, 1, 2, 3, 4])
    first, second = scored([4, 1]), scored([3, 0, 2])
    merged = ClassMetric(LABELS)
    for part in (second, first):
        merged.merge(json.loads(json.dumps(part.state())))
    assert merged.result() == whole.result()
    assert merged.state() == whole.state()


def test_a_sample_that_comes_twice_counts_once() -> None:
    assert scored([0, 1, 2, 3, 4, 4, 4]).result() == scored([0, 1, 2, 3, 4]).result()


def test_which_of_two_different_scores_of_a_name_counts_does_not_depend_on_their_order() -> None:
    states = []
    for scores in (SCORES[:2], SCORES[1::-1]):
        metric = ClassMetric(LABELS)
        for row in scores:
            metric.update(row[None], np.array([0]), ["a"])
        states.append(metric.state())
    assert states[0] == states[1]


def test_a_class_without_samples_has_no_number_and_no_part_in_the_mean() -> None:
    result = scored([0, 1, 2, 3]).result()
    assert "accuracy_Angry" not in result
    assert result["macro_F1"] == pytest.approx(0.5)
    assert all(np.isfinite(value) for value in result.values())


def test_of_equal_scores_the_first_class_is_found() -> None:
    metric = ClassMetric(LABELS)
    metric.update(np.zeros((1, 3)), np.array([0]), ["a"])
    assert metric.result()["accuracy"] == 1


def test_nothing_scored_is_told() -> None:
    with pytest.raises(TrainError, match="Not one sample was scored"):
        ClassMetric(LABELS).result()


def test_scores_that_are_not_finite_name_their_sample() -> None:
    with pytest.raises(TrainError, match=r"The scores of b are not finite numbers: training diverged"):
        ClassMetric(LABELS).update(np.array([[0, 1, 2], [0, np.nan, 2]]), np.array([0, 1]), ["a", "b"])


@pytest.mark.parametrize(
    ("scores", "labels", "message"),
    [
        (np.zeros((1, 2)), [0], "instead of"),
        (np.zeros((2, 3)), [0], "instead of"),
        (np.zeros((1, 3)), [3], "class number 3"),
        (np.zeros((1, 3)), [-1], "class number -1"),
    ],
)
def test_a_batch_of_another_shape_is_refused(scores: FloatArray, labels: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ClassMetric(LABELS).update(scores, np.array(labels), ["a"])


def test_a_label_that_mlflow_would_refuse_is_written_with_underscores() -> None:
    metric = ClassMetric(("so/so (sad)", "b"))
    metric.update(np.array([[1.0, 0.0]]), np.array([0]), ["a"])
    assert metric.result()["accuracy_so_so__sad_"] == 1


def test_every_sample_is_listed_with_its_scores(tmp_path: Path) -> None:
    metric = scored([4, 3, 2, 1, 0])
    metric.update(np.array([[0.25, 1, 0]]), np.array([2]), ['walk, "slow"'])
    path = metric.draw(tmp_path)[1]
    rows = list(csv.DictReader(path.open()))
    assert [row["name"] for row in rows] == [*NAMES, 'walk, "slow"']
    assert rows[-1] == {
        "name": 'walk, "slow"', "label": "Angry", "predicted": "Sad",
        "score_Happy": "0.25", "score_Sad": "1", "score_Angry": "0",
    }  # fmt: skip


def test_the_picture_colours_cells_by_their_share_of_the_row(tmp_path: Path) -> None:
    picture = scored([0, 1, 2, 3, 4]).draw(tmp_path)[0]
    pixels = np.round(imread(picture)[..., :3] * 255).astype(int)
    # Blues at 1: the one cell that holds a whole row; at 0.5: the four cells of Happy and Sad.
    for color, least in (((8, 48, 107), 1500), ((107, 174, 214), 4 * 1500)):
        assert (np.abs(pixels - color).max(axis=2) < 6).sum() > least


def test_a_picture_of_many_classes_or_none_found_can_be_drawn(tmp_path: Path) -> None:
    many = ClassMetric([f"class {number}" for number in range(27)])
    many.update(np.eye(27), np.arange(27), [str(number) for number in range(27)])
    assert many.draw(tmp_path / "many")[0].stat().st_size > 1000
    assert ClassMetric(LABELS).draw(tmp_path / "none")[0].stat().st_size > 1000
