"""What people's files can be like: each kind of damage, the command it is met with, and the message."""

import json
import os
import pickle
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import soundfile

from jack_ray.data.__main__ import main

VIDEO = "Anger/anger_training_00"
Spoil = Callable[[Path], Any]
Said = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data of every kind that nothing is wrong with; no test changes it."""
    root = tmp_path_factory.mktemp("sound")
    tiny = ["--classes", "2", "--train", "3", "--test", "2", "--height", "24", "--frames", "16", "18"]
    assert main(["demo", "vaanet", str(root / "tree"), *tiny]) == 0
    assert main(["demo", "vaanet", str(root / "videos"), *tiny, "--videos"]) == 0
    assert main(["demo", "gait", str(root / "gait"), "--train", "12", "--test", "4"]) == 0
    return root


def checked(kind: str, own: Path, capsys: Said, *words: str) -> str:
    """What a command says that must fail: one message, exit code 2, nothing else."""
    name = {"tree": "class_tree", "gait": "gait"}[kind]
    return refused(["check", name, str(own), *words], capsys)


def refused(words: list[str], capsys: Said) -> str:
    capsys.readouterr()
    assert main(words) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: ")
    assert told.count("error: ") == 1
    assert "Traceback" not in told
    assert len(told.splitlines()) <= 20
    return told


def copied(sound: Path, kind: str, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound / kind, tmp_path / kind))


def cut(path: Path, share: float = 0.4) -> None:
    os.truncate(path, int(path.stat().st_size * share))


def without(pattern: str) -> Spoil:
    def spoil(root: Path) -> None:
        for path in root.glob(pattern):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()

    return spoil


def as_wav(root: Path, samples: Any) -> None:
    (root / f"mp3/{VIDEO}.mp3").unlink()
    soundfile.write(root / f"mp3/{VIDEO}.wav", samples, 16000, subtype="FLOAT")


def annotated(edit: Callable[[dict[str, Any]], Any]) -> Spoil:
    def spoil(root: Path) -> None:
        path = root / "annotation.json"
        content = json.loads(path.read_text())
        edit(content)
        path.write_text(json.dumps(content, indent=1))

    return spoil


def entry(content: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = content["database"]["anger_training_00"]
    return found


def twice(root: Path) -> None:
    path = root / "annotation.json"
    text = path.read_text()
    one = json.dumps(json.loads(text)["database"]["anger_training_00"])
    path.write_text(text.replace('"database": {', f'"database": {{"anger_training_00": {one},', 1))


TREES: list[tuple[str, Spoil, str]] = [
    ("a picture cut short", lambda r: cut(r / f"img/{VIDEO}/000005.jpg", 0.8), "000005.jpg: cut short; expected a"),
    ("text as a picture", lambda r: (r / f"img/{VIDEO}/000005.jpg").write_text("x"), "000005.jpg: not a picture that"),
    ("no n_frames", lambda r: (r / f"img/{VIDEO}/n_frames").unlink(), "n_frames: no such file"),
    ("n_frames of zero", lambda r: (r / f"img/{VIDEO}/n_frames").write_text("0"), "0 pictures; expected at least 16"),
    ("n_frames too large", lambda r: (r / f"img/{VIDEO}/n_frames").write_text("99"), "99, but there is no 000049.jpg"),
    ("a word as n_frames", lambda r: (r / f"img/{VIDEO}/n_frames").write_text("many"), "n_frames: 'many'; expected"),
    ("endless digits", lambda r: (r / f"img/{VIDEO}/n_frames").write_text("9" * 5000), "n_frames: '99999"),
    ("a missing picture", lambda r: (r / f"img/{VIDEO}/000003.jpg").unlink(), "but there is no 000003.jpg; expected"),
    ("no pictures at all", without(f"img/{VIDEO}/*.jpg"), "there is no 000001.jpg"),
    ("sound cut short", lambda r: cut(r / f"mp3/{VIDEO}.mp3"), "00.mp3: cut short: 40% of it is there"),
    ("an empty sound", lambda r: (r / f"mp3/{VIDEO}.mp3").write_bytes(b""), ".mp3: an empty file; expected sound"),
    ("sound that is none", lambda r: (r / f"mp3/{VIDEO}.mp3").write_bytes(b"\xff\xfb0"), ".mp3: cannot be decoded"),
    ("no sound", lambda r: (r / f"mp3/{VIDEO}.mp3").unlink(), "no such file; expected the sound of the video"),
    ("sound that is NaN", lambda r: as_wav(r, np.full(9000, np.nan)), "samples that are no finite numbers"),
    ("6 ms of sound", lambda r: as_wav(r, np.zeros(100)), "00.wav: 6 ms of sound; expected 25 ms or more"),
    ("no samples", lambda r: as_wav(r, np.zeros(0)), "00.wav: no samples in it"),
    ("no annotation", lambda r: (r / "annotation.json").unlink(), "annotation.json: no such file"),
    ("broken JSON", lambda r: (r / "annotation.json").write_text("{"), "annotation.json: line 1: not JSON"),
    ("no labels", annotated(lambda c: c.pop("labels")), "labels: nothing; expected a list"),
    ("a strange label", annotated(lambda c: entry(c)["annotations"].update(label="Angr")), "Did you mean Anger?"),
    ("a strange subset", annotated(lambda c: entry(c).update(subset="tran")), "subset: 'tran'; expected training or"),
    ("an id twice", twice, "video anger_training_00: an id that comes more than once"),
    ("a video without folder", lambda r: shutil.rmtree(r / f"img/{VIDEO}"), "take video anger_training_00 out of"),
    ("class in small letters", lambda r: (r / "img/Anger").rename(r / "img/anger"), "There is a folder anger: folders"),
    ("sound in small letters", lambda r: (r / "mp3/Anger").rename(r / "mp3/anger"), "There is a folder anger: folders"),
    ("another folder", lambda r: shutil.rmtree(r / "img"), "img: none of the 10 videos of annotation.json"),
    ("no test videos", annotated(lambda c: [e.update(subset="training") for e in c["database"].values()]), "split=0"),
]  # fmt: skip


@pytest.mark.parametrize(("spoil", "message"), [pytest.param(*case[1:], id=case[0]) for case in TREES])
def test_a_broken_class_tree_is_told(sound: Path, tmp_path: Path, spoil: Spoil, message: str, capsys: Said) -> None:
    own = copied(sound, "tree", tmp_path)
    spoil(own)
    assert message in checked("tree", own, capsys, "--deep")


class Harmful:
    """Runs a command when it is unpickled without care."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, (str(HARM),)


HARM = Path(tempfile.gettempdir()) / f"unpickled-{os.getpid()}"


def labelled(edit: Callable[[dict[str, Any]], Any]) -> Spoil:
    def spoil(root: Path) -> None:
        path = root / "train_label.json"
        content = json.loads(path.read_text())
        edit(content)
        path.write_text(json.dumps(content))

    return spoil


def pickled(root: Path) -> None:
    (root / "train_label.json").unlink()
    (root / "train_label.pkl").write_bytes(pickle.dumps((["a"], Harmful())))


def changed(name: str, change: Callable[[Any], Any]) -> Spoil:
    return lambda root: np.save(root / name, change(np.load(root / name)))


GAITS: list[tuple[str, Spoil, str]] = [
    ("an array cut short", lambda r: cut(r / "train_joint.npy"), "train_joint.npy: cut short: "),
    ("an empty file", lambda r: (r / "train_joint.npy").write_bytes(b""), "not a complete npy file (0 bytes)"),
    ("another shape", changed("train_joint.npy", lambda a: a[:, :, :, :15]), "shape (12, 3, 48, 15, 1); expected"),
    ("whole numbers", changed("train_joint.npy", lambda a: a.astype("i4")), "numbers of type int32; expected floating"),
    ("joints that are NaN", changed("train_joint.npy", lambda a: a * np.nan), "And 7 more like this."),
    ("objects in an array", lambda r: np.save(r / "train_joint.npy", np.array([{}], object)), "numbers of type object"),
    ("code in the labels", pickled, "which could run code: refused"),
    ("a label too large", labelled(lambda c: c["labels"].__setitem__(3, 9)), "label 9; expected one of 0 Happy, 1 Sad"),
    ("a word as a label", labelled(lambda c: c["labels"].__setitem__(3, "Sad")), 'row 3 is "Sad", not a number'),
    ("fewer labels", labelled(lambda c: (c["names"].pop(), c["labels"].pop())), "12 gaits; expected 11 gaits, as in"),
    ("fewer names", labelled(lambda c: c["names"].pop()), "11 names for 12 labels"),
    ("another folder", without("*"), "none of the files of gaits (train_joint.npy, ..)"),
]  # fmt: skip


@pytest.mark.parametrize(("spoil", "message"), [pytest.param(*case[1:], id=case[0]) for case in GAITS])
def test_broken_gaits_are_told(sound: Path, tmp_path: Path, spoil: Spoil, message: str, capsys: Said) -> None:
    own = copied(sound, "gait", tmp_path)
    spoil(own)
    assert message in checked("gait", own, capsys, "--deep")
    assert not HARM.exists()


def h5(root: Path, spoil: Callable[[Any, Any], Any]) -> None:
    with h5py.File(root / "features.h5", "w") as gaits, h5py.File(root / "labels.h5", "w") as labels:
        for number in range(8):
            gaits[f"g{number}"] = np.random.default_rng(number).normal(size=(20, 48))
            labels[f"g{number}"] = number % 4
        spoil(gaits, labels)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda gaits, labels: labels.pop("g3"), "labels.h5: no label for g3; expected one for each gait"),
        (lambda gaits, labels: gaits.pop("g3"), "features.h5: no gait for g3"),
        (lambda gaits, labels: [gaits.pop(f"g{number}") for number in range(8)], "features.h5: no array in it"),
    ],
)
def test_broken_h5_files_are_told(tmp_path: Path, spoil: Callable[[Any, Any], Any], message: str, capsys: Said) -> None:
    h5(tmp_path, spoil)
    words = ["gait", str(tmp_path / "features.h5"), str(tmp_path / "new"), "--labels", str(tmp_path / "labels.h5")]
    assert message in refused(words, capsys)
    assert not (tmp_path / "new").exists()


def test_an_h5_file_cut_short_is_told(tmp_path: Path, capsys: Said) -> None:
    h5(tmp_path, lambda gaits, labels: None)
    cut(tmp_path / "features.h5")
    words = ["gait", str(tmp_path / "features.h5"), str(tmp_path / "new"), "--labels", str(tmp_path / "labels.h5")]
    assert "features.h5: cut short, damaged or no h5 file" in refused(words, capsys)


BVH = "HIERARCHY\nROOT X\n{\n OFFSET 0 0 0\n CHANNELS 3 Xposition Yposition Zposition\n}\nMOTION\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "0.bvh: line 1: an empty file"),
        (BVH[:40], "0.bvh: no MOTION: the file is cut short"),
        (f"{BVH}Frames: 0\nFrame Time: 0.03\n", "0.bvh: no frames; expected at least one line of motion"),
        (f"{BVH}Frames: 3\nFrame Time: 0.03\n0 0 0\n", "0.bvh: 1 lines of motion; expected 3"),
        (f"{BVH}Frames: 1\nFrame Time: 0.03\n0 0\n", "0.bvh: line 10: 2 numbers; expected 3 finite numbers"),
        (f"{BVH}Frames: 1\nFrame Time: 0.03\n0 0 0\n", "0.bvh: no joint with a usual name for root, spine"),
    ],
)
def test_broken_motion_capture_is_told(tmp_path: Path, text: str, message: str, capsys: Said) -> None:
    (tmp_path / "in/Happy").mkdir(parents=True)
    (tmp_path / "in/Happy/0.bvh").write_text(text)
    assert message in refused(["gait", str(tmp_path / "in"), str(tmp_path / "new")], capsys)


def listed(text: str, name: str = "l.csv") -> Spoil:
    return lambda root: (root / name).write_text(text)


def splits(*names: str) -> Spoil:
    def spoil(root: Path) -> None:
        classes = [path for path in root.iterdir() if path.is_dir()]
        for name in names:
            for path in classes:
                shutil.copytree(path, root / name / path.name)
        for path in classes:
            shutil.rmtree(path)

    return spoil


SOURCES: list[tuple[str, Spoil, str, str]] = [
    ("nothing", shutil.rmtree, "", "no such file or folder; expected FOLDER/<Class>/*.mp4"),
    ("an empty folder", without("*"), "", "no videos (mp4, mkv,"),
    ("one class", lambda r: None, "Anger", "5 videos outside of class folders, the first: anger_training_00.mp4"),
    ("a video", lambda r: None, f"{VIDEO}.mp4", "00.mp4: one video; expected FOLDER/<Class>"),
    ("a split spelled twice", splits("train", "Training"), "", "Training and train, which both mean training"),
    ("splits beside classes", splits("train", "test", "more"), "", "more: videos beside the splits test, train"),
    ("a class spelled twice", lambda r: shutil.copytree(r / "Anger", r / "anger"), "", "one spelling of each class"),
    ("no heading", listed("a.mp4,Joy\n"), "l.csv", "l.csv: line 1: no column path and label, but a.mp4, joy"),
    ("a missing video", listed("path,label\nx.mp4,Joy\n"), "l.csv", "l.csv: line 2: no file"),
    ("a missing label", listed(f"path,label\n{VIDEO}.mp4,\n"), "l.csv", "l.csv: line 2: no label"),
    ("a strange split", listed(f"path,label,split\n{VIDEO}.mp4,A,tran\n"), "l.csv", "line 2: split 'tran'; expected"),
    ("a list as a label", listed(json.dumps([{"path": f"{VIDEO}.mp4", "label": ["a"]}]), "l.json"), "l.json", "['a']"),
]  # fmt: skip


@pytest.mark.parametrize("case", SOURCES, ids=[case[0] for case in SOURCES])
def test_a_source_that_cannot_be_prepared_is_told(
    sound: Path, tmp_path: Path, case: tuple[str, Spoil, str, str], capsys: Said
) -> None:
    _, spoil, typed, message = case
    own = copied(sound, "videos", tmp_path)
    spoil(own)
    assert message in refused(["prepare", str(own / typed), str(tmp_path / "new"), "--workers", "1"], capsys)
    assert not (tmp_path / "new").exists()


def test_videos_that_cannot_be_prepared_are_left_out_and_told(sound: Path, tmp_path: Path, capsys: Said) -> None:
    own = copied(sound, "videos", tmp_path)
    (own / f"{VIDEO}.mp4").rename(own / "Anger/ünï\n'q\".mp4")
    cut(own / "Anger/anger_training_01.mp4")
    (own / "Anger/anger_training_02.mp4").write_text("no video")
    capsys.readouterr()
    assert main(["prepare", str(own), str(tmp_path / "new"), "--workers", "1"]) == 0
    told = capsys.readouterr().out
    assert "2 unreadable:" in told
    assert f"unreadable: {own / 'Anger/anger_training_02.mp4'}: cannot be decoded" in told
    assert "8 of 10 videos are in" in told
    assert main(["check", "class_tree", str(tmp_path / "new"), "--deep"]) == 0


def test_a_data_set_without_test_videos_comes_with_a_command_that_draws_some(
    sound: Path, tmp_path: Path, capsys: Said
) -> None:
    own = copied(sound, "videos", tmp_path)
    splits("train")(own)
    assert main(["prepare", str(own), str(tmp_path / "new"), "--workers", "1", "--min-frames", "1"]) == 0
    told = capsys.readouterr().out
    assert "There is no video to test on; data.split=0 draws the splits anew." in told
    assert told.rstrip().endswith("model.loss=ce data.split=0")


def test_a_place_that_cannot_be_written_is_told(sound: Path, tmp_path: Path, capsys: Said) -> None:
    (tmp_path / "file").write_text("x")
    told = refused(["prepare", str(sound / "videos"), str(tmp_path / "file/new")], capsys)
    assert told == f"error: Cannot write to {tmp_path / 'file/new'}: Not a directory. Type another folder.\n"


def test_many_faults_are_counted_and_listed_in_a_file_where_that_is_asked(
    sound: Path, tmp_path: Path, capsys: Said
) -> None:
    own = copied(sound, "tree", tmp_path)
    for path in own.glob("img/*/*/n_frames"):
        path.write_text("x")
    told = checked("tree", own, capsys)
    assert "And 5 more like this.\n  For all of them add --list FILE." in told
    told = checked("tree", own, capsys, "--list", str(tmp_path / "faults.txt"))
    assert f"All of them: {tmp_path / 'faults.txt'}" in told
    assert (tmp_path / "faults.txt").read_text().count("n_frames: 'x'") == 10
    told = checked("tree", own, capsys, "--list", str(tmp_path / "tree/x/y/z/" / ("n" * 300)))
    assert "cannot be written: File name too long." in told


def test_generated_data_is_not_taken_for_a_published_data_set(sound: Path, capsys: Said) -> None:
    told = refused(["check", "vaanet", str(sound / "tree")], capsys)
    assert "ve8_01.json: no such file" in told
    assert f"python -m jack_ray.data check class_tree {sound / 'tree'}" in told


def test_a_wrong_option_is_one_message(capsys: Said) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["prepare", "a", "b", "--sound", "ogg"])
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert told.startswith("error: argument --sound: invalid choice: 'ogg'")
    assert "usage" not in told
