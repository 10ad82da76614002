"""Splits and folds."""

import pytest

from jack_ray.methods.gait.split import folds, held_out, indices
from tests.methods.gait.sample_config import data_config

KINDS = [(1.0, 0.0)] * 112 + [(0.0, 1.0)] * 33 + [(1.0, 1.0)] * 78 + [(0.0, 0.0)] * 119


def test_folds_are_disjoint_and_together_everything_with_every_class_in_proportion() -> None:
    parts = folds(KINDS, 5, 4)
    assert sorted(parts.count(part) for part in range(5)) == [68, 68, 68, 69, 69]
    for kind in set(KINDS):
        members = [part for part, one in zip(parts, KINDS, strict=True) if one == kind]
        counts = [members.count(part) for part in range(5)]
        assert max(counts) - min(counts) <= 1


def test_the_seed_draws_the_folds() -> None:
    assert folds(KINDS, 5, 4) == folds(KINDS, 5, 4)
    assert folds(KINDS, 5, 4) != folds(KINDS, 5, 5)


def test_train_val_and_test_of_a_fold_share_no_gait() -> None:
    data = data_config("/", folds=5, fold=2, val_fraction=0.1)
    own = ["train"] * len(KINDS)
    parts = [indices(own, KINDS, data, split, 4) for split in ("train", "val", "test")]
    assert sorted(index for part in parts for index in part) == list(range(len(KINDS)))
    assert [len(part) for part in parts] == [247, 27, 68]


def test_without_folds_the_test_split_is_the_files_own() -> None:
    own = ["train"] * 300 + ["test"] * 42
    assert indices(own, KINDS, data_config("/"), "test", 4) == list(range(300, 342))
    assert not set(indices(own, KINDS, data_config("/"), "val", 4)) & set(range(300, 342))


@pytest.mark.parametrize(("fraction", "number"), [(0.0, 0), (0.1, 34), (0.0001, 1)])
def test_gaits_are_held_out_class_by_class(fraction: float, number: int) -> None:
    held = held_out(KINDS, fraction, 4)
    assert len(held) == number
    if number > 4:
        assert abs(sum(KINDS[index] == (0.0, 1.0) for index in held) - 3.4) < 1.5


def test_at_least_one_gait_is_left_to_train_on() -> None:
    assert len(held_out([(1.0,), (1.0,)], 0.99, 0)) == 1
    assert held_out([(1.0,)], 0.5, 0) == frozenset()
