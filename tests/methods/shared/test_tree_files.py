"""A look at a class tree: every kind of broken file with its one message, and an identity that follows the content."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from jack_ray.contract.errors import DataError
from jack_ray.methods.roles import Inspection
from jack_ray.methods.shared.demo_tree import write_video
from jack_ray.methods.shared.demo_videos import invent
from jack_ray.methods.shared.tree_decoding import decode_tree
from jack_ray.methods.shared.tree_files import inspect_tree
from tests.methods.shared.clip_trees import data_config, edit_annotation, small_tree

VIDEO = "Fear/fear_training_00"


def look(root: Path, **changes: Any) -> Inspection:
    """What a look at a tree finds."""
    return inspect_tree(data_config(root, **changes), "vaanet")


def told(root: Path, **changes: Any) -> str:
    """The message of the only fault."""
    faults = look(root, **changes).faults
    assert len(faults) == 1, [str(fault) for fault in faults]
    return str(faults[0])


def decoded(root: Path, **changes: Any) -> list[str]:
    """The faults of decoding everything."""
    return [str(fault) for _, faults in decode_tree(data_config(root, **changes)) for fault in faults]


def test_a_sound_tree_has_an_identity_and_counts(class_tree: Path) -> None:
    found = look(class_tree)
    assert found.faults == ()
    assert len(found.identity) == 10
    assert found.summary["train and val videos"] == 16
    assert (found.summary["test videos"], found.summary["classes"]) == (4, 4)
    by_class = str(found.summary["train and val videos by class"]).split(", ")
    assert sum(int(one.split()[-1]) for one in by_class) == 16
    assert len(by_class) == 4
    assert decoded(class_tree) == []


def test_the_identity_follows_the_content_and_not_the_place(class_tree: Path, own_tree: Path) -> None:
    before = look(own_tree).identity
    assert before == look(class_tree).identity
    Image.new("RGB", (32, 24)).save(own_tree / "img" / VIDEO / "000001.jpg")
    after = look(own_tree).identity
    assert after != before
    edit_annotation(own_tree, lambda content: content["database"]["fear_training_00"].update(subset="validation"))
    assert look(own_tree).identity != after


def test_the_identity_follows_the_sound(own_tree: Path) -> None:
    before = look(own_tree).identity
    shutil.copy(own_tree / "mp3/Fear/fear_training_01.mp3", own_tree / "mp3/Fear/fear_training_00.mp3")
    assert look(own_tree).identity != before


Spoil = Callable[[Path], Any]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda root: shutil.rmtree(root / "img" / VIDEO), f"img/{VIDEO}: no such folder; expected the pictures"),
        (lambda root: (root / "img" / VIDEO / "n_frames").unlink(), "n_frames: no such file; expected the number of"),
        (lambda root: (root / "img" / VIDEO / "n_frames").write_text("many"), "n_frames: 'many'; expected the number"),
        (lambda root: (root / "img" / VIDEO / "n_frames").write_bytes(b"\xff\xff"), "n_frames: unreadable"),
        (lambda root: (root / "img" / VIDEO / "n_frames").write_text("0"), "n_frames: 0 pictures; expected at least"),
        (
            lambda root: (root / "img" / VIDEO / "n_frames").write_text("99"),
            "n_frames: 99, but there is no 000049.jpg, 000099.jpg",
        ),
        (lambda root: (root / "img" / VIDEO / "n_frames").write_text("18"), "n_frames: 18, but there is a 000019.jpg"),
        (lambda root: (root / "img" / VIDEO / "000001.jpg").unlink(), "but there is no 000001.jpg"),
        (lambda root: (root / "img" / VIDEO / "000001.jpg").write_bytes(b""), "000001.jpg: an empty file"),
        (lambda root: (root / "img" / VIDEO / "000001.jpg").write_text("x" * 99), "000001.jpg: not a picture that can"),
        (lambda root: cut(root / "img" / VIDEO / "000001.jpg", 10), "000001.jpg: not a picture that can be read"),
        (lambda root: cut(root / "img" / VIDEO / "000001.jpg", 700), "000001.jpg: cut short; expected a whole picture"),
        (lambda root: (root / f"mp3/{VIDEO}.mp3").unlink(), "{.mp3,.flac,.wav}: no such file; expected the sound"),
        (lambda root: (root / f"mp3/{VIDEO}.mp3").write_bytes(b""), ".mp3: an empty file; expected sound as mp3"),
        (lambda root: (root / f"mp3/{VIDEO}.mp3").write_text("hello"), ".mp3: begins with b'hell'; expected sound"),
        (lambda root: (root / "img/Fear").rename(root / "img/fear_"), "img/Fear/"),
        (lambda root: (root / "annotation.json").unlink(), "annotation.json: no such file"),
        (lambda root: edit_annotation(root, lambda c: c["labels"].append("Trust")), "no video of the class Trust"),
        (lambda root: shutil.rmtree(root / "img"), "img: none of the 20 videos of annotation.json; expected a folder"),
    ],
)  # fmt: skip
def test_what_is_broken_is_told_with_its_file(own_tree: Path, spoil: Spoil, message: str) -> None:
    spoil(own_tree)
    faults = [str(fault) for fault in look(own_tree).faults]
    assert faults
    assert all(str(own_tree) in fault for fault in faults)
    assert message in faults[0], faults[0]
    assert len(faults) == 1 or "img/Fear/" in message


def cut(path: Path, size: int) -> None:
    """Keep the beginning of a file."""
    path.write_bytes(path.read_bytes()[:size])


def test_a_folder_with_other_capitals_is_pointed_out(own_tree: Path) -> None:
    (own_tree / "img/Fear").rename(own_tree / "img/fear")
    faults = look(own_tree).faults
    assert "There is a folder fear: folders are named exactly as the labels are." in str(faults[0])


def test_a_folder_that_is_not_there_is_told_with_the_commands_that_make_one(tmp_path: Path) -> None:
    message = told(tmp_path / "nowhere")
    assert "nowhere: no such folder; expected the folder of the data set (data.root)" in message
    assert f"python -m jack_ray.data demo vaanet {tmp_path / 'nowhere'}" in message
    assert f"python -m jack_ray.data prepare FOLDER {tmp_path / 'nowhere'}" in message


def test_a_file_in_place_of_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("")
    assert "x: not a folder" in told(tmp_path / "x")


@pytest.mark.parametrize(("subset", "split"), [("training", "test"), ("validation", "train")])
def test_a_split_without_videos_is_told(own_tree: Path, subset: str, split: str) -> None:
    def all_alike(content: dict[str, Any]) -> None:
        for entry in content["database"].values():
            entry["subset"] = subset

    edit_annotation(own_tree, all_alike)
    message = told(own_tree)
    assert f"for the {split} split" in message
    assert "Type data.split=0" in message
    assert look(own_tree, split=0).faults == ()


def test_many_faults_of_a_kind_are_counted(own_tree: Path) -> None:
    for path in own_tree.glob("mp3/*/*"):
        path.unlink()
    faults = look(own_tree).faults
    assert len(faults) == 20
    assert "And 15 more like this" in str(DataError(faults))
    assert "data.missing_sound=silence" in str(faults[0])
    assert look(own_tree, missing_sound="silence").faults == ()


def test_faults_of_all_kinds_come_at_once(own_tree: Path) -> None:
    (own_tree / f"mp3/{VIDEO}.mp3").unlink()
    (own_tree / "img/Anger/anger_training_00/n_frames").unlink()
    edit_annotation(own_tree, lambda content: content["database"]["anger_training_01"]["annotations"].update(label="x"))
    assert len(look(own_tree).faults) == 3


def test_decoding_everything_finds_what_headers_do_not_tell(own_tree: Path) -> None:
    cut(own_tree / "img" / VIDEO / "000003.jpg", 700)
    (own_tree / "img" / VIDEO / "000099.jpg").write_bytes(b"")
    assert look(own_tree).faults == ()
    cut(own_tree / f"mp3/{VIDEO}.mp3", 4000)
    assert [fault.found for fault in look(own_tree).faults] == ["cut short: 32% of it is there"]
    faults = decoded(own_tree)
    assert len(faults) == 3
    assert "000003.jpg: cut short; expected a whole picture" in faults[0]
    assert "but there are others: 000099.jpg" in faults[1]
    assert ".mp3: cut short" in faults[2]


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    """A tree that keeps its videos as files."""
    scenes = invent(2, {"training": 1, "validation": 1}, (20, 20), 1)
    database = {}
    for scene in scenes:
        label = ("Anger", "Anticipation")[scene.label]
        path = tmp_path / "video" / label / f"{scene.name}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_video(path, scene, 24, 1)
        database[scene.name] = {"subset": scene.subset, "annotations": {"label": label}}
    content = {"labels": ["Anger", "Anticipation"], "database": database}
    (tmp_path / "annotation.json").write_text(json.dumps(content))
    return tmp_path


def test_a_tree_of_videos_is_looked_at_and_decoded(videos: Path) -> None:
    found = look(videos, source="video")
    assert found.faults == ()
    assert found.summary["pictures"] == "decoded from videos"
    assert decoded(videos, source="video") == []


def test_broken_videos_are_told(videos: Path) -> None:
    anger = videos / "video/Anger/anger_training_00.mp4"
    anger.write_text("no video")
    assert "anger_training_00.mp4: cannot be decoded" in told(videos, source="video")
    assert len(decoded(videos, source="video")) == 1
    anger.unlink()
    assert "anger_training_00.*: no such file; expected the video" in told(videos, source="video")
    shutil.rmtree(videos / "video")
    assert "video: none of the 4 videos of annotation.json" in told(videos, source="video")


def test_flac_and_wav_count_as_sound(tmp_path: Path) -> None:
    for kind in ("flac", "wav"):
        root = small_tree(tmp_path / kind, sound=kind, num_classes=2, train=2)
        assert look(root).faults == ()
        assert decoded(root) == []
