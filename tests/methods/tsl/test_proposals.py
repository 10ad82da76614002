"""Segments cut from scores, held against the published code's numbers and hand-worked cases."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jack_ray.methods.tsl import proposals
from jack_ray.methods.tsl.config import CLASSES
from jack_ray.methods.tsl.proposals import Detections, propose, propose_all, reported_classes, suppress, upsample
from tests.methods.tsl.sample_config import model_config

GOLDEN = Path(proposals.__file__).parent / "golden" / "tsl.json"
# The golden file has both classes, whose video scores are 0.62 and 0.41.
BOTH = model_config(class_threshold=0.4)


@pytest.fixture(scope="module")
def golden() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(GOLDEN.read_text())
    return content


def _inputs(golden: dict[str, Any]) -> tuple[Any, Any, float]:
    scores = np.array(golden["seed_search"]["scores"], np.float32)[0]
    return scores, np.array(golden["proposals"]["vid_score"]), golden["proposals"]["video_fps"]


def test_as_many_proposals_as_the_published_code_before_suppression(golden: dict[str, Any]) -> None:
    found = propose_all(*_inputs(golden), BOTH, 16)
    assert {str(CLASSES.index(label)): len(one) for label, one in found.items()} == golden["proposals"]["n_before"]


def test_the_segments_are_those_of_the_published_code(golden: dict[str, Any]) -> None:
    found = propose(*_inputs(golden), BOTH, 16)
    rows = [
        [CLASSES.index(label), one.score[index], one.start_s[index], one.end_s[index]]
        for label, one in found.items()
        for index in range(len(one))
    ]
    np.testing.assert_allclose(rows, golden["proposals"]["final"], rtol=0, atol=1e-12)


def _literal_runs(curve: Any, foreground: Any, bonus: float, position_s: float) -> list[list[float]]:
    """The published procedure, one position at a time, for one class."""
    found = []
    grids = [(t, curve, True) for t in np.arange(0, 0.25, 0.025)] + [
        (t, foreground, False) for t in np.arange(0.4, 0.75, 0.025)
    ]
    for threshold, chooser, zeroed in grids:
        values = [0.0 if zeroed and value < threshold else value for value in curve]
        places = [index for index, value in enumerate(chooser) if value >= threshold and value > 0]
        if not any(places):
            continue
        runs: list[list[int]] = []
        for place in places:
            if runs and place == runs[-1][-1] + 1:
                runs[-1].append(place)
            else:
                runs.append([place])
        for run in runs:
            before = range(max(0, int(run[0] - 0.03 * len(run))), run[0])
            after = range(run[-1] + 1, min(len(curve) - 1, int(run[-1] + 0.03 * len(run))) + 1)
            outer = [values[index] for index in [*before, *after]]
            inner = float(np.mean([values[index] for index in run]))
            score = inner - (float(np.mean(outer)) if outer else 0.0) + bonus
            found.append([score, run[0] * position_s, (run[-1] + 1) * position_s])
    return found


@pytest.mark.parametrize("seed", range(8))
def test_arrays_and_a_walk_over_positions_find_the_same_proposals(seed: int) -> None:
    generator = np.random.default_rng(seed)
    length = int(generator.integers(8, 40))
    scores = generator.uniform(0, 1, (length, 3)).astype(np.float32)
    scores[generator.random((length, 3)) < 0.3] = 0.0
    video_scores = np.array([0.9, 0.2])
    found = propose_all(scores, video_scores, 25.0, model_config(), 16)["n"]
    curve, foreground = upsample(scores[:, 0], 24), upsample(1 - scores[:, 2], 24)
    expected = _literal_runs(curve.tolist(), foreground.tolist(), 0.3 * 0.9, 16 / (24 * 25.0))
    rows = np.stack([found.score, found.start_s, found.end_s], axis=1)
    assert len(rows) == len(expected)
    np.testing.assert_allclose(sorted(rows.tolist()), sorted(expected), rtol=0, atol=1e-10)


def test_a_single_run_has_its_place_in_seconds_and_its_contrast_as_score() -> None:
    scores = np.zeros((8, 3))
    scores[:, 2] = 1.0
    scores[2:4] = (0.8, 0.0, 0.0)
    config = model_config(upsampling=1, class_thresholds=(0.5, 0.6, 0.5), agnostic_thresholds=(0.5, 0.6, 0.5))
    found = propose_all(scores, np.array([0.7, 0.1]), 16.0, config, 16)["n"]
    # One run from the class score, one from the foreground: snippets 2 and 3 of a second each. The surroundings
    # reach int(2 - 0.06) = 1 on the left and int(3 + 0.06) = 3, that is nothing, on the right.
    np.testing.assert_allclose(found.score, [0.8 - 0.0 + 0.21] * 2)
    np.testing.assert_allclose(found.start_s, [2.0, 2.0])
    np.testing.assert_allclose(found.end_s, [4.0, 4.0])


def test_a_lone_first_position_is_overlooked_as_in_the_published_code() -> None:
    scores = np.zeros((8, 3))
    scores[:, 2] = 1.0
    scores[0] = (0.8, 0.0, 0.0)
    config = model_config(upsampling=1)
    assert len(propose_all(scores, np.array([0.7, 0.1]), 16.0, config, 16)["n"]) == 0


def test_the_strongest_class_is_reported_where_none_reaches_the_threshold() -> None:
    assert reported_classes(np.array([0.1, 0.3]), 0.5) == [1]
    assert reported_classes(np.array([0.5, 0.6]), 0.5) == [0, 1]


def test_a_curve_goes_on_straight_after_its_last_snippet() -> None:
    np.testing.assert_allclose(upsample(np.array([0.0, 1.0, 3.0]), 2), [0, 0.5, 1, 2, 3, 4])


def test_a_curve_of_one_snippet_stays_level() -> None:
    np.testing.assert_allclose(upsample(np.array([0.25]), 4), [0.25] * 4)


def test_suppression_keeps_the_stronger_of_two_overlapping_segments() -> None:
    found = Detections(np.array([0.5, 0.9, 0.4]), np.array([0.0, 1.0, 20.0]), np.array([10.0, 10.0, 30.0]))
    kept = suppress(found, model_config())
    # (9 + 1) / (11 + 10 - 10) is over one half.
    assert kept.score.tolist() == [0.9, 0.4]
    assert kept.start_s.tolist() == [1.0, 20.0]


def test_the_extra_second_makes_near_segments_overlap() -> None:
    found = Detections(np.array([0.9, 0.5]), np.array([0.0, 0.2]), np.array([0.1, 0.3]))
    assert len(suppress(found, model_config())) == 1
    assert len(suppress(found, model_config(nms_extra_s=0.0))) == 2


def test_equal_scores_keep_the_same_segment_whatever_their_order() -> None:
    config = model_config()
    starts, ends = np.array([0.0, 1.0]), np.array([10.0, 10.0])
    one = suppress(Detections(np.array([0.5, 0.5]), starts, ends), config)
    other = suppress(Detections(np.array([0.5, 0.5]), starts[::-1], ends[::-1]), config)
    assert one.start_s.tolist() == other.start_s.tolist() == [0.0]


def test_the_longest_video_of_tsl_300_takes_well_under_a_second() -> None:
    import time

    scores = np.random.default_rng(0).uniform(0, 1, (2131, 3)).astype(np.float32)
    before = time.perf_counter()
    propose(scores, np.array([0.9, 0.9]), 30.0, model_config(), 16)
    assert time.perf_counter() - before < 2.0
