"""python -m jack_ray.data prepare"""

import csv
import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from jack_ray.contract.errors import DataError, JackRayError
from jack_ray.data.__main__ import main
from jack_ray.data.preparing import convert, journal, pool
from jack_ray.data.preparing.listing import Listing, read_listing, with_subsets
from jack_ray.methods.shared import video_file
from jack_ray.methods.shared.demo_tree import write_video
from jack_ray.methods.shared.demo_videos import invent
from jack_ray.methods.shared.tree_files import inspect_tree
from jack_ray.methods.shared.video_file import as_jpeg, pictures
from tests.methods.shared.clip_trees import REAL, data_config

pytestmark = pytest.mark.long

HERE = ["--workers", "1"]


@pytest.fixture(scope="module")
def one_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video of 20 pictures with sound."""
    path = tmp_path_factory.mktemp("video") / "one.mp4"
    write_video(path, invent(2, {"training": 1}, (20, 20), 1)[0], 48, 1)
    return path


@pytest.fixture
def source(tmp_path: Path, one_video: Path) -> Path:
    """Two classes with three videos each."""
    for label, names in {"Sad": "abc", "Happy": "def"}.items():
        (tmp_path / "source" / label).mkdir(parents=True)
        for name in names:
            shutil.copy(one_video, tmp_path / "source" / label / f"{name}.mp4")
    return tmp_path / "source"


def prepare(source: Path, root: Path, *options: str) -> int:
    """The command, in this process."""
    return main(["prepare", str(source), str(root), *HERE, *options])


def report(root: Path) -> dict[str, dict[str, str]]:
    """The lines of report.csv by id."""
    with (root / "report.csv").open() as opened:
        return {row["id"]: row for row in csv.DictReader(opened)}


def test_a_folder_of_videos_becomes_a_class_tree(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "root"
    assert prepare(source, root) == 0
    told = capsys.readouterr().out
    assert "6 of 6 videos are in" in told
    assert f"data=class_tree data.root={root} model.num_classes=2" in told
    assert inspect_tree(data_config(root), "vaanet").faults == ()
    content = json.loads((root / "annotation.json").read_text())
    assert content["labels"] == ["Happy", "Sad"]
    subsets = [entry["subset"] for entry in content["database"].values()]
    assert (subsets.count("training"), subsets.count("validation")) == (4, 2)
    assert content["database"]["a"]["duration_s"] == pytest.approx(20 / 30, abs=0.01)
    assert {row["status"] for row in report(root).values()} == {"ok"}
    assert sorted(path.name for path in root.iterdir()) == [
        "annotation.json", "img", "mp3", "prepare.jsonl", "report.csv", "report.json",
    ]  # fmt: skip


def test_pictures_are_those_of_the_video_at_the_wanted_height(source: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    assert prepare(source, root, "--height", "32", "--quality", "80", "--sound", "flac") == 0
    folder = root / "img/Sad/a"
    assert (folder / "n_frames").read_text().strip() == "20"
    for number, picture in enumerate(pictures(source / "Sad/a.mp4", 32), start=1):
        assert (folder / f"{number:06d}.jpg").read_bytes() == as_jpeg(picture, 80)
    assert (root / "mp3/Sad/a.flac").is_file()
    with Image.open(folder / "000001.jpg") as picture:
        assert picture.height == 32


def test_videos_are_kept_where_no_pictures_are_wanted(source: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    assert prepare(source, root, "--pictures", "none") == 0
    assert not (root / "img").exists()
    assert (root / "video/Sad/a.mp4").read_bytes() == (source / "Sad/a.mp4").read_bytes()
    assert inspect_tree(data_config(root, source="video"), "vaanet").faults == ()


def test_what_is_done_is_not_done_again(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "root"
    assert prepare(source, root) == 0
    converted: list[str] = []
    real = convert.convert

    def noted(job: convert.Job) -> convert.Outcome:
        converted.append(job.name)
        return real(job)

    monkeypatch.setattr("jack_ray.data.preparing.pool.convert", noted)
    assert prepare(source, root) == 0
    assert converted == []
    assert "(6 were prepared before)" in capsys.readouterr().out
    (root / "mp3/Sad/a.mp3").unlink()
    (root / "img/Sad/b/n_frames").unlink()
    assert prepare(source, root) == 0
    assert converted == ["a", "b"]
    assert prepare(source, root, "--height", "32") == 0
    assert len(converted) == 8


def test_an_interrupted_preparation_goes_on(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "root"
    real = convert.convert
    done: list[str] = []

    def interrupted(job: Any) -> Any:
        if len(done) == 2:
            partial = root / ".partial" / "x"
            partial.mkdir(parents=True)
            raise KeyboardInterrupt
        done.append(job.name)
        return real(job)

    with monkeypatch.context() as patched:
        patched.setattr("jack_ray.data.preparing.pool.convert", interrupted)
        assert prepare(source, root) == 130
    assert "type the same command" in capsys.readouterr().err
    with (root / "prepare.jsonl").open("a") as opened:
        opened.write('{"key": "cut sho')
    assert prepare(source, root) == 0
    assert "(2 were prepared before)" in capsys.readouterr().out
    assert inspect_tree(data_config(root), "vaanet").faults == ()
    assert not (root / ".partial").exists()


def without_sound(path: Path, count: int = 20) -> None:
    """A video without a sound track."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        for _ in range(count):
            container.mux(stream.encode(av.VideoFrame.from_image(Image.new("RGB", (32, 32), "red"))))
        container.mux(stream.encode(None))


def silent(path: Path) -> None:
    """A video whose sound track is silence."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        heard = container.add_stream("aac", rate=16000, layout="mono")
        for _ in range(20):
            container.mux(stream.encode(av.VideoFrame.from_image(Image.new("RGB", (32, 32), "red"))))
        container.mux(stream.encode(None))
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.rate, frame.pts = 16000, 0
        container.mux(heard.encode(frame))
        container.mux(heard.encode(None))


def spoil(source: Path) -> None:
    """Every kind of file that cannot be used."""
    sad = source / "Sad"
    (sad / "text.mp4").write_text("no video")
    (sad / "empty.mp4").write_bytes(b"")
    (sad / "half.mp4").write_bytes((sad / "a.mp4").read_bytes()[: (sad / "a.mp4").stat().st_size // 2])
    (sad / "notes.txt").write_text("hello")
    without_sound(sad / "mute.mp4")
    without_sound(sad / "short.mp4", 5)
    silent(sad / "silent.mp4")


def test_what_cannot_be_used_is_reported_and_left_out(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(source)
    root = tmp_path / "root"
    assert prepare(source, root) == 0
    told = capsys.readouterr().out
    for count in ("3 unreadable", "1 no sound", "1 too short", "1 silent"):
        assert count in told
    assert "7 of 12 videos are in" in told
    assert "no videos, and left alone: 1, the first:" in told
    rows = report(root)
    assert {name: rows[name]["status"] for name in ("text", "empty", "half", "mute", "short", "silent", "a")} == {
        "text": "unreadable", "empty": "unreadable", "half": "unreadable", "mute": "no sound", "short": "too short",
        "silent": "silent", "a": "ok",
    }  # fmt: skip
    assert "cannot be decoded" in rows["text"]["detail"]
    assert rows["short"]["detail"] == "5 pictures, fewer than 16"
    content = json.loads((root / "annotation.json").read_text())
    assert set(content["database"]) == {"a", "b", "c", "d", "e", "f", "silent"}
    whole = json.loads((root / "report.json").read_text())
    assert whole["counts"]["unreadable"] == 3
    assert whole["no videos"] == [str(source / "Sad/notes.txt")]
    assert inspect_tree(data_config(root), "vaanet").faults == ()


def test_silence_is_written_for_a_video_without_sound_where_that_is_wanted(source: Path, tmp_path: Path) -> None:
    without_sound(source / "Sad/mute.mp4")
    root = tmp_path / "root"
    assert prepare(source, root, "--silent", "write") == 0
    assert report(root)["mute"]["status"] == "silent"
    assert (root / "mp3/Sad/mute.mp3").is_file()
    assert inspect_tree(data_config(root), "vaanet").faults == ()


def test_a_video_with_fewer_pictures_than_it_says_is_reported(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(video_file, "pictures", lambda path, height: list(pictures(path, height))[:17])
    assert prepare(source, tmp_path / "root") == 2
    assert "no video can be used (17 of 20 pictures can be decoded)" in capsys.readouterr().err


def test_a_folder_where_nothing_can_be_used_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for label in ("A", "B"):
        (tmp_path / "source" / label).mkdir(parents=True)
        (tmp_path / "source" / label / f"{label}.mp4").write_text("no video")
    assert prepare(tmp_path / "source", tmp_path / "root") == 2
    told = capsys.readouterr().err
    assert "no video can be used (cannot be decoded" in told
    assert "Traceback" not in told


def test_a_full_disk_is_told(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(convert, "write_sound", full)
    job = convert.Job(str(source / "Sad/a.mp4"), str(tmp_path / "root"), "a", "Sad", WANTED)
    with pytest.raises(JackRayError, match=r"Cannot write .*root: No space left on device"):
        convert.convert(job)


WANTED = convert.Wanted("jpg", "mp3", "leave-out", 48, 92, 16)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--height", "3"], "--height: 3; expected 16 to 4320"),
        (["--quality", "0"], "--quality: 0; expected 1 to 100"),
        (["--workers", "0"], "--workers: 0"),
        (["--min-frames", "0"], "--min-frames: 0"),
        (["--seed", "-1"], "--seed: -1"),
        (["--test-fraction", "1"], "--test-fraction: 1; expected more than 0 and less than 1"),
    ],
)
def test_impossible_options_are_told(
    source: Path, tmp_path: Path, options: Sequence[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert prepare(source, tmp_path / "root", *options) == 2
    assert message in capsys.readouterr().err


def test_a_folder_with_other_files_is_not_written_to(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root/thesis.tex").write_text("")
    assert prepare(source, tmp_path / "root") == 2
    assert "a folder with files in it, and no prepare.jsonl" in capsys.readouterr().err
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="a file; expected a folder to write to"):
        journal.open_root(tmp_path / "file")


def listed(tmp_path: Path, name: str, text: str) -> Listing:
    """A listing of videos that are empty files."""
    for video in ("a", "b", "c"):
        (tmp_path / f"{video}.mp4").write_bytes(b"")
    (tmp_path / name).write_text(text)
    return read_listing(tmp_path / name)


def test_a_csv_file_lists_paths_labels_and_splits(tmp_path: Path) -> None:
    listing = listed(tmp_path, "x.csv", "path,label,split\na.mp4,Joy,train\nb.mp4,Fear,dev\nc.mp4,Fear,test\n")
    assert listing.labels == ("Fear", "Joy")
    assert [(clip.name, clip.label, clip.subset) for clip in listing.clips] == [
        ("a", "Joy", "training"), ("b", "Fear", "validation"), ("c", "Fear", "test"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x.csv", "File,Emotion\na.mp4,Joy\nb.mp4,Fear\n"),
        ("x.tsv", "video\tclass\na.mp4\tJoy\nb.mp4\tFear\n"),
        ("x.json", '[{"path": "a.mp4", "label": "Joy"}, {"path": "b.mp4", "label": "Fear"}]'),
    ],
)
def test_other_headings_and_kinds_of_lists_are_known(tmp_path: Path, name: str, text: str) -> None:
    listing = listed(tmp_path, name, text)
    assert [(clip.name, clip.label, clip.subset) for clip in listing.clips] == [("a", "Joy", ""), ("b", "Fear", "")]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("x.csv", "", "x.csv: line 1: no column path and label, but nothing"),
        ("x.csv", "path,split\na.mp4,train\n", "x.csv: line 1: no column label, but path, split"),
        ("x.csv", "path,label\na.mp4,Joy\nz.mp4,Fear\n", "x.csv: line 3: no file"),
        ("x.csv", "path,label\na.mp4,Joy\nb.mp4,\n", "x.csv: line 3: no label"),
        ("x.csv", "path,label,split\na.mp4,Joy,train\nb.mp4,Fear,foo\n", "x.csv: line 3: split 'foo'; expected train"),
        ("x.csv", "path,label\na.mp4,Joy\nb.mp4,joy\n", "classes Joy and joy; expected one spelling"),
        ("x.csv", "path,label\na.mp4,Joy\nb.mp4,a/b\n", "class 'a/b'; expected a name that a folder can have"),
        ("x.csv", "path,label\na.mp4,Joy\nb.mp4,Joy\n", "one class, Joy; expected at least two"),
        ("x.csv", "path,label\na.mp4,Joy\na.mp4,Fear\n", "x.csv: line 3: "),
        ("x.json", "{", "x.json: line 1: not JSON"),
        ("x.json", "{}", "x.json: {}; expected [{"),
        ("x.json", "[1]", "x.json: item 0: 1; expected [{"),
        ("x.json", "[" * 100_000, "nested too deeply"),
    ],
)
def test_a_broken_list_is_told_with_its_line(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(DataError) as raised:
        listed(tmp_path, name, text)
    assert message in str(raised.value)
    assert "(1 found)" in str(raised.value)


def test_splits_for_some_videos_only_are_told(tmp_path: Path) -> None:
    listing = listed(tmp_path, "x.csv", "path,label,split\na.mp4,Joy,train\nb.mp4,Fear,\n")
    with pytest.raises(DataError, match=r"x\.csv: line 3: no split for 1 of 2 videos"):
        with_subsets(listing, 0.3, 1)


def test_folders_of_splits_are_known(tmp_path: Path) -> None:
    for split, label, name in (("train", "A", "1"), ("Test", "A", "1"), ("validation", "B", "2")):
        (tmp_path / split / label).mkdir(parents=True)
        (tmp_path / split / label / f"{name}.mp4").write_bytes(b"")
    listing = read_listing(tmp_path)
    assert {(clip.name, clip.label, clip.subset) for clip in listing.clips} == {
        ("train_A_1", "A", "training"), ("Test_A_1", "A", "test"), ("2", "B", "validation"),
    }  # fmt: skip


def test_a_source_without_videos_is_told(tmp_path: Path) -> None:
    for path, message in ((tmp_path, "no videos \\(mp4, "), (tmp_path / "x", "no such file or folder")):
        with pytest.raises(DataError, match=message):
            read_listing(path)
    (tmp_path / "a.mp4").write_bytes(b"")
    with pytest.raises(DataError, match=r"1 videos outside of class folders, the first: a\.mp4"):
        read_listing(tmp_path)


@pytest.mark.ray
def test_ray_gives_the_same_files_as_this_process(source: Path, tmp_path: Path) -> None:
    spoil(source)
    assert prepare(source, tmp_path / "here") == 0
    assert main(["prepare", str(source), str(tmp_path / "ray"), "--workers", "2"]) == 0
    for path in sorted((tmp_path / "here").rglob("*")):
        if path.is_file() and path.name != "prepare.jsonl":
            assert path.read_bytes() == (tmp_path / "ray" / path.relative_to(tmp_path / "here")).read_bytes()


@pytest.mark.ray
def test_a_file_that_crashes_the_decoder_is_reported_and_a_full_disk_ends_it(source: Path, tmp_path: Path) -> None:
    def crash(job: convert.Job) -> convert.Outcome:
        with (tmp_path / f"tried {job.name}").open("a") as tried:
            tried.write(".")
        if job.name == "a" or (job.name == "b" and (tmp_path / "tried b").stat().st_size == 1):
            os._exit(1)
        if job.name == "c":
            raise JackRayError("Cannot write")
        return convert.Outcome(job.name, "ok")

    jobs = [convert.Job(str(source / f"Sad/{name}.mp4"), str(tmp_path), name, "Sad", WANTED) for name in "abc"]
    found = {}
    with pytest.raises(JackRayError, match="Cannot write"):
        for job, outcome in pool.on_ray(jobs, 1, crash):
            found[job.name] = outcome
    assert found["a"].status == "crashed"
    assert "decoding it ended the process, twice" in found["a"].detail
    assert found["b"].status == "ok"
    assert (tmp_path / "tried b").read_text() == ".."


def test_a_crash_is_not_written_down_so_that_the_same_command_tries_again(source: Path, tmp_path: Path) -> None:
    job = convert.Job(str(next(source.glob("*/*.mp4"))), str(tmp_path / "new"), "a", "Sad", WANTED)
    journal.open_root(tmp_path / "new")
    journal.note(tmp_path / "new", job, convert.Outcome("a", "crashed"))
    assert journal.plan(tmp_path / "new", [job]).left == [job]
    journal.note(tmp_path / "new", job, convert.Outcome("a", "unreadable"))
    assert journal.plan(tmp_path / "new", [job]).left == []


def test_real_clips_are_prepared(tmp_path: Path) -> None:
    clips = REAL / "mv_emotion"
    if not clips.is_dir():
        pytest.skip("no mv_emotion beside the checkout")
    with (clips / "metadata.csv").open() as opened:
        rows = list(csv.DictReader(opened))
    chosen = [next(row for row in rows if row["emotion"] == emotion) for emotion in ("Sad", "Tension")]
    text = "file,emotion,split\n" + "".join(f"{clips / row['file']},{row['emotion']},\n" for row in chosen)
    (tmp_path / "two.csv").write_text(text)
    assert prepare(tmp_path / "two.csv", tmp_path / "root", "--height", "64") == 0
    rows_by_name = report(tmp_path / "root")
    for row in chosen:
        found = rows_by_name[Path(row["file"]).stem]
        assert found["status"] == "ok"
        assert int(found["frames"]) == int(row["frames"])
        assert float(found["sound_s"]) == pytest.approx(float(row["audio_seconds"]), abs=0.1)
