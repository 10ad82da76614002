"""People's own videos, as VAANet and CTEN read them."""

from pathlib import Path

import pytest

from jack_ray.contract.errors import ConfigError, DataError
from jack_ray.methods.shared.clip_prediction import ClipPredictor
from jack_ray.methods.shared.demo_tree import write_video
from jack_ray.methods.shared.demo_videos import invent
from tests.methods.shared.clip_trees import SmallModel, data_config, small_tree

LABELS = ("Anger", "Anticipation", "Disgust", "Fear")


def predictor(labels: tuple[str, ...] = LABELS) -> ClipPredictor:
    return ClipPredictor(SmallModel(), data_config("/"), labels, lambda sound, path: next(sound.pieces()))


def test_what_is_no_video_is_told_as_such_and_not_by_its_sound(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_text("text")
    with pytest.raises(DataError, match=r"a\.mp4: cannot be decoded"):
        predictor().read(path)


def test_a_video_of_too_few_pictures_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    write_video(path, invent(2, {"training": 1}, (5, 5), 1)[0], 24, 1)
    with pytest.raises(DataError, match=r"a\.mp4: 5 pictures; expected at least 16 \(data\.min_frames\)"):
        predictor().read(path)


def test_a_folder_of_pictures_is_read_with_its_sound(tmp_path: Path) -> None:
    root = small_tree(tmp_path / "tree", num_classes=2)
    sample = predictor().read(root / "img/Anger/anger_training_00")
    assert sample["visual"].shape == (3, 3, 4, 16, 16)
    assert sample["audio"].size > 0


def test_as_many_labels_are_needed_as_the_model_has_classes() -> None:
    with pytest.raises(ConfigError, match=r"labels: 2: Anger, Fear; expected one for each of the model's classes"):
        predictor(("Anger", "Fear"))
