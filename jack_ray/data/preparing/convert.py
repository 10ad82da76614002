"""One video -> its pictures and its sound in a class tree. Runs in this process, or as a Ray task."""

import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jack_ray.contract.errors import DataError, JackRayError
from jack_ray.contract.files import digest
from jack_ray.methods.shared import video_file
from jack_ray.methods.shared.class_tree import COUNT_FILE
from jack_ray.methods.shared.frames import picture_name
from jack_ray.methods.shared.sound_file import Sound, read_track
from jack_ray.methods.shared.sound_writing import write_sound

WHOLE = 0.98
"""A file that says how many pictures it has must give this share of them."""
PARTIAL = ".partial"
"""Folder of what is being made."""
CRASHED = "crashed"
"""Status of a video whose decoding ended the process."""
SILENT = 1e-4
"""Sound whose largest sample is below this is silent."""


@dataclass(frozen=True)
class Wanted:
    """How videos are prepared; other choices prepare them anew."""

    pictures: str
    """jpg, or none: the video itself is kept, for data.source=video"""
    sound: str
    silent: str
    """What is done with a video without a sound track. leave-out, or write: silence"""
    height: int
    quality: int
    min_frames: int


@dataclass(frozen=True)
class Job:
    """One video, where it goes, and how."""

    source: str
    root: str
    name: str
    label: str
    wanted: Wanted

    def key(self) -> str:
        """Another one whenever the file or the way it is prepared is another. Raises OSError."""
        status = Path(self.source).stat()
        known = [self.source, status.st_size, status.st_mtime_ns, self.name, self.label, asdict(self.wanted)]
        return digest(known, 16)


@dataclass(frozen=True)
class Outcome:
    """What became of a video."""

    name: str
    status: str
    """ok, silent (taken, but there is nothing to hear), no sound, too short, cut short, unreadable, crashed"""
    detail: str = ""
    frames: int = 0
    duration_s: float = 0.0
    sound_s: float = 0.0

    @property
    def is_taken(self) -> bool:
        """Whether the video is in the data set."""
        return self.status in ("ok", "silent")

    def as_json(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def convert(job: Job) -> Outcome:
    """Prepare a video; nothing of it is left where that does not work. Raises JackRayError if the disk is full."""
    try:
        return _convert(job)
    except DataError as error:
        return Outcome(job.name, "unreadable", error.faults[0].found)
    except OSError as error:
        remedy = "What is done is kept: mend it, and type the same command to go on."
        raise JackRayError(f"Cannot write {job.root}: {error.strerror or error}. {remedy}") from error
    finally:
        shutil.rmtree(_partial(job), ignore_errors=True)


def _convert(job: Job) -> Outcome:
    wanted, source, partial = job.wanted, Path(job.source), _partial(job)
    shutil.rmtree(partial, ignore_errors=True)
    shutil.rmtree(picture_folder(job), ignore_errors=True)
    partial.mkdir(parents=True)
    with video_file.opened(source) as (container, stream):
        announced, lasts_s = int(stream.frames), video_file.duration_s(container, stream)
        rate = float(stream.average_rate or 0)
    count = _write_pictures(job, partial)
    seconds = lasts_s or (count / rate if rate else 0.0)
    if count < announced * WHOLE:
        return Outcome(job.name, "cut short", f"{count} of {announced} pictures can be decoded", count, seconds)
    if count < wanted.min_frames:
        return Outcome(job.name, "too short", f"{count} pictures, fewer than {wanted.min_frames}", count, seconds)
    sound = read_track(source)
    if sound is None or not sound.samples.size:
        if wanted.silent == "leave-out":
            return Outcome(job.name, "no sound", "no sound track", count, seconds)
        sound = Sound(np.zeros((1, max(1, round(seconds * 16000))), np.float32), 16000)
    _write_rest(job, sound, count, partial)
    is_silent = float(np.abs(sound.samples).max()) < SILENT
    return Outcome(
        job.name, "silent" if is_silent else "ok", "nothing to hear" if is_silent else "", count, seconds, sound.seconds
    )


def _write_pictures(job: Job, partial: Path) -> int:
    """How many pictures the video has; they are written as jpg where that is wanted."""
    count = 0
    for count, picture in enumerate(video_file.pictures(Path(job.source), job.wanted.height), start=1):
        if job.wanted.pictures == "jpg":
            (partial / picture_name(count)).write_bytes(video_file.as_jpeg(picture, job.wanted.quality))
    return count


def _write_rest(job: Job, sound: Sound, count: int, partial: Path) -> None:
    """The sound, then the pictures in their place: a video with pictures is complete."""
    heard = sound_path(job)
    heard.parent.mkdir(parents=True, exist_ok=True)
    temporary = partial / f"sound.{job.wanted.sound}"
    write_sound(temporary, sound)
    temporary.replace(heard)
    if job.wanted.pictures == "jpg":
        (partial / COUNT_FILE).write_text(f"{count}\n", encoding="utf-8")
        picture_folder(job).parent.mkdir(parents=True, exist_ok=True)
        partial.replace(picture_folder(job))
    else:
        kept = video_path(job)
        kept.parent.mkdir(parents=True, exist_ok=True)
        copy = partial / "video"
        shutil.copyfile(job.source, copy)
        copy.replace(kept)


def is_there(job: Job, outcome: Outcome) -> bool:
    """Whether what an outcome tells of still lies in its place."""
    if not outcome.is_taken:
        return True
    made = picture_folder(job) / COUNT_FILE if job.wanted.pictures == "jpg" else video_path(job)
    return made.is_file() and sound_path(job).is_file()


def picture_folder(job: Job) -> Path:
    """Where its pictures go."""
    return Path(job.root) / "img" / job.label / job.name


def sound_path(job: Job) -> Path:
    """Where its sound goes."""
    return Path(job.root) / "mp3" / job.label / f"{job.name}.{job.wanted.sound}"


def video_path(job: Job) -> Path:
    """Where the video itself goes, if it is kept."""
    return Path(job.root) / "video" / job.label / f"{job.name}{Path(job.source).suffix.lower()}"


def _partial(job: Job) -> Path:
    return Path(job.root) / PARTIAL / digest([job.label, job.name], 16)
