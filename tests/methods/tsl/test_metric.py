"""The evaluation, held against the published evaluator's numbers and hand-worked cases."""

import json
import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jack_ray.contract.errors import TrainError
from jack_ray.methods.tsl import metric
from jack_ray.methods.tsl.config import metric_names
from jack_ray.methods.tsl.metric import Detection, Metric, Segment, evaluate
from tests.methods.tsl.sample_config import data_config, model_config

GOLDEN = Path(metric.__file__).parent / "golden" / "tsl_eval.json"
TIOUS = (0.1, 0.15, 0.2, 0.25, 0.3)


@pytest.fixture(scope="module")
def golden() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(GOLDEN.read_text())
    return content


def _truth(golden: dict[str, Any]) -> dict[str, list[Segment]]:
    return {
        name: [
            Segment(float(one["segment"][0]), float(one["segment"][1]), one["label"]) for one in video["annotations"]
        ]
        for name, video in golden["ground_truth"]["database"].items()
        if video["subset"] == "test"
    }


def _found(golden: dict[str, Any]) -> dict[str, list[Detection]]:
    return {
        name: [Detection(one["label"], one["score"], *one["segment"]) for one in entries]
        for name, entries in golden["predictions"]["results"].items()
    }


def test_every_number_is_that_of_the_published_evaluator(golden: dict[str, Any]) -> None:
    scores = evaluate(_truth(golden), _found(golden), TIOUS)
    assert scores.classes == tuple(sorted(golden["class_index"], key=golden["class_index"].get))
    for ours, published in (
        (scores.average_precision, "ap_threshold_x_class"),
        (scores.mean_average_precision, "mAP"),
        (scores.mean_precision, "precision"),
        (scores.mean_recall, "recall"),
        (scores.f2, "f2"),
    ):
        np.testing.assert_allclose(ours, golden[published], rtol=0, atol=1e-9)
    assert float(scores.mean_average_precision.mean()) == pytest.approx(golden["average_mAP"], abs=1e-9)
    assert [scores.of_class(label) for label in scores.classes] == pytest.approx(golden["class_AP"], abs=1e-9)


def test_a_hand_worked_list() -> None:
    truth = {"a": [Segment(0, 10, "p"), Segment(20, 30, "p")]}
    # Right at rank 1 (overlap 1), wrong at rank 2 (already found), right at rank 3 (overlap 0.5).
    found = {"a": [Detection("p", 0.7, 25, 30), Detection("p", 0.9, 0, 10), Detection("p", 0.8, 1, 10)]}
    scores = evaluate(truth, found, (0.5, 0.6))
    # Precision 1, 1/2, 2/3 and recall 1/2, 1/2, 1; interpolated area 1/2 * 1 + 1/2 * 2/3.
    assert scores.average_precision[:, 0].tolist() == pytest.approx([5 / 6, 1 / 2])
    assert scores.precision[0, 0] == pytest.approx((1 + 1 / 2 + 2 / 3) / 3)
    assert scores.recall[0, 0] == pytest.approx((1 / 2 + 1 / 2 + 1) / 3)
    # At 0.6 the third is wrong too.
    assert scores.precision[1, 0] == pytest.approx((1 + 1 / 2 + 1 / 3) / 3)


def test_a_segment_is_found_once_and_then_the_next_best_one_is_tried() -> None:
    truth = {"a": [Segment(0, 10, "p"), Segment(4, 14, "p")]}
    found = {"a": [Detection("p", 0.9, 0, 10), Detection("p", 0.8, 0, 10)]}
    # The second overlaps the other segment by 6 of 14 seconds.
    assert evaluate(truth, found, (0.4,)).average_precision[0, 0] == pytest.approx(1.0)
    assert evaluate(truth, found, (0.5,)).average_precision[0, 0] == pytest.approx(0.5)


def test_a_class_that_nothing_was_reported_of_counts_zero() -> None:
    truth = {"a": [Segment(0, 10, "p"), Segment(20, 30, "n")]}
    scores = evaluate(truth, {"a": [Detection("p", 0.9, 0, 10)]}, TIOUS)
    assert scores.of_class("n") == 0.0
    assert scores.mean_average_precision.tolist() == [0.5] * 5


def test_a_class_without_true_segments_counts_nowhere() -> None:
    truth = {"a": [Segment(0, 10, "p")]}
    scores = evaluate(truth, {"a": [Detection("p", 0.9, 0, 10), Detection("n", 0.9, 0, 10)]}, TIOUS)
    assert scores.classes == ("p",)
    assert scores.mean_average_precision.tolist() == [1.0] * 5
    assert scores.of_class("n") == 0.0


def test_nothing_to_find_and_nothing_found_gives_zeros() -> None:
    for truth, found in (({}, {}), ({"a": []}, {"a": [Detection("p", 0.5, 0, 1)]}), ({"a": [Segment(0, 1, "p")]}, {})):
        scores = evaluate(truth, found, TIOUS)
        assert scores.mean_average_precision.tolist() == [0.0] * 5
        assert scores.f2.tolist() == [0.0] * 5


def test_a_prediction_in_a_video_without_true_segments_is_false() -> None:
    truth = {"a": [Segment(0, 10, "p")], "b": []}
    found = {"a": [Detection("p", 0.5, 0, 10)], "b": [Detection("p", 0.9, 0, 10)]}
    assert evaluate(truth, found, TIOUS).average_precision[0, 0] == pytest.approx(0.5)


def _seen(names: list[str], **changes: Any) -> Metric:
    """A metric that saw some videos; the scores of a video follow from its name."""
    config = model_config(**changes)
    seen = Metric(config, data_config("nowhere"))
    for name in names:
        generator = np.random.default_rng(list(name.encode()))
        scores = generator.uniform(0, 1, (1, 12, 3)).astype(np.float32)
        segments = [(1.0, 3.0, "p"), (4.0, 6.0, "n")] if name != "video empty" else []
        outputs = {"scores": scores, "video_scores": np.array([[0.7, 0.8]], np.float32)}
        seen.update(outputs, {"name": name, "fps": 25.0, "segments": segments})
    return seen


NAMES = [f"video {letter}" for letter in ("a", "b", "c", "d", "e", "f", "empty")]


def test_the_result_does_not_depend_on_the_order_of_videos() -> None:
    shuffled = NAMES.copy()
    random.Random(3).shuffle(shuffled)
    assert _seen(NAMES).result() == _seen(shuffled).result()


def test_parts_that_several_ranks_saw_give_the_same_result_as_the_whole() -> None:
    whole = _seen(NAMES)
    for first, second in ((NAMES[:3], NAMES[3:]), (NAMES[5:], NAMES[:5]), (NAMES, [])):
        merged = _seen([])
        for part in (second, first):
            merged.merge(json.loads(json.dumps(_seen(part).state())))
        assert merged.result() == whole.result()
        assert merged.curves == whole.curves
        assert merged.predictions() == whole.predictions()


def test_every_video_is_left_with_what_its_evaluation_needs() -> None:
    metric = _seen(["a", "b"])
    left = json.loads(json.dumps(metric.scored()))
    assert (left["kind"], left["labels"], left["tious"]) == ("segments", ["n", "p"], list(metric.config.tious))
    truth = {name: [Segment(*one) for one in sample["truth"]] for name, sample in left["samples"].items()}
    found = {name: [Detection(*one) for one in sample["found"]] for name, sample in left["samples"].items()}
    scores = evaluate(truth, found, left["tious"])
    assert float(scores.mean_average_precision.mean()) == metric.result()["average_mAP"]


def test_a_video_that_two_ranks_saw_counts_once() -> None:
    merged = _seen(NAMES)
    merged.merge(_seen(NAMES[:2]).state())
    assert merged.result() == _seen(NAMES).result()


def test_the_names_are_those_that_the_config_promises_and_the_values_are_finite() -> None:
    values = _seen(NAMES).result()
    assert sorted(values) == sorted(metric_names(model_config()))
    assert all(type(value) is float and math.isfinite(value) for value in values.values())


def test_the_averages_are_over_classes_and_thresholds() -> None:
    values = _seen(NAMES).result()
    assert values["average_mAP"] == pytest.approx((values["AP_n"] + values["AP_p"]) / 2)
    for name, kind in (("average_mAP", "mAP"), ("Rc@AVG", "recall"), ("F2@AVG", "F2")):
        assert values[name] == pytest.approx(np.mean([values[f"{kind}@{tiou:.2f}"] for tiou in TIOUS]))
    precision, recall = values["precision@0.20"], values["recall@0.20"]
    assert values["F2@0.20"] == pytest.approx(5 * precision * recall / (4 * precision + recall))


def test_classes_change_names_only_when_asked_to() -> None:
    right, swapped = _seen(NAMES).result(), _seen(NAMES, swap_class_report=True).result()
    assert right["AP_n"] != right["AP_p"]
    assert (right["AP_n"], right["AP_p"]) == (swapped["AP_p"], swapped["AP_n"])
    assert right["AP_p"] == _seen(NAMES).scores().of_class("p")


def test_a_metric_that_saw_nothing_has_zeros() -> None:
    assert set(_seen([]).result().values()) == {0.0}


def test_scores_that_are_not_numbers_name_the_video() -> None:
    outputs = {"scores": np.full((1, 12, 3), np.nan, np.float32), "video_scores": np.array([[0.7, 0.8]])}
    with pytest.raises(TrainError, match="The scores of video 7_joy are not finite"):
        _seen([]).update(outputs, {"name": "7_joy", "fps": 25.0, "segments": []})


def test_pictures_are_few_and_come_with_all_predictions(tmp_path: Path) -> None:
    paths = _seen(NAMES).pictures(tmp_path)
    assert [path.suffix for path in paths] == [".png"] * 5 + [".json"]
    assert paths[0].name == "precision_recall.png"
    assert all(path.parent == tmp_path and path.stat().st_size > 0 for path in paths)
    assert sorted(json.loads(paths[-1].read_text())["results"]) == sorted(NAMES)


def test_the_same_videos_get_pictures_whichever_rank_saw_them(tmp_path: Path) -> None:
    first, second = _seen(NAMES[:4]), _seen(NAMES[4:])
    first.merge(second.state())
    assert sorted(first.curves) == sorted(_seen(NAMES).curves)
