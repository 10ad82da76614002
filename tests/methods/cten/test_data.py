"""CTEN's examples; what it shares with VAANet is tested in tests/methods/shared/test_clip_samples.py."""

from pathlib import Path

import numpy as np

from jack_ray.methods.cten.data import Data
from jack_ray.methods.shared.fbank import fbank, take_pieces
from jack_ray.methods.shared.sound_file import read_sound
from tests.methods.shared.clip_trees import SmallModel, data_config


def test_the_sound_is_filter_banks_scaled_as_published(class_tree: Path) -> None:
    rows = fbank(read_sound(class_tree / "mp3/Anger/anger_validation_00.mp3"), 16)
    assert 30 < len(rows) < 90
    data = Data(SmallModel(), data_config(class_tree), "test", 1)
    expected = (take_pieces(rows, 3, 10, None) + 6.6268077) / (2 * 5.358466)
    np.testing.assert_allclose(data[0]["audio"], expected, rtol=1e-5)


def test_pieces_of_sound_are_drawn_in_training(class_tree: Path) -> None:
    data = Data(SmallModel(), data_config(class_tree), "test", 1)
    assert any((data.draw(0, seed)["audio"] != data[0]["audio"]).any() for seed in range(5))


def test_short_sound_is_repeated(class_tree: Path) -> None:
    data = Data(SmallModel(segments=16, piece_rows=100), data_config(class_tree), "test", 1)
    audio = data[0]["audio"]
    length = len(fbank(read_sound(class_tree / "mp3/Anger/anger_validation_00.mp3"), 16))
    assert audio.shape == (1600, 16)
    np.testing.assert_array_equal(audio[:length], audio[length : 2 * length])


def test_a_batch_has_a_handle_on_each_of_its_videos(class_tree: Path) -> None:
    data = Data(SmallModel(), data_config(class_tree), "test", 1)
    batch = data.collate([data[0], data[1]])[0]
    for video, row in zip(batch["videos"], batch["visual"], strict=True):
        assert video.redraw([0, 1], 1).shape == row.shape
