"""The windows of a video are what a video of their pictures and sound would be."""

import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jack_ray.contract.errors import DataError
from jack_ray.methods.roles import Sample
from jack_ray.methods.shared.clip_prediction import ClipPredictor
from jack_ray.methods.shared.demo_tree import write_video
from jack_ray.methods.shared.demo_videos import invent
from jack_ray.methods.shared.frames import PicturesOfVideo, picture_name
from jack_ray.methods.shared.sound_file import Sound, read_sound
from jack_ray.methods.shared.sound_writing import write_sound
from tests.methods.shared.clip_trees import SmallModel, data_config, small_tree

LABELS = ("Anger", "Anticipation", "Disgust", "Fear")
ANSWER = {"probabilities": {"Anger": 1.0}}


def predictor() -> ClipPredictor:
    return ClipPredictor(SmallModel(), data_config("/"), LABELS, lambda sound, path: next(sound.pieces()))


def samples_over_time(path: Path, window_s: float) -> tuple[list[Sample], list[dict[str, Any]]]:
    """The samples that a model is asked about, and the timeline."""
    asked: list[Sample] = []

    def ask(samples: Iterable[Sample]) -> Iterator[Mapping[str, Any]]:
        for sample in samples:
            asked.append(sample)
            yield ANSWER

    return asked, predictor().over_time(path, ANSWER, ask, window_s)["timeline"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """60 pictures at 30 a second, and 2 s of sound beside them."""
    source = small_tree(tmp_path / "tree", num_classes=2, frames=(20, 20)) / "img/Anger/anger_training_00"
    path = tmp_path / "long"
    path.mkdir()
    for number in range(60):
        shutil.copy(source / picture_name(1 + (7 * number) % 20), path / picture_name(number + 1))
    (path / "n_frames").write_text("60")
    wave = np.random.default_rng(1).uniform(-0.5, 0.5, (1, 32000)).astype(np.float32)
    write_sound(tmp_path / "long.wav", Sound(wave, 16000))
    return path


def test_each_window_is_read_as_a_video_of_its_own(folder: Path, tmp_path: Path) -> None:
    samples, timeline = samples_over_time(folder, 0.6)
    assert [(round(one["start_s"], 6), round(one["end_s"], 6)) for one in timeline] == [
        (0.0, 0.6), (0.6, 1.2), (1.2, 2.0)
    ]  # fmt: skip
    whole = read_sound(tmp_path / "long.wav")
    for number, (first, last, sample) in enumerate(zip((1, 19, 37), (18, 36, 60), samples, strict=True)):
        alone = tmp_path / f"cut{number}"
        alone.mkdir()
        for place in range(first, last + 1):
            shutil.copy(folder / picture_name(place), alone / picture_name(place - first + 1))
        (alone / "n_frames").write_text(str(last - first + 1))
        start, end = (first - 1) * 16000 // 30, last * 16000 // 30
        write_sound(tmp_path / f"cut{number}.wav", Sound(whole.samples[:, start:end], 16000))
        expected = predictor().read(alone)
        np.testing.assert_array_equal(sample["visual"], expected["visual"])
        np.testing.assert_array_equal(sample["audio"], expected["audio"])


def test_a_short_video_is_one_window_with_the_answer_of_the_whole(folder: Path) -> None:
    samples, timeline = samples_over_time(folder, 10.0)
    assert samples == []
    assert timeline == [{"start_s": 0.0, "end_s": 2.0, **ANSWER}]


def test_windows_shorter_than_a_picture_have_the_one_that_is_still_shown(folder: Path) -> None:
    samples, timeline = samples_over_time(folder, 0.01)
    assert len(timeline) == 200
    shown = [sample["visual"][0, :, 0].tobytes() for sample in samples]
    assert shown[0] == shown[2]
    assert len(set(shown)) >= 15


def test_a_window_behind_the_end_of_the_sound_is_silent(folder: Path, tmp_path: Path) -> None:
    write_sound(tmp_path / "long.wav", Sound(np.full((1, 16000), 0.1, np.float32), 16000))
    first, second = samples_over_time(folder, 1.0)[0]
    assert (first["audio"] != 0).all()
    assert (second["audio"] == 0).all()


def test_pictures_of_a_video_are_counted_by_their_times(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    write_video(path, invent(2, {"training": 1}, (50, 50), 1)[0], 24, 1)
    pictures = PicturesOfVideo(path, 24, None)
    rate = 50 / pictures.duration_s()
    assert [pictures.before(number / rate) for number in (0, 1, 1.5, 25, 50, 99)] == [0, 1, 2, 25, 50, 50]


def test_what_is_longer_than_allowed_is_not_read(folder: Path) -> None:
    with pytest.raises(DataError, match=r"long: 2 s long; expected at most 1\.5 s \(max_s\)"):
        predictor().read(folder, max_s=1.5)
