"""Video files, decoded by PyAV: every picture in order, or only those that are needed."""

import io
from collections.abc import Iterator, Sequence, Set
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


@contextmanager
def opened(path: Path) -> Iterator[tuple[Any, Any]]:
    """A file and its video stream. Raises DataError naming the file if it has none or cannot be decoded."""
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise DataError([Fault(str(path), "no pictures in it", EXPECTED)])
            stream = container.streams.video[0]
            stream.thread_count = 1  # several files are read at the same time
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


def chosen_pictures(path: Path, height: int, numbers: Sequence[int]) -> Iterator[tuple[int, Image.Image]]:
    """Pictures by their numbers, which count from 1 and rise; nothing else is scaled, and little else decoded.

    Raises DataError if one of them is not there.
    """
    missing = list(numbers)
    # where jumping in the file leads nowhere, from its beginning
    for take in (_by_time, _by_count) if len(index(path).times) else (_by_count,):
        if not missing:
            return
        with opened(path) as (container, stream):
            for number, frame in take(path, container, stream, list(missing)):
                missing.remove(number)
                yield number, scaled(frame, height)
    if missing:
        found = f"picture {missing[0]} cannot be decoded"
        raise DataError([Fault(str(path), found, "a whole video", "Copy the file again, or leave it out.")])


def _by_count(path: Path, container: Any, stream: Any, numbers: Sequence[int]) -> Iterator[tuple[int, Any]]:
    wanted = set(numbers)
    for number, frame in enumerate(container.decode(stream), start=1):
        if number in wanted:
            yield number, frame
        if number == numbers[-1]:
            return


def _by_time(path: Path, container: Any, stream: Any, numbers: Sequence[int]) -> Iterator[tuple[int, Any]]:
    """Jumps to the last key picture before a wanted one whenever that lies ahead."""
    known = index(path)
    wanted = {int(known.times[number - 1]) for number in numbers}
    frames: Iterator[Any] = iter(())
    reached = None
    for number in numbers:
        time = known.times[number - 1]
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
        yield number, frame


def _decoded(container: Any, stream: Any, wanted: Set[int]) -> Iterator[Any]:
    """Pictures from here on in order, without some that nobody wants and no other one is decoded from.

    Only H.264 says of each picture whether others need it.
    """
    context = stream.codec_context
    for packet in container.demux(stream):
        if context.name == "h264":
            is_wanted = packet.pts is None or packet.pts in wanted
            context.skip_frame = "DEFAULT" if is_wanted else "NONREF"
        yield from packet.decode()


@lru_cache(maxsize=4096)
def index(path: Path) -> Index:
    """The times of a file's pictures. Raises DataError."""
    with opened(path) as (container, stream):
        shown_at: list[int | None] = []
        keys = []
        for packet in container.demux(stream):
            if packet.size == 0 or packet.is_discard:
                continue
            shown_at.append(packet.pts)
            if packet.is_keyframe and packet.pts is not None:
                keys.append(packet.pts)
        duration = duration_s(container, stream)
        can_jump = container.format.name.split(",")[0] in ("mov", "matroska")
    times = np.array(sorted(time for time in shown_at if time is not None), np.int64)
    is_sound = len(times) == len(shown_at) and len(np.unique(times)) == len(times) and bool(keys)
    if not (can_jump and is_sound and keys and min(keys) == times[0]):
        return Index(np.empty(0, np.int64), np.empty(0, np.int64), duration)
    return Index(times, np.array(sorted(keys), np.int64), duration)


@lru_cache(maxsize=65536)
def num_pictures(path: Path) -> int:
    """How many pictures a file has. Decodes it once where its packets do not tell. Raises DataError."""
    times = index(path).times
    if len(times):
        return len(times)
    with opened(path) as (container, stream):
        return sum(1 for _ in container.decode(stream))


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
