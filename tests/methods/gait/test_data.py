"""Samples and batches."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jack_ray.contract.errors import DataError
from jack_ray.methods.gait.data import Data
from tests.methods.gait.sample_config import data_config, egait_config, model_config
from tests.methods.gait.test_files import numbers, walks, write_h5

EGAIT = Path(__file__).parents[4] / "shared" / "data" / "egait"


def opened(root: Path, split: Any = "train", seed: int = 4, **changes: Any) -> Data:
    return Data(model_config(), data_config(root, **changes), split, seed)


def test_a_sample_has_the_shapes_it_says(demo: Path) -> None:
    sample = opened(demo)[0]
    shapes = {name: value.shape for name, value in sample.items() if name != "name"}
    assert shapes == {"posture": (3, 48, 16), "movement": (8, 48, 16), "affective": (1488,), "targets": (4,)}
    assert all(value.dtype == np.float32 for name, value in sample.items() if name != "name")


def test_the_splits_share_no_gait(demo: Path) -> None:
    names = [
        [data[index]["name"] for index in range(len(data))]
        for data in (opened(demo, one) for one in ("train", "val", "test"))
    ]
    assert [len(one) for one in names] == [14, 2, 6]
    assert len({name for one in names for name in one}) == 22


def test_evaluation_reads_gaits_as_they_are(demo: Path) -> None:
    data = opened(demo, "test")
    raw = np.load(demo / "test_joint.npy")[..., 0]
    assert all((data[index]["posture"] == raw[index]).all() for index in range(6))


def test_training_draws_from_the_seed_and_moves_the_streams_in_their_own_ways(demo: Path) -> None:
    data = opened(demo)
    plain, first, again, other = data[3], data.draw(3, 5), data.draw(3, 5), data.draw(3, 6)
    for key in ("posture", "movement"):
        assert (first[key] == again[key]).all()
        assert (first[key] != other[key]).any()
        assert (first[key][2:] == plain[key][2:]).all()
    assert (first["affective"] == plain["affective"]).all()


def test_augmentation_can_be_left_out(demo: Path) -> None:
    data = opened(demo, augment=False)
    assert (data.draw(3, 5)["posture"] == data[3]["posture"]).all()


def test_velocities_are_shifted_as_published_unless_told_otherwise(demo: Path) -> None:
    only_shifts: dict[str, Any] = {"angles_deg": (0.0,), "scales": (1.0,), "shifts": (0.2,)}
    shifted, kept = (opened(demo, shift_velocities=on, **only_shifts) for on in (True, False))
    assert shifted.draw(0, 1)["movement"][0] == pytest.approx(shifted[0]["movement"][0] + 0.2, abs=1e-6)
    assert kept.draw(0, 1)["movement"][0] == pytest.approx(kept[0]["movement"][0], abs=1e-6)


def test_all_samples_of_a_step_are_one_batch_also_the_last_few(demo: Path) -> None:
    data = opened(demo, "test")
    assert not data.separate
    (batch,) = data.collate([data[index] for index in range(6)])
    assert batch["posture"].shape == (6, 3, 48, 16)
    assert batch["names"][5] == "test_0005_Sad"
    assert data.labels == ("Happy", "Sad", "Angry", "Neutral")


def test_classes_are_matched_by_name_and_not_by_number(tmp_path: Path) -> None:
    root = write_h5(tmp_path / "e", walks(8), numbers(8))
    data = Data(model_config(), egait_config(root, folds=2, val_fraction=0.0), "test", 0)
    of_files = ("Happy", "Angry", "Sad", "Neutral")
    for index in range(len(data)):
        sample = data[index]
        number = int(sample["name"].split()[1]) % 4
        assert model_config().labels[int(sample["targets"].argmax())] == of_files[number]


def test_e_gaits_left_side_becomes_bpm_gcns_left_side(tmp_path: Path) -> None:
    gaits = walks(8)
    root = write_h5(tmp_path / "e", gaits, numbers(8))
    data = Data(model_config(), egait_config(root, folds=2, val_fraction=0.0), "test", 0)
    sample = data[0]
    original = gaits[sample["name"]].reshape(-1, 16, 3)
    length = len(original)
    assert pytest.approx(original[:, 6], abs=1e-6) == sample["posture"][:, :length, 9].T  # left hand
    assert pytest.approx(original[:, 13], abs=1e-6) == sample["posture"][:, :length, 10].T  # right hip
    assert not sample["posture"][:, length:].any()


def test_several_classes_a_gait_need_the_models_consent(own_demo: Path) -> None:
    (own_demo / "train_label.json").unlink()
    labels = np.zeros((16, 4))
    labels[:, 0] = 1
    labels[3, 2] = 1
    np.save(own_demo / "train_label.npy", labels)
    with pytest.raises(DataError, match=r"Type model\.multi_label=true"):
        opened(own_demo)
    several = Data(model_config(multi_label=True), data_config(own_demo, val_fraction=0.0), "train", 0)
    assert several[3]["targets"].tolist() == [1, 0, 1, 0]


def test_a_broken_folder_is_told_by_the_reader_too(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        opened(tmp_path)


@pytest.mark.skipif(not EGAIT.exists(), reason="E-Gait's files are not beside the checkout")
def test_the_real_gaits_walk_upright_on_both_feet_with_the_published_class_counts() -> None:
    config = egait_config(EGAIT, features_file="features_aligned.h5", val_fraction=0.0)
    parts = [Data(model_config(), config, split, 4) for split in ("train", "test")]
    assert sum(part.targets[part.chosen].sum(0) for part in parts).tolist() == [112, 78, 33, 119]
    sample = parts[0][0]
    head, feet = sample["posture"][1, 0, 3], sample["posture"][1, 0, [12, 15]]
    assert head > 0 > feet.max()
    # A knee is nearer to the hip of its own side.
    posture = sample["posture"][:, 0].T
    assert np.linalg.norm(posture[11] - posture[10]) < np.linalg.norm(posture[11] - posture[13])
