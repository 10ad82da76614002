"""VAANet's examples; what it shares with CTEN is tested in tests/methods/shared/test_clip_samples.py."""

from pathlib import Path

import numpy as np

from jack_ray.methods.shared.mfcc import mfcc
from jack_ray.methods.shared.sound_file import read_sound
from jack_ray.methods.vaanet.data import Data
from tests.methods.shared.clip_trees import SmallModel, data_config


def test_the_sound_is_the_first_rows_of_coefficients_repeated_where_there_are_fewer(class_tree: Path) -> None:
    for rows in (20, 200):
        data = Data(SmallModel(sound_rows=rows), data_config(class_tree), "test", 1)
        whole = mfcc(read_sound(class_tree / "mp3/Anger/anger_validation_00.mp3"), 16000, 8)
        assert 20 < len(whole) < 40
        expected = np.concatenate([whole] * 10)[:rows]
        np.testing.assert_array_equal(data[0]["audio"], expected)
        np.testing.assert_array_equal(data.draw(0, 5)["audio"], expected)


def test_models_with_other_settings_of_sound_do_not_share_what_was_heard(class_tree: Path) -> None:
    shapes = [
        Data(SmallModel(mfcc=count), data_config(class_tree), "test", 1)[0]["audio"].shape for count in (8, 12, 8)
    ]
    assert shapes == [(40, 8), (40, 12), (40, 8)]
