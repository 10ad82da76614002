"""A small data set for every launch that the documentation tells people to type."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import h5py
import numpy as np
from PIL import Image

from jack_ray.compose import read_command
from jack_ray.compose.plan import compose_base
from jack_ray.contract.files import digest
from jack_ray.methods.gait.demo import generate as generate_gaits
from jack_ray.methods.shared.sound_file import Sound
from jack_ray.methods.shared.sound_writing import write_sound

SPLITS = ("training",) * 4 + ("validation",) * 2
SILENCE = Sound(np.zeros((1, 8000), np.float32), 16000)
FRAMES = 16


def data_for(words: Sequence[str], folder: Path, tsl_data: Path) -> Path:
    """A data set that fits what is typed: TSL-Net's, or one made in `folder` unless there is one like it."""
    nodes, _ = compose_base(read_command(list(words)))
    data = nodes["data"]
    if data["name"] == "tsl300":
        return tsl_data
    if data["name"] in ("emotion_gait", "egait"):
        root = folder / data["name"]
        if not root.exists():
            write_h5(root, data) if data["name"] == "egait" else generate_gaits(root, train=24, test=8, seed=1)
        return root
    labels = classes_of(data, nodes["model"])
    root = folder / digest([data["annotation"], data["source"], labels])
    if not root.exists():
        write_tree(root, data, labels)
    return root


def with_weights(words: Sequence[str], path: Path) -> list[str]:
    """What is typed, with a file that is there in place of every file of weights."""
    path.touch()
    pairs = [word.partition("=") for word in words]
    return [f"{key}={path}" if key.endswith("weights") else f"{key}{equals}{value}" for key, equals, value in pairs]


def classes_of(data: dict[str, Any], model: dict[str, Any]) -> list[str]:
    """The data set's, else as many as the model has, each with a polarity where that counts."""
    named = data["labels"] or [*model["positive"], *model["negative"]]
    return list(named)[: model["num_classes"]]


def write_tree(root: Path, data: dict[str, Any], labels: list[str]) -> None:
    """A class tree with six short videos of each class."""
    entries = {f"{label}_{number}": (label, subset) for label in labels for number, subset in enumerate(SPLITS)}
    for name, (label, _) in entries.items():
        (write_video if data["source"] == "video" else write_pictures)(root, data, label, name)
    database = {name: {"subset": subset, "annotations": {"label": label}} for name, (label, subset) in entries.items()}
    (root / data["annotation"]).write_text(json.dumps({"labels": labels, "database": database}))


def write_pictures(root: Path, data: dict[str, Any], label: str, name: str) -> None:
    """A grey video's pictures, and its silence."""
    folder = root / data["images"] / label / name
    folder.mkdir(parents=True)
    for number in range(1, FRAMES + 1):
        Image.new("RGB", (24, 16), (90, 90, 90)).save(folder / f"{number:06d}.jpg")
    (folder / "n_frames").write_text(str(FRAMES))
    heard = root / data["sound"] / label / f"{name}.wav"
    heard.parent.mkdir(parents=True, exist_ok=True)
    write_sound(heard, SILENCE)


def write_video(root: Path, data: dict[str, Any], label: str, name: str) -> None:
    """A grey video file."""
    path = root / data["videos"] / label / f"{name}.mp4"
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 24, 16, "yuv420p"
        for number in range(FRAMES):
            frame = av.VideoFrame.from_image(Image.new("RGB", (24, 16)))
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def write_h5(root: Path, data: dict[str, Any]) -> None:
    """E-Gait's two files, with ten gaits of each class."""
    root.mkdir()
    drawn = np.random.default_rng(1)
    with h5py.File(root / data["features_file"], "w") as gaits, h5py.File(root / data["labels_file"], "w") as labels:
        for number in range(40):
            gaits[f"gait_{number:02d}"] = drawn.normal(size=(40, 48))
            labels[f"gait_{number:02d}"] = number % 4
