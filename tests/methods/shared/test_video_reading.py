"""Which pictures of a file are decoded: those that are wanted come out as if everything had been, whatever the file."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from jack_ray.methods.shared import video_file

NUMBERS = ([1], [80], [1, 80], [37, 38, 39, 40], [10, 11, 30, 31, 55, 79, 80], [*range(1, 81)])
H264: dict[str, Any] = {"g": "24", "bf": "3", "threads": "1", "b-pyramid": "normal"}


def write(path: Path, codec: str = "libx264", times: list[int] | None = None, **options: Any) -> Path:
    """80 pictures of moving noise; times: when each is shown, in 1/600 s."""
    still = np.random.default_rng(1).integers(0, 256, (12, 16, 3), np.uint8)
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 600)
        for number in range(80):
            picture = Image.fromarray(np.roll(still, number // 3, axis=1)).resize((64, 48))
            frame = av.VideoFrame.from_image(picture)
            frame.pts, frame.time_base = (times[number] if times else 24 * number), Fraction(1, 600)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def check(path: Path) -> None:
    """Chosen pictures are those of decoding all from the beginning."""
    everything = [np.asarray(picture) for picture in video_file.pictures(path, 48)]
    assert len(everything) == video_file.num_pictures(path) == 80
    for numbers in NUMBERS:
        chosen = dict(video_file.chosen_pictures(path, 48, numbers))
        assert list(chosen) == numbers
        assert all((np.asarray(chosen[number]) == everything[number - 1]).all() for number in numbers)


def test_of_h264_pictures_that_none_needs_are_not_decoded(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", **H264)
    check(path)
    known = video_file.index(path)
    with video_file.opened(path) as (container, stream):
        decoded = list(video_file._decoded(container, stream, known.times[-1:]))
    with video_file.opened(path) as (container, stream):
        kinds = [frame.pict_type for frame in container.decode(stream)]
    assert len(kinds) == 80
    assert 24 < len(decoded) < 70
    assert decoded[-1].pts == known.times[-1]


def test_pictures_at_uneven_times_are_found(tmp_path: Path) -> None:
    generator = np.random.default_rng(2)
    times = np.cumsum(generator.integers(1, 90, 80)).tolist()
    check(write(tmp_path / "a.mp4", times=times, **H264))
    check(write(tmp_path / "a.mkv", times=times, **H264))


@pytest.mark.parametrize(("name", "codec"), [("a.avi", "mpeg4"), ("a.h264", "libx264")])
def test_files_without_an_index_are_decoded_from_their_beginning(tmp_path: Path, name: str, codec: str) -> None:
    path = write(tmp_path / name, codec)
    assert len(video_file.index(path).times) == 0
    check(path)


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "mpeg4"), ("a.mkv", "mpeg4")])
def test_of_other_codecs_everything_is_decoded_from_the_key_picture_on(tmp_path: Path, name: str, codec: str) -> None:
    check(write(tmp_path / name, codec, bf="2", g="12"))


@pytest.mark.parametrize("lie", [+3, -2, 200])
def test_a_file_whose_index_lies_gives_the_same_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lie: int
) -> None:
    """Jumping then ends behind a wanted picture, or where no picture is."""
    path = write(tmp_path / "a.mp4", **H264)
    real = video_file.index(path)
    wrong = video_file.Index(real.times + lie, real.keys + lie, real.duration_s)
    everything = [np.asarray(picture) for picture in video_file.pictures(path, 48)]
    monkeypatch.setattr(video_file, "index", lambda _: wrong)
    chosen = dict(video_file.chosen_pictures(path, 48, [20, 50, 80]))
    assert all((np.asarray(chosen[number]) == everything[number - 1]).all() for number in (20, 50, 80))


def test_a_jump_that_ends_behind_a_wanted_picture_is_mended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.mp4", **H264)
    everything = [np.asarray(picture) for picture in video_file.pictures(path, 48)]
    known = video_file.index(path)
    late = np.array([known.keys[0], *(known.keys[1:] + 48)])  # decoding would begin two pictures behind a key picture
    monkeypatch.setattr(video_file, "index", lambda _: video_file.Index(known.times, late, known.duration_s))
    for numbers in NUMBERS:
        chosen = dict(video_file.chosen_pictures(path, 48, numbers))
        assert all((np.asarray(chosen[number]) == everything[number - 1]).all() for number in numbers)
