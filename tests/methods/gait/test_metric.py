"""BPM-GCN's numbers, against hand-worked cases."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.image import imread

from jack_ray.contract.errors import TrainError
from jack_ray.methods.gait.metric import Metric, probabilities
from jack_ray.methods.gait.multi_label import MultiLabelMetric
from jack_ray.methods.gait.skeleton import JOINTS
from jack_ray.methods.shared.class_curves import precision_recall
from tests.methods.gait.sample_config import data_config, model_config

GENERATOR = np.random.default_rng(0)
LOGITS = GENERATOR.standard_normal((9, 4))
TARGETS = np.eye(4)[[0, 1, 2, 3, 0, 1, 2, 3, 0]]


def batch(rows: list[int], targets: Any = TARGETS) -> tuple[dict[str, Any], dict[str, Any]]:
    outputs = {"logits": LOGITS[rows], "joints": np.ones((len(rows), len(JOINTS), 4))}
    posture = np.random.default_rng(1).standard_normal((len(rows), 3, 48, 16))
    return outputs, {"names": [f"gait/{row}" for row in rows], "targets": targets[rows], "posture": posture}


def metric(**changes: Any) -> Metric:
    return Metric(model_config(**changes), data_config("/"))


def test_the_class_with_the_largest_mean_logit_is_found() -> None:
    found = metric()
    found.update(*batch(list(range(9))))
    assert found.result()["accuracy"] == pytest.approx((LOGITS.argmax(1) == TARGETS.argmax(1)).mean())


def test_every_gait_is_left_with_its_class_and_probabilities() -> None:
    found = metric()
    found.update(*batch(list(range(9))))
    left = json.loads(json.dumps(found.scored()))
    assert (left["kind"], len(left["samples"])) == ("classes", 9)
    assert left["samples"]["gait/3"]["truth"] == 3
    assert left["samples"]["gait/3"]["probabilities"] == pytest.approx(probabilities(LOGITS[3:4], False)[0].tolist())


def test_a_gait_of_several_classes_is_left_with_all_of_them() -> None:
    targets = np.array([[1, 0, 1, 0], [0, 1, 0, 0]], np.float32)
    found = metric(multi_label=True)
    found.update(*batch([0, 1], targets))
    left = json.loads(json.dumps(found.scored()))
    assert left["kind"] == "labels"
    assert left["samples"]["gait/0"]["truth"] == [1, 0, 1, 0]
    assert left["samples"]["gait/1"]["probabilities"] == pytest.approx(probabilities(LOGITS[1:2], True)[0].tolist())


def test_every_gait_counts_also_where_the_last_batch_is_small() -> None:
    """JACK leaves out the last batch of the test set: 192 of 218 gaits are scored."""
    found = metric()
    for rows in ([0, 1, 2, 3], [4, 5, 6, 7], [8]):
        found.update(*batch(rows))
    assert len(found.state()["classes"]) == 9


def test_parts_of_several_ranks_give_what_the_whole_gives() -> None:
    whole, first, second, merged = metric(), metric(), metric(), metric()
    outputs, given = batch(list(range(9)))
    whole.update(outputs, given)
    for part, rows in ((first, [8, 3, 1]), (second, [0, 7, 2, 4, 5, 6])):
        picked = {key: [value[row] for row in rows] for key, value in given.items()}
        part.update({key: value[rows] for key, value in outputs.items()}, picked)
    for part in (second, first):
        merged.merge(json.loads(json.dumps(part.state())))
    assert merged.result() == whole.result()
    assert sorted(merged.seen) == sorted(whole.seen)
    assert merged.state()["seen"] == whole.state()["seen"]


def test_probabilities_are_a_softmax_or_a_sigmoid_of_each() -> None:
    assert probabilities(np.array([[0.0, np.log(3)]]), multi_label=False).tolist() == [pytest.approx([0.25, 0.75])]
    assert probabilities(np.array([[0.0, np.log(3)]]), multi_label=True).tolist() == [pytest.approx([0.5, 0.75])]
    assert np.isfinite(probabilities(np.array([[1e4, -1e4]]), multi_label=True)).all()
    assert np.isfinite(probabilities(np.array([[1e4, -1e4]]), multi_label=False)).all()


@pytest.mark.parametrize("several", [False, True])
def test_scores_that_are_not_finite_name_their_gait(several: bool) -> None:
    outputs, given = batch([0, 1])
    outputs["logits"] = np.array([[0, 0, 0, 0], [0, np.inf, 0, 0]])
    with pytest.raises(TrainError, match=r"The scores of gait/1 are not finite numbers"):
        metric(multi_label=several).update(outputs, given)


def test_a_few_gaits_have_pictures_with_the_joints_that_count(tmp_path: Path) -> None:
    found = metric()
    found.update(*batch([0]))
    names = [path.name for path in found.pictures(tmp_path)]
    assert names == [
        "confusion.png", "predictions.csv", "precision_recall.png", "calibration.png", "gait_0.png", "gait_0.gif",
    ]  # fmt: skip
    pixels = np.round(imread(tmp_path / "gait_0.png")[..., :3] * 255).astype(int)
    for color in ((213, 94, 0), (0, 114, 178)):  # the right and the left side
        assert (np.abs(pixels - color).max(axis=2) < 20).sum() > 300


def test_always_the_same_few_gaits_are_drawn() -> None:
    found = [metric(), metric()]
    for one, rows in zip(found, ([0, 1, 2, 3, 4, 5, 6, 7, 8], [8, 7, 6, 5, 4, 3, 2, 1, 0]), strict=True):
        one.update(*batch(rows))
    assert sorted(found[0].seen) == sorted(found[1].seen)
    assert len(found[0].seen) == 4


def test_a_gait_of_zeros_has_a_picture(tmp_path: Path) -> None:
    found = metric()
    outputs, given = batch([0])
    found.update(outputs, given | {"posture": np.zeros((1, 3, 48, 16))})
    assert all(path.stat().st_size > 1000 for path in found.pictures(tmp_path)[-2:])


# several classes a gait

TRUTH = np.array([[1, 0, 1], [1, 1, 0], [0, 0, 0], [0, 1, 0]])
SHARES = np.array([[0.9, 0.2, 0.4], [0.6, 0.8, 0.1], [0.7, 0.1, 0.2], [0.2, 0.3, 0.6]])


def several() -> MultiLabelMetric:
    found = MultiLabelMetric(("Happy", "Sad", "Angry"))
    found.update(SHARES, TRUTH, ["a", "b", "c", "d"])
    return found


def test_the_numbers_of_several_classes_are_those_worked_out_by_hand() -> None:
    result = several().result()
    # Wrong: Angry of a, Happy of c, Sad of d, Angry of d.
    assert result["accuracy"] == pytest.approx(8 / 12)
    assert result["precision_Happy"] == pytest.approx(2 / 3)
    assert result["recall_Happy"] == 1
    assert result["F1_Happy"] == pytest.approx(0.8)
    assert result["recall_Angry"] == 0
    assert result["AP_Happy"] == pytest.approx((1 + 2 / 3) / 2)  # ranks a c b d: found 1st and 3rd
    assert result["AP_Sad"] == 1
    assert result["AP_Angry"] == pytest.approx(1 / 2)
    assert result["mAP"] == pytest.approx((5 / 6 + 1 + 1 / 2) / 3)
    assert result["macro_F1"] == pytest.approx((0.8 + 2 / 3 + 0) / 3)


def test_the_order_of_equal_scores_does_not_move_the_average_precision() -> None:
    scores = np.full(6, 0.5)
    truth = np.array([1, 0, 0, 1, 0, 0]).astype(bool)
    forwards, backwards = (precision_recall(one, scores) for one in (truth, truth[::-1]))
    assert forwards is not None
    assert backwards is not None
    assert forwards.average == backwards.average == pytest.approx(1 / 3)


def test_classes_nobody_has_or_nobody_finds_give_no_nan() -> None:
    found = MultiLabelMetric(("x", "y"))
    found.update(np.array([[0.1, 0.2]]), np.array([[1, 0]]), ["a"])
    result = found.result()
    assert np.isfinite(list(result.values())).all()
    assert "AP_y" not in result
    assert "precision_x" not in result
    none = MultiLabelMetric(("x",))
    none.update(np.array([[0.1]]), np.array([[0]]), ["a"])
    assert none.result() == {"accuracy": 1.0, "mAP": 0.0, "macro_F1": 0.0}


def test_several_classes_of_several_ranks_give_what_the_whole_gives() -> None:
    merged = MultiLabelMetric(("Happy", "Sad", "Angry"))
    for rows in ([3, 1], [2, 0, 1]):
        part = MultiLabelMetric(("Happy", "Sad", "Angry"))
        part.update(SHARES[rows], TRUTH[rows], ["abcd"[row] for row in rows])
        merged.merge(json.loads(json.dumps(part.state())))
    assert merged.result() == several().result()


def test_nothing_scored_is_told() -> None:
    with pytest.raises(TrainError, match="Not one sample was scored"):
        MultiLabelMetric(("x",)).result()


def test_gaits_with_several_classes_are_listed(tmp_path: Path) -> None:
    found = metric(multi_label=True)
    found.update(*batch(list(range(9)), np.minimum(TARGETS + np.eye(4)[[1] * 9], 1)))
    rows = list(csv.DictReader(found.classes.draw(tmp_path)[0].open()))
    assert rows[0]["labels"] == "Happy Sad"
    assert len(rows) == 9
