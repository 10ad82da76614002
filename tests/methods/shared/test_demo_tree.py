"""Generated class trees: the layout, and a signal that neither pictures nor sound have alone."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from jack_ray.contract.errors import ConfigError, DataError, JackRayError
from jack_ray.methods.shared import demo_tree
from jack_ray.methods.shared.demo_tree import generate
from jack_ray.methods.shared.demo_videos import PITCHES_HZ, RATE_HZ, Scene, invent, pictures, sound
from jack_ray.methods.shared.tree_files import inspect_tree
from tests.methods.shared.clip_trees import SMALL, data_config

TINY = replace(SMALL, num_classes=2, train=2, test=1, height=16, frames=(16, 18))


def digests(root: Path) -> dict[str, str]:
    """Every file's content."""
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def test_the_layout_is_that_of_a_class_tree(tmp_path: Path) -> None:
    generate(tmp_path / "deep/x", TINY, "vaanet")
    root = tmp_path / "deep/x"
    assert inspect_tree(data_config(root), "vaanet").faults == ()
    content = json.loads((root / "annotation.json").read_text())
    assert content["labels"] == ["Anger", "Anticipation"]
    entry = content["database"]["anger_training_00"]
    count = int((root / "img/Anger/anger_training_00/n_frames").read_text())
    assert entry["duration_s"] == pytest.approx(count / 30)
    start, end = entry["annotations"]["segments"][0]
    assert 0 <= start < end <= entry["duration_s"] + 1e-9
    assert len(list((root / "img/Anger/anger_training_00").glob("*.jpg"))) == count
    assert (root / "mp3/Anger/anger_training_00.mp3").is_file()


def test_the_same_seed_gives_the_same_files(tmp_path: Path) -> None:
    for name, seed in (("one", 1), ("two", 1), ("three", 2)):
        generate(tmp_path / name, replace(TINY, seed=seed), "vaanet")
    one, two, three = (digests(tmp_path / name) for name in ("one", "two", "three"))
    assert one == two
    assert all(three.get(name) != content for name, content in one.items() if name.endswith((".jpg", ".mp3")))


def loudest_hz(scene: Scene) -> float:
    """The strongest frequency of the key segment."""
    start, end = (round(second * RATE_HZ) for second in scene.segment_s)
    wave = sound(scene, 1)[0, start:end]
    return float(np.abs(np.fft.rfft(wave)).argmax() * RATE_HZ / len(wave))


def test_pitch_tells_odd_classes_from_even_ones_and_colour_the_pairs() -> None:
    scenes = invent(4, {"training": 3}, (40, 40), 1)
    for scene in scenes:
        expected = PITCHES_HZ[scene.label % 2]
        assert 0.85 * expected < loudest_hz(scene) < 1.15 * expected
    hues = {scene.name: key_hue(scene) for scene in scenes}
    by_pair = [[hues[scene.name] for scene in scenes if scene.label // 2 == pair] for pair in (0, 1)]
    assert max(by_pair[0]) < 10
    assert 110 < min(by_pair[1]) <= max(by_pair[1]) < 145


def key_hue(scene: Scene) -> float:
    """The hue of the middle of the key segment, 0 to 255."""
    shown = list(pictures(scene, 24, 1))
    key = shown[(scene.first + scene.last) // 2].convert("HSV")
    outside = [picture for number, picture in enumerate(shown) if not scene.first <= number < scene.last]
    for picture in outside:
        assert np.asarray(picture.convert("HSV"))[..., 1].mean() < 10  # grey
    return float(np.median((np.asarray(key)[..., 0].astype(int) + 8) % 256 - 8))


def test_what_is_there_already_is_left_alone_and_other_arguments_replace_it(tmp_path: Path) -> None:
    assert "written" in generate(tmp_path / "x", TINY, "vaanet")
    assert "is there already, complete" in generate(tmp_path / "x", TINY, "cten")
    assert "written" in generate(tmp_path / "x", replace(TINY, train=3), "vaanet")
    next((tmp_path / "x").rglob("*.jpg")).unlink()
    assert "written" in generate(tmp_path / "x", replace(TINY, train=3), "vaanet")


def test_an_interrupted_generation_leaves_no_data_set_and_is_redone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(demo_tree, "annotation", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            generate(tmp_path / "x", TINY, "vaanet")
    assert not (tmp_path / "x").exists()
    generate(tmp_path / "x", TINY, "vaanet")
    assert inspect_tree(data_config(tmp_path / "x"), "vaanet").faults == ()
    assert list(tmp_path.iterdir()) == [tmp_path / "x"]


@pytest.mark.parametrize(("name", "message"), [("thesis.tex", "not demo data: it has no demo.json"), (None, "a file")])
def test_a_folder_of_somebody_elses_is_never_touched(tmp_path: Path, name: str | None, message: str) -> None:
    root = tmp_path / "x"
    if name is None:
        root.write_text("")
    else:
        root.mkdir()
        (root / name).write_text("")
    with pytest.raises(DataError, match=message):
        generate(root, TINY, "vaanet")


def test_files_added_to_demo_data_are_not_lost(tmp_path: Path) -> None:
    generate(tmp_path / "x", TINY, "vaanet")
    (tmp_path / "x/notes.txt").write_text("mine")
    with pytest.raises(DataError, match=r"files that are not demo data: notes\.txt"):
        generate(tmp_path / "x", replace(TINY, seed=2), "vaanet")
    assert (tmp_path / "x/notes.txt").read_text() == "mine"


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JackRayError, match=r"Cannot write demo data to [^ ]*: Not a directory"):
        generate(tmp_path / "file/x", TINY, "vaanet")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_classes": 9}, "--classes: 9; expected 2 to 8"),
        ({"train": 1}, "--train: 1; expected 2 to 99"),
        ({"test": 0}, "--test: 0; expected 1 to 99"),
        ({"seed": -1}, "--seed: -1"),
        ({"height": 4}, "--height: 4"),
        ({"frames": (9, 20)}, "--frames: 9 20; expected 16 <= MIN <= MAX"),
        ({"frames": (30, 20)}, "--frames: 30 20"),
    ],
)
def test_impossible_numbers_are_told(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        generate(tmp_path / "x", replace(TINY, **changes), "vaanet")


def test_videos_can_be_generated_to_prepare_them(tmp_path: Path) -> None:
    told = generate(tmp_path / "x", replace(TINY, as_videos=True), "vaanet")
    assert f"python -m jack_ray.data prepare {tmp_path / 'x'} NEW_FOLDER" in told
    assert sorted(path.name for path in (tmp_path / "x").iterdir()) == ["Anger", "Anticipation", "demo.json"]
    assert len(list((tmp_path / "x/Anger").glob("*.mp4"))) == 3


def test_pictures_have_the_wanted_height(tmp_path: Path) -> None:
    generate(tmp_path / "x", replace(TINY, height=30), "vaanet")
    with Image.open(next((tmp_path / "x").rglob("*.jpg"))) as picture:
        assert picture.size == (40, 30)
