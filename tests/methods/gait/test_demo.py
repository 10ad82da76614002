"""The generated gaits."""

import argparse
from pathlib import Path

import numpy as np
import pytest

from jack_ray.contract.errors import ConfigError, DataError
from jack_ray.methods.gait import demo
from jack_ray.methods.gait.files import inspect
from tests.methods.gait.sample_config import data_config


def test_the_same_seed_gives_the_same_files_and_another_one_others(tmp_path: Path) -> None:
    identities = []
    for number, seed in enumerate((1, 1, 2)):
        demo.generate(tmp_path / str(number), train=8, test=4, seed=seed)
        identities.append(inspect(data_config(tmp_path / str(number))).identity)
    assert identities[0] == identities[1] != identities[2]


def test_a_second_call_writes_nothing(tmp_path: Path) -> None:
    assert demo.generate(tmp_path / "a", train=8, test=4, seed=1) == "written"
    before = (tmp_path / "a" / "train_joint.npy").stat().st_mtime_ns
    assert "already" in demo.generate(tmp_path / "a", train=8, test=4, seed=1)
    assert (tmp_path / "a" / "train_joint.npy").stat().st_mtime_ns == before
    (tmp_path / "a" / "train_joint.npy").unlink()
    assert demo.generate(tmp_path / "a", train=8, test=4, seed=1) == "written"


def test_classes_differ_in_posture_and_in_movement() -> None:
    """A sad walker's head leans forward; a happy one's hands move faster."""
    walks = {
        label: np.stack([demo.walk(demo.STYLES[label], np.random.default_rng(seed)) for seed in range(20)])
        for label in demo.CLASSES
    }
    leaning = {label: np.linalg.norm(walk[:, :, 3, ::2], axis=2).mean() for label, walk in walks.items()}
    speed = {label: np.linalg.norm(np.diff(walk[:, :, (6, 9)], axis=1), axis=3).mean() for label, walk in walks.items()}
    assert leaning["Sad"] > 1.5 * leaning["Happy"]
    assert speed["Happy"] > 1.5 * speed["Sad"]


def test_walkers_are_people() -> None:
    walk = demo.walk(demo.STYLES["Neutral"], np.random.default_rng(0))
    assert walk.shape == (48, 16, 3)
    assert not walk[:, 0].any()
    assert (walk[:, 3, 1] > 0.3).all()
    assert (walk[:, [12, 15], 1] < 0.1).all()
    assert walk[:, 4, 0].mean() < walk[:, 7, 0].mean()


@pytest.mark.parametrize(
    ("numbers", "message"), [((3, 1, 0), "--train: 3"), ((8, 0, 0), "--test: 0"), ((8, 1, -1), "--seed: -1")]
)
def test_impossible_numbers_are_told(tmp_path: Path, numbers: tuple[int, int, int], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        demo.generate(tmp_path / "a", train=numbers[0], test=numbers[1], seed=numbers[2])


def test_a_folder_of_others_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").touch()
    with pytest.raises(DataError, match=r"no demo\.json in it"):
        demo.generate(tmp_path, train=8, test=4, seed=1)


def test_the_command_says_what_to_type_next(tmp_path: Path) -> None:
    parser = argparse.ArgumentParser()
    demo.add_options(parser)
    text = demo.run(parser.parse_args([str(tmp_path / "a"), "--train", "8", "--test", "4"]))
    assert f"Next: python -m jack_ray.launch model=gait_smoke data.root={tmp_path / 'a'}" in text
