"""The picture of one video."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from jack_ray.methods.shared.detection import Detection, Segment
from jack_ray.methods.tsl.picture import COLORS, draw


def _draw(path: Path, segments: list[Segment], detections: list[Detection]) -> None:
    scores = np.random.default_rng(0).uniform(0, 1, (20, 3))
    draw(path, "1_joy", scores, 0.5, segments=segments, detections=detections)


def test_a_picture_shows_both_classes_in_their_colours(tmp_path: Path) -> None:
    path = tmp_path / "video.png"
    _draw(path, [Segment(1, 3, "p"), Segment(5, 8, "n")], [Detection("p", 0.9, 1, 3), Detection("n", 0.2, 4, 8)])
    pixels = np.round(imread(path)[..., :3] * 255).astype(int)
    assert pixels.shape[0] > 400
    assert pixels.shape[1] > 900
    for color in COLORS.values():
        wanted = [int(color[index : index + 2], 16) for index in (1, 3, 5)]
        assert (np.abs(pixels - wanted).max(axis=2) < 40).sum() > 500


@pytest.mark.parametrize(
    ("segments", "detections"),
    [
        ([], []),
        ([Segment(1, 3, "p")], []),
        ([], [Detection("n", -0.2, 1, 3), Detection("n", -0.2, 4, 5)]),
        ([], [Detection("p", 0.5, index / 10, 9.9) for index in range(60)]),
    ],
)
def test_a_video_with_nothing_or_much_in_it_has_a_picture(
    tmp_path: Path, segments: list[Segment], detections: list[Detection]
) -> None:
    _draw(tmp_path / "video.png", segments, detections)
    assert (tmp_path / "video.png").stat().st_size > 1000


def test_no_half_written_picture_is_left_behind(tmp_path: Path) -> None:
    with pytest.raises(IndexError):
        draw(tmp_path / "video.png", "1_joy", np.zeros((5, 1)), 0.5, segments=[], detections=[])
    assert list(tmp_path.iterdir()) == []
