"""Pictures of probabilities and of found segments: any number of classes and samples, in their colours."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from jack_ray.methods.shared.class_pictures import draw_probabilities
from jack_ray.methods.shared.detection import Detection, Segment, curves, evaluate
from jack_ray.methods.shared.detection_picture import draw

# Jittor, where another test imported it before, flushes the smallest numbers to zero, which numpy notices.
pytestmark = pytest.mark.filterwarnings("ignore:The value of the smallest subnormal")

BLUE = (0, 114, 178)
TIOUS = (0.1, 0.3)


def num_pixels(path: Path, color: tuple[int, int, int]) -> int:
    return int((np.abs(np.round(imread(path)[..., :3] * 255) - color).max(axis=2) < 6).sum())


@pytest.mark.long
@pytest.mark.parametrize(("samples", "classes"), [(1, 2), (30, 2), (60, 8), (200, 26)])
@pytest.mark.parametrize("one_of_many", [True, False])
def test_any_number_of_classes_and_samples_can_be_drawn(
    tmp_path: Path, samples: int, classes: int, one_of_many: bool
) -> None:
    generator = np.random.default_rng(0)
    shares = generator.dirichlet(np.ones(classes), samples)
    truth = np.eye(classes, dtype=np.bool_)[generator.integers(classes - 1, size=samples)]  # nobody has the last class
    labels = [f"a class whose name is long {number}" for number in range(classes)]
    paths = draw_probabilities(tmp_path, truth, shares, labels, one_of_many)
    assert [path.name for path in paths] == ["precision_recall.png", "calibration.png"]
    for path in paths:
        assert num_pixels(path, BLUE) > 100


def test_found_segments_can_be_drawn_where_there_are_some_and_where_there_are_none(tmp_path: Path) -> None:
    truth = {"a": [Segment(0, 4, "n"), Segment(6, 8, "n")]}
    found = {"a": [Detection("n", 0.9, 0, 4), Detection("n", 0.5, 5, 7)]}
    names = {"negative": "n", "positive": "p"}
    draw(tmp_path / "a.png", {name: curves(label, truth, found, TIOUS) for name, label in names.items()}, TIOUS)
    draw(tmp_path / "b.png", {name: curves(label, truth, {}, TIOUS) for name, label in names.items()}, TIOUS)
    assert num_pixels(tmp_path / "a.png", (68, 1, 84)) > 50 + num_pixels(tmp_path / "b.png", (68, 1, 84))


def test_the_area_below_a_drawn_curve_is_the_average_precision_of_the_evaluation() -> None:
    truth = {"a": [Segment(0, 4, "n"), Segment(6, 8, "n")]}
    found = {"a": [Detection("n", 0.9, 0, 4), Detection("n", 0.7, 20, 30), Detection("n", 0.5, 6, 9)]}
    drawn = curves("n", truth, found, TIOUS)
    assert drawn is not None
    # Right, wrong, right: 1/2 at precision 1, 1/2 at precision 2/3.
    np.testing.assert_allclose(drawn.average_precision, (1 + 2 / 3) / 2)
    np.testing.assert_allclose(drawn.average_precision, evaluate(truth, found, TIOUS).average_precision[:, 0])
    assert curves("p", truth, found, TIOUS) is None
