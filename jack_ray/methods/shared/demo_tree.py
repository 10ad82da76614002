"""A small class tree, generated: no download, and something to learn in it that neither eye nor ear knows alone."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from jack_ray.contract.errors import ConfigError, Fault
from jack_ray.contract.files import write_json, write_text
from jack_ray.contract.settings import as_typed
from jack_ray.methods.shared.class_tree import COUNT_FILE
from jack_ray.methods.shared.demo_folder import write_once
from jack_ray.methods.shared.demo_videos import FPS, LABELS, RATE_HZ, Scene, invent, pictures, sound
from jack_ray.methods.shared.frames import picture_name
from jack_ray.methods.shared.sound_file import Sound
from jack_ray.methods.shared.sound_writing import write_sound

LAYOUT = 1
"""Counted up when generated files change, so that older ones are made anew."""
JPEG_QUALITY = 92
SMALLEST = 16


@dataclass(frozen=True)
class Wanted:
    """What is to be generated."""

    num_classes: int
    train: int
    test: int
    seed: int
    frames: tuple[int, int]
    height: int
    sound: str
    as_videos: bool

    def arguments(self) -> dict[str, Any]:
        """As JSON values."""
        return {**self.__dict__, "frames": list(self.frames), "layout": LAYOUT}


def add_tree_options(parser: argparse.ArgumentParser) -> None:
    """The options of `python -m jack_ray.data demo` for methods that read class trees."""
    parser.add_argument("root", type=Path, metavar="ROOT", help="folder to write; new, empty, or earlier demo data")
    parser.add_argument("--classes", type=int, default=8, help="classes, 2 to 8 (default 8)")
    parser.add_argument("--train", type=int, default=7, help="training videos of each class (default 7)")
    parser.add_argument("--test", type=int, default=3, help="test videos of each class (default 3)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same files (default 1)")
    parser.add_argument(
        "--frames", type=int, nargs=2, default=(48, 72), metavar=("MIN", "MAX"),
        help="length of a video in pictures, 30 a second (default 48 72)",
    )  # fmt: skip
    parser.add_argument("--height", type=int, default=72, help="height of a picture (default 72; real data has 240)")
    parser.add_argument("--sound", choices=("mp3", "flac", "wav"), default="mp3", help="kind of sound file")
    parser.add_argument(
        "--videos", action="store_true",
        help="write video files in a folder for each class instead, to try `python -m jack_ray.data prepare` with",
    )  # fmt: skip


def run_tree(options: argparse.Namespace, method: str) -> str:
    """Generate what was asked for on the command line, and say what came of it. Raises JackRayError."""
    wanted = Wanted(
        options.classes,
        options.train,
        options.test,
        options.seed,
        tuple(options.frames),
        options.height,
        options.sound,
        options.videos,
    )
    return generate(options.root, wanted, method)


def generate(root: Path, wanted: Wanted, method: str) -> str:
    """Write a class tree, or videos by class; the same arguments give the same files. Returns what to tell.

    Raises ConfigError for impossible numbers, DataError if `root` holds anything else, JackRayError.
    """
    _check(wanted)
    scenes = invent(
        wanted.num_classes, {"training": wanted.train, "validation": wanted.test}, wanted.frames, wanted.seed
    )
    own = [*LABELS] if wanted.as_videos else ["annotation.json", "img", "mp3"]
    write = write_videos if wanted.as_videos else write_tree
    written = write_once(root, own, wanted.arguments(), lambda folder: write(folder, scenes, wanted))
    did = "is there already, complete" if written.was_there else "written"
    num_train = wanted.train * wanted.num_classes
    counts = f"{num_train} training and {len(scenes) - num_train} test videos of {wanted.num_classes} classes"
    typed = as_typed("data.root", str(written.root))
    classes = "" if wanted.num_classes == len(LABELS) else f" model.num_classes={wanted.num_classes}"
    follow = (
        f"python -m jack_ray.data prepare {written.root} NEW_FOLDER"
        if wanted.as_videos
        else f"python -m jack_ray.launch model={method}_smoke data=class_tree {typed}{classes}"
    )
    return (
        f"Demo data for {method}: {counts}, {written.num_bytes / 1e6:.0f} MB, {did}: {written.root}\n"
        "Generated pictures and sounds: good for trying things, not for results.\n"
        f"Next: {follow}"
    )


def _check(wanted: Wanted) -> None:
    faults = []
    bounds = (
        ("--classes", wanted.num_classes, 2, len(LABELS)),
        ("--train", wanted.train, 2, 99),
        ("--test", wanted.test, 1, 99),
        ("--seed", wanted.seed, 0, 2**31),
        ("--height", wanted.height, SMALLEST, 2160),
    )
    for option, value, least, most in bounds:
        if not least <= value <= most:
            faults.append(Fault(option, str(value), f"{least} to {most}"))
    if not SMALLEST <= wanted.frames[0] <= wanted.frames[1]:
        faults.append(Fault("--frames", f"{wanted.frames[0]} {wanted.frames[1]}", f"{SMALLEST} <= MIN <= MAX"))
    if faults:
        raise ConfigError(faults)


def write_tree(folder: Path, scenes: Sequence[Scene], wanted: Wanted) -> None:
    """Pictures, sound and the annotation file."""
    for scene in scenes:
        of_video = folder / "img" / LABELS[scene.label] / scene.name
        of_video.mkdir(parents=True)
        for number, picture in enumerate(pictures(scene, wanted.height, wanted.seed), start=1):
            picture.save(of_video / picture_name(number), "JPEG", quality=JPEG_QUALITY)
        write_text(of_video / COUNT_FILE, str(scene.num_frames))
        heard = folder / "mp3" / LABELS[scene.label] / f"{scene.name}.{wanted.sound}"
        heard.parent.mkdir(parents=True, exist_ok=True)
        write_sound(heard, Sound(sound(scene, wanted.seed), RATE_HZ))
    write_json(folder / "annotation.json", annotation(scenes, wanted.num_classes))


def annotation(scenes: Sequence[Scene], num_classes: int) -> Mapping[str, Any]:
    """The annotation file's content, with key segments."""
    database = {
        scene.name: {
            "subset": scene.subset,
            "duration_s": scene.num_frames / FPS,
            "annotations": {"label": LABELS[scene.label], "segments": [list(scene.segment_s)]},
        }
        for scene in scenes
    }
    return {"labels": list(LABELS[:num_classes]), "database": database}


def write_videos(folder: Path, scenes: Sequence[Scene], wanted: Wanted) -> None:
    """A video file for each scene, in a folder of its class."""
    for scene in scenes:
        path = folder / LABELS[scene.label] / f"{scene.name}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_video(path, scene, wanted.height, wanted.seed)


def write_video(path: Path, scene: Scene, height: int, seed: int) -> None:
    """A scene as mp4, with H.264 and AAC."""
    even = height - height % 2  # H.264 halves the colours' resolution
    with av.open(str(path), "w") as container:
        shown = container.add_stream("libx264", rate=FPS, options={"crf": "20", "threads": "1"})
        shown.height, shown.pix_fmt = even, "yuv420p"
        shown.width = round(even * 4 / 3) // 2 * 2
        heard = container.add_stream("aac", rate=RATE_HZ, layout="mono")
        for number, picture in enumerate(pictures(scene, even, seed)):
            frame = av.VideoFrame.from_image(picture.resize((shown.width, even)))
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(shown.encode(frame))
        container.mux(shown.encode(None))
        samples = np.ascontiguousarray(sound(scene, seed))
        for start in range(0, samples.shape[1], 1024):
            part = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[:, start : start + 1024]), "fltp", "mono")
            part.rate, part.pts, part.time_base = RATE_HZ, start, Fraction(1, RATE_HZ)
            container.mux(heard.encode(part))
        container.mux(heard.encode(None))
