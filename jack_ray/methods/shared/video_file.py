"""Video files, decoded by PyAV: every picture in order, or only those that are needed."""

import io
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from jack_ray.contract.errors import DataError, Fault

EXPECTED = "a video that can be decoded"
CONTAINERS = ("mov", "matroska", "avi", "mpeg", "mpegts", "mpegvideo", "flv", "asf", "h264", "hevc")
"""FFmpeg's names of the formats that are opened, whatever a file is called: they hold pictures and sound themselves.
Playlists and lists of files, which name further files and addresses, are not among them."""
MAX_PIXELS = 8192 * 8192
"""Of one picture, twice those of 8K in both directions: a file of a few bytes can claim ten thousand million."""
Numbers = Sequence[int] | NDArray[np.int64]
_ROTATED = {
    90: Image.Transpose.ROTATE_90,
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_270,
}


@dataclass(frozen=True)
class Index:
    """When the pictures of a file are shown, read from its packets without decoding any."""

    times: NDArray[np.int64]
    """Presentation times in order; empty where the file does not tell them, and must be decoded from its beginning."""
    keys: NDArray[np.int64]
    """Those of pictures from which decoding can begin."""
    duration_s: float
    """As the file says; 0 if it does not."""
    ticks_per_s: float = 0.0
    """Of times and keys."""


def open_media(path: Path) -> Any:
    """A file that PyAV opens, to be used with `with`: one of `CONTAINERS`, which leads to no other file or address.

    Raises what PyAV raises.
    """
    allowed = {"format_whitelist": ",".join(CONTAINERS), "protocol_whitelist": "file"}
    return av.open(f"file:{path.absolute()}", container_options=allowed)  # without file: a name with : is an address


@contextmanager
def opened(path: Path) -> Iterator[tuple[Any, Any]]:
    """A file and its video stream. Raises DataError naming the file if it has none or cannot be decoded."""
    try:
        with open_media(path) as container:
            if not container.streams.video:
                raise DataError([Fault(str(path), "no pictures in it", EXPECTED)])
            stream = container.streams.video[0]
            stream.thread_count = 1  # several files are read at the same time
            if stream.width * stream.height > MAX_PIXELS:
                found = f"pictures of {stream.width} x {stream.height} pixels"
                raise DataError([Fault(str(path), found, f"at most {MAX_PIXELS} pixels in one")])
            stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}  # the size may change on the way
            yield container, stream
    except (av.FFmpegError, OSError, UnicodeError) as error:
        raise DataError([Fault(str(path), reason(error), EXPECTED)]) from error


def reason(error: Exception) -> str:
    """Why a file cannot be decoded, in a few words."""
    if isinstance(error, FileNotFoundError):
        return "no such file"
    words = getattr(error, "strerror", None) or str(error).partition(";")[0] or type(error).__name__
    return f"cannot be decoded ({words})"


def pictures(path: Path, height: int) -> Iterator[Image.Image]:
    """Every picture of a file, scaled to a height, upright. Raises DataError when it cannot go on."""
    with opened(path) as (container, stream):
        for frame in container.decode(stream):
            yield scaled(frame, height)


def chosen_pictures(path: Path, height: int, numbers: Numbers) -> Iterator[tuple[int, Image.Image]]:
    """Pictures by their numbers, which count from 1 and rise; nothing else is scaled, and little else decoded.

    The file is read forward, and no more than a picture is held. Raises DataError if one of them is not there.
    """
    done = 0
    # where jumping in the file leads nowhere, from its beginning
    for take in (_by_time, _by_count) if len(index(path).times) else (_by_count,):
        if done == len(numbers):
            return
        with opened(path) as (container, stream):
            for number, frame in take(path, container, stream, numbers[done:]):
                done += 1
                yield number, scaled(frame, height)
    if done < len(numbers):
        found = f"picture {numbers[done]} cannot be decoded"
        raise DataError([Fault(str(path), found, "a whole video", "Copy the file again, or leave it out.")])


def _by_count(path: Path, container: Any, stream: Any, numbers: Numbers) -> Iterator[tuple[int, Any]]:
    place = 0
    for number, frame in enumerate(container.decode(stream), start=1):
        if number == numbers[place]:
            yield number, frame
            place += 1
        if place == len(numbers):
            return


def _by_time(path: Path, container: Any, stream: Any, numbers: Numbers) -> Iterator[tuple[int, Any]]:
    """Jumps to the last key picture before a wanted one whenever that lies ahead."""
    known = index(path)
    wanted = known.times[np.asarray(numbers, np.int64) - 1]
    frames: Iterator[Any] = iter(())
    reached = None
    for number, time in zip(numbers, wanted, strict=True):
        key = known.keys[max(0, int(np.searchsorted(known.keys, time, side="right")) - 1)]
        if reached is None or reached < key:
            container.seek(int(key), stream=stream, backward=True)
            frames = _decoded(container, stream, wanted)
        for frame in frames:
            reached = frame.pts
            if reached is not None and reached >= time:
                break
        else:
            return
        if reached != time:
            return
        yield int(number), frame


def _decoded(container: Any, stream: Any, wanted: NDArray[np.int64]) -> Iterator[Any]:
    """Pictures from here on in order, without some that nobody wants and no other one is decoded from.

    Only H.264 says of each picture whether others need it. wanted: times, which rise.
    """
    context = stream.codec_context
    for packet in container.demux(stream):
        if context.name == "h264":
            is_wanted = packet.pts is None or _is_among(wanted, packet.pts)
            context.skip_frame = "DEFAULT" if is_wanted else "NONREF"
        yield from packet.decode()


def _is_among(times: NDArray[np.int64], time: int) -> bool:
    place = int(np.searchsorted(times, time))
    return place < len(times) and int(times[place]) == time


@lru_cache(maxsize=4096)
def index(path: Path) -> Index:
    """The times of a file's pictures. Raises DataError."""
    shown_at, keys = array("q"), array("q")  # eight bytes each: an hour has a hundred thousand
    is_told = True
    with opened(path) as (container, stream):
        for packet in container.demux(stream):
            if packet.size == 0 or packet.is_discard:
                continue
            if packet.pts is None:
                is_told = False
                continue
            shown_at.append(packet.pts)
            if packet.is_keyframe:
                keys.append(packet.pts)
        duration = duration_s(container, stream)
        ticks = 1 / float(stream.time_base) if stream.time_base else 0.0
        can_jump = container.format.name.split(",")[0] in ("mov", "matroska")
    times = np.sort(np.array(shown_at, np.int64))
    is_sound = is_told and bool(keys) and ticks > 0 and bool((np.diff(times) > 0).all())
    if not (can_jump and is_sound and min(keys) == times[0]):
        return Index(np.empty(0, np.int64), np.empty(0, np.int64), duration, ticks)
    return Index(times, np.array(sorted(keys), np.int64), duration, ticks)


@lru_cache(maxsize=65536)
def num_pictures(path: Path) -> int:
    """How many pictures a file has. Decodes it once where its packets do not tell. Raises DataError."""
    times = index(path).times
    if len(times):
        return len(times)
    with opened(path) as (container, stream):
        return sum(1 for _ in container.decode(stream))


def forget() -> None:
    """Forget what is known of files, for a process that many pass through: another may lie at the same path."""
    index.cache_clear()
    num_pictures.cache_clear()


def duration_s(container: Any, stream: Any) -> float:
    """How long the pictures last, as the file says; 0 if it does not."""
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * Fraction(stream.time_base))
    return float(container.duration / av.time_base) if container.duration is not None else 0.0


def scaled(frame: Any, height: int) -> Image.Image:
    """A decoded picture in RGB, upright, scaled to a height with its proportions kept (ffmpeg's scale=-1:height)."""
    rotation = round(frame.rotation) % 360
    is_turned = rotation in (90, 270)
    across, along = (frame.height, frame.width) if is_turned else (frame.width, frame.height)
    width = max(1, round(across * height / along))
    target = (height, width) if is_turned else (width, height)
    array = frame.reformat(*target, format="rgb24", interpolation="BICUBIC").to_ndarray()
    picture = Image.fromarray(array)
    return picture.transpose(_ROTATED[rotation]) if rotation in _ROTATED else picture


def as_jpeg(picture: Image.Image, quality: int) -> bytes:
    """A picture as an extracted one is stored."""
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=quality)
    return written.getvalue()
