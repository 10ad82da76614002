"""data.clips=fixed: which clips there are, and that nothing is read where their features are kept."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jack_ray.contract.errors import DataError
from jack_ray.methods.cten.data import Data as CtenData
from jack_ray.methods.shared import video_file
from jack_ray.methods.shared.clip_source import ClipSource
from jack_ray.methods.shared.fixed_clips import MIDDLE, FixedClips, rows_of
from jack_ray.methods.shared.frames import PictureFolder, PicturesOfVideo
from jack_ray.methods.shared.kept_features import Kept, Seen
from jack_ray.methods.vaanet.data import Data as VaanetData
from tests.methods.shared.clip_trees import SmallModel, data_config, small_tree
from tests.methods.shared.test_clip_samples import video_tree

BOTH = pytest.mark.parametrize("data_class", [VaanetData, CtenData])
DataClass = type[VaanetData] | type[CtenData]


class Memory:
    """A shelf without files."""

    def __init__(self) -> None:
        self.kept: dict[str, Kept] = {}

    def find(self, recipe: str) -> Kept | None:
        """As it was kept."""
        return self.kept.get(recipe)

    def keep(self, recipe: str, kept: Kept) -> None:
        """Keep it."""
        self.kept[recipe] = kept


def examples(
    data_class: DataClass, root: Path, shelf: Memory | None = None, split: Any = "train", seed: int = 1, **changes: Any
) -> Any:
    data = data_class(SmallModel(), data_config(root, clips="fixed", **changes), split, seed)
    if shelf is not None:
        data.use_shelf(shelf)
    return data


def made(clips: Any) -> Any:
    """A backbone that adds up."""
    return clips.reshape((len(clips), -1)).sum(1, dtype=np.float32)[:, None]


def variants(data: Any, index: int, draws: int = 40) -> set[bytes]:
    return {data.draw(index, seed)["visual"].tobytes() for seed in range(draws)}


@BOTH
def test_training_draws_each_of_the_variants_and_no_other(class_tree: Path, data_class: DataClass) -> None:
    for count in (1, 3):
        assert len(variants(examples(data_class, class_tree, clip_variants=count), 0)) == count


@BOTH
def test_the_variants_depend_on_their_own_seed_and_not_on_the_trials(class_tree: Path, data_class: DataClass) -> None:
    def of(**changes: Any) -> set[bytes]:
        data = examples(data_class, class_tree, clip_variants=2, val_fraction=0, **changes)
        return variants(data, 0)

    assert of(seed=1) == of(seed=2)
    assert of(clip_seed=0).isdisjoint(of(clip_seed=1))


@BOTH
def test_evaluation_is_that_of_random_clips(class_tree: Path, data_class: DataClass) -> None:
    fixed = examples(data_class, class_tree, split="test")
    random = data_class(SmallModel(), data_config(class_tree), "test", 1)
    assert (fixed[2]["visual"] == random[2]["visual"]).all()


@BOTH
def test_with_a_shelf_a_sample_is_read_once_and_then_found(own_tree: Path, data_class: DataClass) -> None:
    shelf = Memory()
    plain = examples(data_class, own_tree, clip_variants=1)
    data = examples(data_class, own_tree, shelf, clip_variants=1)
    first = data.draw(0, 5)
    assert (first["seen"].clips == plain.draw(0, 5)["visual"]).all()
    features = first["seen"].features(made)
    for picture in (own_tree / "img").rglob("000002.jpg"):
        picture.unlink()
    again = data.draw(0, 6)
    assert again["seen"].clips is None
    assert (again["seen"].features(None) == features).all()
    assert again["duration_s"] == first["duration_s"] > 0
    assert again["label"] == first["label"]
    with pytest.raises(DataError, match=r"000002\.jpg"):
        data.draw(1, 6)


@BOTH
def test_the_file_of_a_video_whose_features_are_there_is_not_even_opened(
    tmp_path: Path, data_class: DataClass, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, shelf = video_tree(tmp_path), Memory()

    def sample() -> Any:
        model = replace(SmallModel(), num_classes=2)
        config = data_config(root, clips="fixed", clip_variants=1, source="video", val_fraction=0.0)
        data = data_class(model, config, "train", 1)
        data.use_shelf(shelf)
        return data.draw(0, 3)

    first = sample()
    first["seen"].features(made)
    video_file.index.cache_clear()
    video_file.num_pictures.cache_clear()
    monkeypatch.setattr(video_file, "opened", None)
    again = sample()
    assert again["seen"].clips is None
    assert again["duration_s"] == first["duration_s"] > 0


@BOTH
def test_a_batch_of_seen_videos_has_no_clips(class_tree: Path, data_class: DataClass) -> None:
    data = examples(data_class, class_tree, Memory())
    (batch,) = data.collate([data.draw(0, 1), data.draw(1, 1)])
    assert "visual" not in batch
    assert [type(video) for video in batch["seen"]] == [Seen, Seen]
    assert batch["audio"].dtype == np.float32


def source(root: Path, name: str = "Anger/anger_training_00", **changes: Any) -> ClipSource:
    return replace(ClipSource(PictureFolder(root / "img" / name), 3, 4, 16, 1, 16), **changes)


def recipe(root: Path, variant: int | None = 0, name: str = "one", seed: int = 0, **changes: Any) -> str:
    return FixedClips(source(root, **changes), data_config(root, clip_seed=seed), name, None).recipe(variant)


def test_a_recipe_is_another_one_for_everything_that_changes_the_clips(own_tree: Path) -> None:
    first = recipe(own_tree)
    others = [
        recipe(own_tree, variant=1), recipe(own_tree, variant=MIDDLE), recipe(own_tree, name="two"),
        recipe(own_tree, seed=1), recipe(own_tree, size=17), recipe(own_tree, segments=2),
        recipe(own_tree, clip_frames=3), recipe(own_tree, frame_step=2),
        FixedClips(source(own_tree, "Fear/fear_training_00"), data_config(own_tree), "one", None).recipe(0),
    ]  # fmt: skip
    assert len({first, *others}) == len(others) + 1


def test_a_recipe_does_not_depend_on_where_the_video_lies(own_tree: Path, tmp_path: Path) -> None:
    moved = Path(shutil.copytree(own_tree, tmp_path / "elsewhere"))
    assert recipe(moved) == recipe(own_tree)
    for seed in (0, 1):
        assert recipe(moved, variant=MIDDLE, seed=seed, name=str(seed)) == recipe(own_tree, variant=MIDDLE)


def test_another_content_of_the_same_name_is_another_recipe(own_tree: Path, tmp_path: Path) -> None:
    moved = Path(shutil.copytree(own_tree, tmp_path / "elsewhere"))
    folder = moved / "img/Anger/anger_training_00"
    shutil.copy(folder / "000002.jpg", folder / "000001.jpg")
    assert recipe(moved) != recipe(own_tree)


def test_a_video_file_counts_by_content_and_how_it_is_scaled(tmp_path: Path) -> None:
    tree = small_tree(tmp_path / "tree", num_classes=2, train=2, as_videos=True)
    path = next(tree.rglob("*.mp4"))
    copy = Path(shutil.copy(path, tmp_path / "copy.mp4"))
    assert PicturesOfVideo(path, 24, 92).identity() == PicturesOfVideo(copy, 24, 92).identity()
    assert PicturesOfVideo(path, 24, 92).identity() != PicturesOfVideo(path, 24, None).identity()


def test_a_missing_video_is_named(own_tree: Path) -> None:
    shutil.rmtree(own_tree / "img/Anger/anger_training_00")
    with pytest.raises(DataError, match=r"anger_training_00/n_frames: no such file"):
        recipe(own_tree)


@pytest.mark.parametrize(
    ("kept", "rows"),
    [([], [0, 1, 2, 3]), ([2], [2, 2, 2, 2]), ([3, 0], [0, 0, 3, 3]), ([0, 1, 3], [0, 0, 1, 3])],
)
def test_kept_segments_fill_all_places_in_their_order(kept: list[int], rows: list[int]) -> None:
    assert rows_of(kept, 4).tolist() == rows


def test_clips_of_kept_segments_are_those_of_a_variant_with_and_without_a_shelf(class_tree: Path) -> None:
    shelf = Memory()
    plain = examples(CtenData, class_tree, clip_variants=1)
    kept = examples(CtenData, class_tree, shelf, clip_variants=1)
    whole = plain.draw(0, 9)["visual"]
    (batch,), (seen,) = plain.collate([plain.draw(0, 1)]), kept.collate([kept.draw(0, 1)])
    redrawn = batch["videos"][0].redraw([2], 4)
    assert redrawn.dtype == np.float32
    assert (redrawn == whole[[2, 2, 2]]).all()
    assert (seen["videos"][0].redraw([2], 4).features(made) == made(whole)[[2, 2, 2]]).all()
    assert next(iter(shelf.kept.values())).features.shape == (3, 1)
    assert seen["videos"][0].redraw([0], 4).clips is None
