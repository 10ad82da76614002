"""Pictures straight from video files: the same as extracted ones, and only those that are needed."""

from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from jack_ray.contract.errors import DataError
from jack_ray.methods.shared import video_file
from jack_ray.methods.shared.demo_tree import write_video
from jack_ray.methods.shared.demo_videos import invent
from tests.methods.shared.clip_trees import REAL

CLIPS = ("clips_open/nasa_13013.mp4", "clips_open/mdn_friday.mp4", "clips_open/grid_bbaf2n.mpg")


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 pictures with B-frames and a key picture every 12."""
    path = tmp_path_factory.mktemp("video") / "a.mp4"
    generator = np.random.default_rng(1)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"g": "12", "bf": "2", "threads": "1"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        still = generator.integers(0, 256, (6, 8, 3), np.uint8)
        for number in range(60):
            picture = Image.fromarray(np.roll(still, number, axis=1)).resize((64, 48))
            frame = av.VideoFrame.from_image(picture)
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def same(path: Path, numbers: list[int]) -> bool:
    """Whether chosen pictures are those that decoding everything gives."""
    everything = [np.asarray(picture) for picture in video_file.pictures(path, 48)]
    chosen = dict(video_file.chosen_pictures(path, 48, numbers))
    return list(chosen) == numbers and all((np.asarray(chosen[n]) == everything[n - 1]).all() for n in numbers)


@pytest.mark.parametrize("numbers", [[1], [60], [1, 60], [11, 12, 13, 14], [24, 25, 26, 59], [*range(1, 61)]])
def test_chosen_pictures_are_those_of_decoding_everything(video: Path, numbers: list[int]) -> None:
    assert same(video, numbers)


@pytest.mark.parametrize("clip", CLIPS)
def test_chosen_pictures_of_real_clips_are_those_of_decoding_everything(clip: str) -> None:
    path = REAL / clip
    if not path.is_file():
        pytest.skip(f"no {clip} beside the checkout")
    count = video_file.num_pictures(path)
    assert same(path, sorted({1, 2, count // 3, count // 2, count // 2 + 1, count - 1, count}))


def test_pictures_are_counted_by_packets_and_lie_at_key_pictures(video: Path) -> None:
    index = video_file.index(video)
    assert (len(index.times), len(index.keys), video_file.num_pictures(video)) == (60, 5, 60)
    assert index.duration_s == pytest.approx(60 / 25)


def test_little_is_decoded_before_a_late_picture(video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scaled = []
    real = video_file.scaled

    def noted(frame: Any, height: int) -> Image.Image:
        scaled.append(frame.pts)
        return real(frame, height)

    monkeypatch.setattr(video_file, "scaled", noted)
    assert len(list(video_file.chosen_pictures(video, 48, [58]))) == 1
    assert len(scaled) == 1


def test_where_jumping_leads_nowhere_it_is_decoded_from_the_beginning(
    video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video_file, "_by_time", lambda *_: iter(()))
    assert same(video, [5, 40])


def test_pictures_are_scaled_to_a_height_with_their_proportions(video: Path) -> None:
    assert next(video_file.pictures(video, 240)).size == (320, 240)
    assert next(video_file.pictures(video, 31)).size == (41, 31)


@pytest.mark.parametrize(("rotation", "size"), [(0, (64, 48)), (90, (36, 48)), (-90, (36, 48)), (180, (64, 48))])
def test_pictures_of_a_turned_camera_stand_upright(video: Path, rotation: int, size: tuple[int, int]) -> None:
    """rotation: degrees counter-clockwise by which the file says that a picture is shown turned."""
    with av.open(str(video)) as container:
        frame = next(container.decode(video=0))
    turned = SimpleNamespace(rotation=rotation, width=frame.width, height=frame.height, reformat=frame.reformat)
    upright = video_file.scaled(turned, 48)
    assert upright.size == size
    expected = frame.to_image().rotate(rotation, expand=True).resize(size)
    assert np.abs(np.asarray(upright, float) - np.asarray(expected, float)).mean() < 25


def test_a_picture_that_is_not_there_is_told(video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video_file, "_by_time", lambda *_: iter(()))
    monkeypatch.setattr(video_file, "_by_count", lambda *_: iter(()))
    with pytest.raises(DataError, match=r"a\.mp4: picture 7 cannot be decoded; expected a whole video"):
        list(video_file.chosen_pictures(video, 48, [7]))


@pytest.mark.parametrize("content", [b"", b"no video at all", b"\x00" * 4096])
def test_a_file_that_is_no_video_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"a\.mp4: cannot be decoded \("):
        video_file.num_pictures(path)


def test_a_missing_file_and_one_without_pictures_are_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"b\.mp4: no such file"):
        list(video_file.pictures(tmp_path / "b.mp4", 48))
    write_silence(tmp_path / "c.mp4")
    with pytest.raises(DataError, match=r"c\.mp4: no pictures in it"):
        list(video_file.pictures(tmp_path / "c.mp4", 48))


def write_silence(path: Path) -> None:
    """A file with sound and no pictures."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.rate, frame.pts = 16000, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def test_a_video_that_is_cut_short_is_told(tmp_path: Path) -> None:
    scene = invent(2, {"training": 1}, (40, 40), 1)[0]
    path = tmp_path / "a.mp4"
    write_video(path, scene, 48, 1)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError, match="cannot be decoded"):
        list(video_file.pictures(path, 48))


PLAYLIST = "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{}\n#EXT-X-ENDLIST\n"
CONCAT = "ffconcat version 1.0\nfile '{}'\n"


@pytest.mark.parametrize(("name", "text"), [("a.m3u8", PLAYLIST), ("a.mp4", PLAYLIST), ("a.mp4", CONCAT)])
def test_a_list_of_other_files_is_not_followed_whatever_it_is_called(
    video: Path, tmp_path: Path, name: str, text: str
) -> None:
    other = tmp_path / "other.mp4"
    other.write_bytes(video.read_bytes())
    path = tmp_path / name
    path.write_text(text.format(other))
    options = {"allowed_extensions": "ALL", "allowed_segment_extensions": "ALL", "safe": "0"}
    with av.open(str(path), format="concat" if "ffconcat" in text else "hls", options=options) as container:
        assert container.streams.video  # FFmpeg itself would follow it
    with pytest.raises(DataError, match=r"cannot be decoded"):
        video_file.num_pictures(path)


def test_a_name_that_looks_like_an_address_is_a_file(video: Path, tmp_path: Path) -> None:
    path = tmp_path / "http:" / "a:b.mp4"
    path.parent.mkdir()
    path.write_bytes(video.read_bytes())
    assert video_file.num_pictures(path) == 60


def test_another_file_at_the_same_path_is_looked_at_anew_once_the_first_is_forgotten(
    video: Path, tmp_path: Path
) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(video.read_bytes())
    assert video_file.num_pictures(path) == 60
    write_video(path, invent(2, {"training": 1}, (20, 20), 1)[0], 24, 1)
    video_file.forget()
    assert video_file.num_pictures(path) == 20


def test_pictures_larger_than_any_video_has_are_refused_before_they_are_decoded(
    video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video_file, "MAX_PIXELS", 1000)
    with pytest.raises(DataError, match=r"pictures of \d+ x \d+ pixels; expected at most 1000 pixels in one"):
        list(video_file.pictures(video, 48))
