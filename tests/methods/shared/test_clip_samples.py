"""What VAANet's and CTEN's examples share."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from jack_ray.contract.errors import ConfigError, DataError
from jack_ray.methods.cten.data import Data as CtenData
from jack_ray.methods.shared.demo_tree import write_video
from jack_ray.methods.shared.demo_videos import invent
from jack_ray.methods.shared.frames import picture_name
from jack_ray.methods.shared.sound_writing import write_sound
from jack_ray.methods.shared.video_file import as_jpeg, pictures
from jack_ray.methods.vaanet.data import Data as VaanetData
from tests.methods.shared.clip_trees import REAL, SmallModel, data_config

BOTH = pytest.mark.parametrize("data_class", [VaanetData, CtenData])
DataClass = type[VaanetData] | type[CtenData]


def data_of(data_class: DataClass, root: Path, split: Any = "train", **changes: Any) -> VaanetData | CtenData:
    """A split of a tree."""
    model = SmallModel(**{key: changes.pop(key) for key in list(changes) if key in SmallModel.__dataclass_fields__})
    return data_class(model, data_config(root, **changes), split, 1)


@BOTH
def test_the_splits_are_disjoint_and_ordered(class_tree: Path, data_class: DataClass) -> None:
    names = {
        split: [entry.name for entry in data_of(data_class, class_tree, split).videos.entries]
        for split in ("train", "val", "test")
    }
    assert [len(names[split]) for split in ("train", "val", "test")] == [14, 2, 4]
    assert len({name for of_split in names.values() for name in of_split}) == 20
    assert names["test"] == ["anger_validation_00", "anticipation_validation_00", "disgust_validation_00",
                             "fear_validation_00"]  # fmt: skip


@BOTH
def test_a_batch_has_its_shapes_and_types(class_tree: Path, data_class: DataClass) -> None:
    data = data_of(data_class, class_tree)
    batches = data.collate([data.draw(0, 1), data.draw(1, 2)])
    assert len(batches) == 1
    batch = batches[0]
    assert data.separate is False
    assert (batch["visual"].shape, batch["visual"].dtype) == ((2, 3, 3, 4, 16, 16), np.float32)
    assert (batch["audio"].shape, batch["audio"].dtype) == (
        ((2, 40, 8) if data_class is VaanetData else (2, 30, 16)), np.float32
    )  # fmt: skip
    assert 1 < batch["visual"].max() <= 255
    assert batch["label"].dtype == np.int64
    assert batch["name"] == [entry.name for entry in data.videos.entries[:2]]
    assert batch["classes"] == ("Anger", "Anticipation", "Disgust", "Fear")


@BOTH
def test_evaluation_reads_the_same_every_time_and_training_by_its_seed_alone(
    class_tree: Path, data_class: DataClass
) -> None:
    one, two = (data_of(data_class, class_tree, clip_frames=2) for _ in range(2))
    for key in ("visual", "audio"):
        assert (one[3][key] == two[3][key]).all()
        assert (one.draw(3, 7)[key] == two.draw(3, 7)[key]).all()
    assert any((one.draw(3, seed)["visual"] != one.draw(3, 7)["visual"]).any() for seed in range(8, 12))


@BOTH
def test_what_is_annotated_of_a_video_is_in_its_sample(class_tree: Path, data_class: DataClass) -> None:
    entry = json.loads((class_tree / "annotation.json").read_text())["database"]["fear_validation_00"]
    sample = data_of(data_class, class_tree, "test")[3]
    assert (sample["name"], sample["label"]) == ("fear_validation_00", 3)
    assert sample["duration_s"] == entry["duration_s"]
    assert [list(segment) for segment in sample["segments"]] == entry["annotations"]["segments"]


@BOTH
def test_without_annotated_segments_there_are_none_and_the_duration_is_that_of_the_pictures(
    own_tree: Path, data_class: DataClass
) -> None:
    path = own_tree / "annotation.json"
    content = json.loads(path.read_text())
    for entry in content["database"].values():
        del entry["duration_s"], entry["annotations"]["segments"]
    path.write_text(json.dumps(content))
    sample = data_of(data_class, own_tree)[0]
    count = int((own_tree / "img/Anger" / sample["name"] / "n_frames").read_text())
    assert sample["segments"] is None
    assert sample["duration_s"] == pytest.approx(count / 30)


def numbered(root: Path, video: str, count: int) -> None:
    """Replace a video's pictures by ones whose red is their number, and whose green rises downwards."""
    folder = root / "img" / video
    for path in folder.iterdir():
        path.unlink()
    for number in range(1, count + 1):
        array = np.zeros((24, 32, 3), np.uint8)
        array[..., 0] = number
        array[..., 1] = np.arange(24)[:, None] * 10
        Image.fromarray(array).save(folder / picture_name(number), "PNG")  # lossless; Pillow looks at the content
    (folder / "n_frames").write_text(str(count))


def frames_of(visual: NDArray[Any]) -> list[list[int]]:
    """The picture numbers of the clips."""
    found: list[list[int]] = np.rint(visual[:, 0].mean(axis=(-1, -2))).astype(int).tolist()
    return found


@BOTH
def test_clips_have_their_pictures_in_order_and_height_before_width(own_tree: Path, data_class: DataClass) -> None:
    """60 pictures in 3 segments of 20; clips of 4 in their middles begin at 20 // 2 - 4 // 2 = 8."""
    numbered(own_tree, "Fear/fear_validation_00", 60)
    visual = data_of(data_class, own_tree, "test")[3]["visual"]
    assert visual.shape == (3, 3, 4, 16, 16)
    assert frames_of(visual) == [[9, 10, 11, 12], [29, 30, 31, 32], [49, 50, 51, 52]]
    green = visual[:, 1].astype(int)
    assert (np.diff(green, axis=-2) > 0).all()  # height
    assert (np.diff(green, axis=-1) == 0).all()  # width


@BOTH
def test_every_second_picture_is_taken_with_a_step_of_two(own_tree: Path, data_class: DataClass) -> None:
    numbered(own_tree, "Fear/fear_validation_00", 60)
    visual = data_of(data_class, own_tree, "test", frame_step=2)[3]["visual"]
    assert frames_of(visual)[0] == [7, 9, 11, 13]


@BOTH
def test_one_transform_is_drawn_for_all_pictures_of_a_video(own_tree: Path, data_class: DataClass) -> None:
    for path in (own_tree / "img").glob("*/*"):
        for number in range(1, int((path / "n_frames").read_text()) + 1):
            Image.new("RGB", (32, 24), (200, 100, 50)).save(path / picture_name(number), "PNG")
    data = data_of(data_class, own_tree)
    for seed in range(12):
        visual = data.draw(0, seed)["visual"]
        assert (visual == visual[:1, :, :1]).all()


def test_redrawn_clips_come_from_kept_segments_alone(own_tree: Path) -> None:
    numbered(own_tree, "Fear/fear_validation_00", 60)
    data = data_of(CtenData, own_tree, "test")
    video = data.collate([data[3]])[0]["videos"][0]
    bright = [video.redraw([2, 0], seed) for seed in range(20)]
    for clips in bright:
        assert (clips.shape, clips.dtype) == ((3, 3, 4, 16, 16), np.float32)
    assert (video.redraw([1], 5) == video.redraw([1], 5)).all()
    # neither turned nor darkened: green is as it was
    plain = [clips for clips in bright if clips[0, 0, 0].std() < 0.5 and clips[:, 1].max() > 200]
    assert plain
    for clips in plain:
        numbers = {number for clip in frames_of(clips) for number in clip}
        assert numbers <= {*range(1, 21), *range(41, 61)}
        assert numbers & {*range(1, 21)}
        assert numbers & {*range(41, 61)}


def test_all_pictures_are_redrawn_where_no_segment_is_kept(own_tree: Path) -> None:
    numbered(own_tree, "Fear/fear_validation_00", 60)
    video = data_of(CtenData, own_tree, "test")[3]["videos"]
    numbers = {n for seed in range(30) for clip in frames_of(video.redraw([], seed)) for n in clip}
    assert min(numbers) < 20
    assert max(numbers) > 40


@BOTH
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda root: (root / "img/Anger/anger_validation_00/n_frames").write_text("5"), "5 pictures; expected at lea"),
        (lambda root: (root / "img/Anger/anger_validation_00/n_frames").unlink(), "n_frames: no such file"),
        (lambda root: shutil.rmtree(root / "img/Anger/anger_validation_00"), "n_frames: no such file"),
        (
            lambda root: (root / "mp3/Anger/anger_validation_00.mp3").unlink(),
            "anger_validation_00{.mp3,.flac,.wav}: no",
        ),
        (lambda root: (root / "mp3/Anger/anger_validation_00.mp3").write_text("x"), ".mp3: cannot be decoded; expec"),
        (lambda root: empty(root / "img/Anger/anger_validation_00"), "000002.jpg: not a picture that can be read"),
    ],
)
def test_a_video_that_cannot_be_read_is_named(
    own_tree: Path, data_class: DataClass, spoil: Callable[[Path], Any], message: str
) -> None:
    spoil(own_tree)
    data = data_of(data_class, own_tree, "test", sound_cache_mb=0)
    reads: list[Callable[[], Any]] = [lambda: data[0], lambda: data.draw(0, 1)]
    for read in reads:
        with pytest.raises(DataError) as raised:
            read()
        assert message in str(raised.value)
        assert "anger_validation_00" in str(raised.value)
    assert data[1]["name"] == "anticipation_validation_00"


def empty(folder: Path) -> None:
    """All pictures but the first are empty files."""
    for path in folder.glob("*.jpg"):
        if path.name != "000001.jpg":
            path.write_bytes(b"")


@BOTH
def test_a_video_without_sound_is_silent_if_that_is_wanted(own_tree: Path, data_class: DataClass) -> None:
    (own_tree / "mp3/Anger/anger_validation_00.mp3").unlink()
    audio = data_of(data_class, own_tree, "test", missing_sound="silence")[0]["audio"]
    assert np.isfinite(audio).all()
    assert np.ptp(audio[5:], axis=0).max() < 1e-3


@BOTH
def test_another_number_of_classes_is_told(class_tree: Path, data_class: DataClass) -> None:
    with pytest.raises(ConfigError, match=r"model.num_classes: 8, but .*annotation.json has 4: Anger, .*\n.*Type"):
        data_of(data_class, class_tree, num_classes=8)


@BOTH
def test_faults_of_the_annotation_are_raised_all_at_once(own_tree: Path, data_class: DataClass) -> None:
    content = json.loads((own_tree / "annotation.json").read_text())
    for entry in content["database"].values():
        entry["subset"] = "x"
    (own_tree / "annotation.json").write_text(json.dumps(content))
    with pytest.raises(DataError, match="20 found"):
        data_of(data_class, own_tree)


@BOTH
def test_an_empty_split_is_told(class_tree: Path, data_class: DataClass) -> None:
    with pytest.raises(DataError, match="the val split: no videos"):
        data_of(data_class, class_tree, "val", val_fraction=0.0)


def video_tree(root: Path) -> Path:
    """The same videos as files, and as pictures and sound extracted from these."""
    scenes = invent(2, {"training": 1, "validation": 1}, (30, 40), 1)
    database = {}
    for scene in scenes:
        label = ("Anger", "Anticipation")[scene.label]
        for folder in ("video", "mp3", f"img/{label}"):
            (root / folder).mkdir(parents=True, exist_ok=True)
        (root / "video" / label).mkdir(exist_ok=True)
        path = root / "video" / label / f"{scene.name}.mp4"
        write_video(path, scene, 48, 1)
        extract(path, root / "img" / label / scene.name)
        database[scene.name] = {"subset": scene.subset, "annotations": {"label": label}}
    (root / "annotation.json").write_text(json.dumps({"labels": ["Anger", "Anticipation"], "database": database}))
    return root


def extract(path: Path, folder: Path) -> None:
    """All pictures of a video as jpg."""
    folder.mkdir(parents=True)
    number = 0
    for number, picture in enumerate(pictures(path, 240), start=1):
        (folder / picture_name(number)).write_bytes(as_jpeg(picture, 92))
    (folder / "n_frames").write_text(str(number))


@BOTH
def test_clips_of_the_video_file_have_the_pixels_of_extracted_pictures(tmp_path: Path, data_class: DataClass) -> None:
    root = video_tree(tmp_path)
    frames, video = (
        data_of(data_class, root, source=source, missing_sound="silence", num_classes=2, val_fraction=0.0)
        for source in ("frames", "video")
    )
    for index in range(len(frames)):
        assert (frames[index]["visual"] == video[index]["visual"]).all()
        assert (frames.draw(index, 3)["visual"] == video.draw(index, 3)["visual"]).all()
    assert np.ptp(video[0]["audio"]) > 0.5  # the sound is that of the video itself


@pytest.mark.parametrize("clip", ["grid_bbaf2n.mpg", "mdn_friday.mp4"])
def test_clips_of_real_video_files_have_the_pixels_of_extracted_pictures(tmp_path: Path, clip: str) -> None:
    if not (REAL / "clips_open" / clip).is_file():
        pytest.skip("no real clips beside the checkout")
    (tmp_path / "video/A").mkdir(parents=True)
    path = Path(shutil.copy(REAL / "clips_open" / clip, tmp_path / "video/A"))
    name = path.stem
    extract(path, tmp_path / "img/A" / name)
    content = {"labels": ["A", "B"], "database": {name: {"subset": "validation", "annotations": {"label": "A"}}}}
    (tmp_path / "annotation.json").write_text(json.dumps(content))
    frames, video = (
        data_of(VaanetData, tmp_path, "test", source=source, missing_sound="silence", num_classes=2)
        for source in ("frames", "video")
    )
    assert (frames[0]["visual"] == video[0]["visual"]).all()
    assert video[0]["duration_s"] == pytest.approx(len(list((tmp_path / "img/A" / name).glob("*.jpg"))) / 25, rel=0.2)


def test_sound_of_less_than_25_ms_is_told(own_tree: Path) -> None:
    from jack_ray.methods.shared.sound_file import Sound

    (own_tree / "mp3/Anger/anger_validation_00.mp3").unlink()
    write_sound(own_tree / "mp3/Anger/anger_validation_00.wav", Sound(np.ones((1, 300), np.float32) * 0.1, 16000))
    with pytest.raises(DataError, match="the sound of Anger/anger_validation_00: shorter than 25 ms"):
        data_of(CtenData, own_tree, "test")[0]
