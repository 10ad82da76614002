"""Which videos a split has."""

from collections import Counter
from pathlib import Path

import pytest

from jack_ray.contract.errors import DataError
from jack_ray.methods.shared.class_annotation import ClassAnnotation, Entry
from jack_ray.methods.shared.class_tree import divide, draw_by_class, labels_of, natural_order
from tests.methods.shared.clip_trees import data_config, edit_annotation


def annotation(counts: dict[tuple[str, str], int]) -> ClassAnnotation:
    """(label, subset) -> how many videos."""
    entries = [
        Entry(f"{label}{subset}{number}", label, subset)
        for (label, subset), count in counts.items()
        for number in range(count)
    ]
    return ClassAnnotation(Path("x"), tuple({label: 1 for label, _ in counts}), {one.name: one for one in entries})


PUBLISHED = annotation(
    {("Joy", "training"): 20, ("Fear", "training"): 10, ("Joy", "validation"): 8, ("Fear", "validation"): 4}
)


def kinds(names: tuple[str, ...]) -> Counter[str]:
    """How many of each class."""
    return Counter(PUBLISHED.entries[name].label for name in names)


def test_the_published_subset_validation_is_the_test_split_and_val_is_held_out_by_class() -> None:
    splits = divide(PUBLISHED, data_config("x", val_fraction=0.2), seed=1)
    assert kinds(splits["test"]) == {"Joy": 8, "Fear": 4}
    assert kinds(splits["val"]) == {"Joy": 4, "Fear": 2}
    assert kinds(splits["train"]) == {"Joy": 16, "Fear": 8}
    assert sum(len(names) for names in splits.values()) == len(PUBLISHED.entries)


def test_what_is_held_out_depends_on_the_seed_alone() -> None:
    data = data_config("x", val_fraction=0.2)
    again = [divide(PUBLISHED, data, seed)["val"] for seed in (1, 1, 2)]
    assert again[0] == again[1] != again[2]


def test_nothing_is_held_out_without_a_fraction() -> None:
    assert divide(PUBLISHED, data_config("x", val_fraction=0), seed=1)["val"] == ()


def test_a_file_with_three_subsets_is_taken_as_it_is() -> None:
    three = annotation({("Joy", "training"): 5, ("Joy", "validation"): 2, ("Joy", "test"): 3})
    splits = divide(three, data_config("x", val_fraction=0.5), seed=1)
    assert {split: len(names) for split, names in splits.items()} == {"train": 5, "val": 2, "test": 3}


def test_random_splits_are_by_class_and_differ_by_their_number_alone() -> None:
    splits = [
        divide(PUBLISHED, data_config("x", split=number, test_fraction=1 / 3), seed)
        for number, seed in ((0, 1), (0, 2), (1, 1))
    ]
    assert splits[0]["test"] == splits[1]["test"] != splits[2]["test"]
    assert kinds(splits[0]["test"]) in ({"Joy": 9, "Fear": 5}, {"Joy": 10, "Fear": 4})
    assert set(splits[0]["train"]) | set(splits[0]["val"]) | set(splits[0]["test"]) == set(PUBLISHED.entries)


def test_one_of_each_class_stays_behind() -> None:
    names = ["a", "b", "c", "d"]
    drawn = draw_by_class(names, {"a": "x", "b": "x", "c": "y", "d": "y"}, 0.9, "1")
    assert len(drawn) == 2
    assert len({name in ("a", "b") for name in drawn}) == 2
    assert draw_by_class(["a", "b", "c"], {"a": "x", "b": "y", "c": "y"}, 0.9, "1") in (["b"], ["c"])


def test_names_are_ordered_by_their_numbers() -> None:
    assert natural_order(["v10", "v2", "a", "v2b", "10", "9"]) == ["9", "10", "a", "v2", "v2b", "v10"]


def test_the_labels_are_those_that_are_set_or_those_of_the_file(own_tree: Path) -> None:
    assert labels_of(data_config("x", labels=("a", "b"))) == ("a", "b")
    assert labels_of(data_config(own_tree)) == ("Anger", "Anticipation", "Disgust", "Fear")
    edit_annotation(own_tree, lambda content: content.pop("labels"))
    with pytest.raises(DataError, match="labels: nothing"):
        labels_of(data_config(own_tree))
