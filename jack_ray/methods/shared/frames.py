"""The pictures of a video by number, from extracted files or from the video itself."""

import io
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from math import ceil
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image

from jack_ray.contract.errors import DataError, Fault
from jack_ray.methods.shared import video_file
from jack_ray.methods.shared.class_annotation import Entry, shown
from jack_ray.methods.shared.class_tree import COUNT_FILE, picture_folder
from jack_ray.methods.shared.class_tree import video_file as path_of_video
from jack_ray.methods.shared.clips_config import DataConfig
from jack_ray.methods.shared.file_digest import sampled_digest
from jack_ray.methods.shared.picture_transform import Box
from jack_ray.methods.shared.video_file import Numbers

UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError)
"""What Pillow raises for one or another broken picture."""
MAX_DIGITS = 9
_BLOCK, _COLOUR_PIXEL = 16, 2
"""Pixels, across and down; colours have half the resolution, which is how Pillow writes JPEG."""
AS_PUBLISHED_FPS = 30.0
"""The rate that the published code takes every video to have; the pictures themselves do not tell."""
EARLY = 1e-6
"""A picture that is shown at a second is not shown before it, whatever was rounded."""
Part = Callable[[int, int], Box]
"""Which pixels of a picture of some width and height are looked at."""


def everything(width: int, height: int) -> Box:
    """All pixels of a picture."""
    return 0, 0, width, height


class Pictures(Protocol):
    """The pictures of one video."""

    @property
    def where(self) -> Path:
        """The folder or the file, for messages."""
        ...

    def count(self) -> int:
        """How many there are. Raises DataError naming the file."""
        ...

    def duration_s(self) -> float:
        """How long they last."""
        ...

    def before(self, second: float) -> int:
        """How many of them are shown before a second."""
        ...

    def identity(self) -> list[str]:
        """What tells them from others, by content and not by place; nothing is decoded. Raises DataError."""
        ...

    def read(self, numbers: Numbers, part: Part = everything) -> Iterator[tuple[int, Image.Image]]:
        """Pictures in RGB by number; numbers count from 1 and rise. Raises DataError naming the file.

        part: which pixels of a picture are looked at; the others may be any.
        """
        ...


@dataclass(frozen=True)
class PictureFolder:
    """Extracted pictures: 000001.jpg .., and their number in n_frames."""

    where: Path

    def count(self) -> int:
        """What n_frames says. Raises DataError."""
        found = read_count(self.where)
        if isinstance(found, Fault):
            raise DataError([found])
        return found

    def duration_s(self) -> float:
        """At 30 pictures a second."""
        return self.count() / AS_PUBLISHED_FPS

    def before(self, second: float) -> int:
        """At 30 pictures a second."""
        return min(self.count(), ceil(second * AS_PUBLISHED_FPS - EARLY))

    def identity(self) -> list[str]:
        """Their number, and the first, the middle and the last one, as the identity of the data set has them."""
        count = self.count()
        numbers = sorted({1, max(1, count // 2), count})
        return ["frames", str(count), *(_digest_once(self.where / picture_name(number)) for number in numbers)]

    def read(self, numbers: Numbers, part: Part = everything) -> Iterator[tuple[int, Image.Image]]:
        """One file after the other."""
        for number in numbers:
            yield number, read_picture(self.where / picture_name(number))


@dataclass(frozen=True)
class PicturesOfVideo:
    """Pictures decoded from a video file when they are needed."""

    where: Path
    height: int
    jpeg_quality: int | None

    def count(self) -> int:
        """The pictures in the file."""
        return video_file.num_pictures(self.where)

    def duration_s(self) -> float:
        """As the file says."""
        return video_file.index(self.where).duration_s

    def before(self, second: float) -> int:
        """By the times of the file; as if all were shown equally long where it does not tell them."""
        known, count = video_file.index(self.where), self.count()
        if len(known.times) and known.ticks_per_s:
            ticks = known.times[0] + second * known.ticks_per_s - EARLY
            return int(np.searchsorted(known.times, ticks))
        whole_s = known.duration_s or count / AS_PUBLISHED_FPS
        return min(count, ceil(second / whole_s * count - EARLY))

    def identity(self) -> list[str]:
        """The file's beginning, end and size, and how its pictures are scaled."""
        return ["video", f"{self.height} {self.jpeg_quality}", f"av {version('av')}", _digest_once(self.where)]

    def read(self, numbers: Numbers, part: Part = everything) -> Iterator[tuple[int, Image.Image]]:
        """Through JPEG, if set, so that they are those that would have been extracted."""
        for number, picture in video_file.chosen_pictures(self.where, self.height, numbers):
            yield number, self._as_extracted(picture, part(*picture.size))

    def _as_extracted(self, picture: Image.Image, part: Box) -> Image.Image:
        """The picture, with a part of it through JPEG, if set."""
        if self.jpeg_quality is None:
            return picture
        box = jpeg_blocks(part, picture.size)
        seen = picture if box == (0, 0, *picture.size) else picture.crop(box)
        extracted = Image.open(io.BytesIO(video_file.as_jpeg(seen, self.jpeg_quality)))
        if seen is picture:
            return extracted
        picture.paste(extracted, box)
        return picture


def jpeg_blocks(part: Box, size: tuple[int, int]) -> Box:
    """The blocks of a JPEG file that a part of its picture follows from: JPEG looks at each block alone.

    Reading a file smooths colours, which have half the resolution, over the borders of blocks: one pixel of colour.
    """
    left, top = (max(0, near - _COLOUR_PIXEL) // _BLOCK * _BLOCK for near in part[:2])
    right, bottom = (
        min(whole, -(-(far + _COLOUR_PIXEL) // _BLOCK) * _BLOCK) for far, whole in zip(part[2:], size, strict=True)
    )
    return left, top, right, bottom


@lru_cache(maxsize=65536)
def _digest_once(path: Path) -> str:
    try:
        return sampled_digest(path)
    except OSError as error:
        found = "no such file" if isinstance(error, FileNotFoundError) else f"unreadable ({error.strerror})"
        raise DataError([Fault(str(path), found, "a file of this video")]) from error


def pictures_of(data: DataConfig, entry: Entry) -> Pictures:
    """The pictures of a video, from where data.source says. Raises DataError if there is no such file."""
    if data.source == "frames":
        return PictureFolder(picture_folder(data, entry))
    path = path_of_video(data, entry)
    if path is None:
        where = Path(data.root) / data.videos / entry.label / entry.name
        raise DataError([Fault(f"{where}.*", "no such file", "the video (data.source=video)")])
    return PicturesOfVideo(path, data.image_height, data.jpeg_quality)


def picture_name(number: int) -> str:
    """The name of an extracted picture."""
    return f"{number:06d}.jpg"


def read_count(folder: Path) -> int | Fault:
    """The number in a folder's n_frames, or what is wrong with it."""
    path = folder / COUNT_FILE
    expected = "the number of pictures in this folder, as text"
    try:
        text = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return Fault(str(path), "no such file", expected, count_again(folder) if folder.is_dir() else "")
    except (OSError, UnicodeDecodeError):
        return Fault(str(path), "unreadable", expected)
    if not (text.isascii() and text.isdecimal() and len(text) <= MAX_DIGITS):
        return Fault(str(path), shown(text), expected, count_again(folder))
    return int(text)


def count_again(folder: Path) -> str:
    """What to type for an n_frames that says how many pictures there are."""
    name = shlex.quote(str(folder))
    return f"Write it: ls {name} | grep -c '[.]jpg$' > {name}/{COUNT_FILE}"


def read_picture(path: Path) -> Image.Image:
    """A picture in RGB, decoded whole. Raises DataError naming the file."""
    try:
        with Image.open(path) as picture:
            picture.load()
            return picture if picture.mode == "RGB" else picture.convert("RGB")
    except FileNotFoundError as error:
        raise DataError([Fault(str(path), "no such file", "a picture for every number up to n_frames")]) from error
    except UNREADABLE as error:
        found = "cut short" if "truncated" in str(error) else "not a picture that can be read"
        raise DataError([Fault(str(path), found, "a whole picture", "Extract this video's pictures again.")]) from error
