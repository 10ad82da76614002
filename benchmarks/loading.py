"""How fast samples of full size are read, beside plain decoding of their pictures (pip install -e '.[bench]').

`python -m benchmarks loading` generates a few videos; loader_throughput is samples a second of one reading thread, once
sound is remembered, beside a plain loop of OpenCV or PyAV. `python -m benchmarks.loading ROOT` prints a larger table:

ROOT is a class tree with pictures of 240 lines (`python -m jack_ray.data demo vaanet ROOT --height 240`, or what
`prepare` wrote). Videos for data.source=video are encoded from its pictures into a folder that is removed afterwards.

The rival does the least that anyone must do: one after the other it decodes the same pictures with Pillow or OpenCV, or
each video from its beginning to its last wanted picture with PyAV or OpenCV, and scales them to 112 x 112; no sound, no
augmentation.
"""

import argparse
import contextlib
import importlib.util
import io
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.figures import Figure, ratio
from benchmarks.options import Options
from jack_ray.compose.load import load
from jack_ray.contract.settings import read
from jack_ray.data.__main__ import main as data_command
from jack_ray.methods.shared.class_tree import annotation_of, picture_folder, video_file
from jack_ray.methods.shared.clips import picture_numbers, sample_clips
from jack_ray.methods.shared.clips_config import DataConfig
from jack_ray.methods.shared.frames import picture_name, read_count
from jack_ray.methods.shared.sound_cache import cache_of

METHODS = ("vaanet", "cten")
THREADS = (1, 2)
SIZE = 112
FPS = 30
VIDEOS = 8
"""Read in each turn of `measure`."""
GENERATED = ("--classes", "2", "--train", "4", "--test", "1", "--height", "240")


def measure(options: Options) -> Iterator[Figure]:
    """Frames beside OpenCV; videos beside PyAV and OpenCV."""
    if importlib.util.find_spec("cv2") is None:
        raise SystemExit("error: OpenCV, the rival, is missing; type: pip install -c constraints.txt -e '.[bench]'")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "tree"
        with contextlib.redirect_stdout(io.StringIO()):
            if data_command(["demo", "vaanet", str(root), *GENERATED]) != 0:
                raise SystemExit("error: no demo data")
        for source in ("frames", "video"):
            for method in options.choose(METHODS):
                yield from _figures(method, _data(method, root, source, Path(folder) / "videos"), options.repeat)


def _figures(method: str, data: DataConfig, repeat: int) -> Iterator[Figure]:
    """Ours and the rivals in turns."""
    examples = _examples(method, data)
    rivals = {"opencv": _opencv} if data.source == "frames" else {"opencv": _opencv, "pyav": _plain}
    sides: dict[str, Callable[[int], object]] = {"ours": lambda index: examples.draw(index, index)}
    sides |= {name: partial(rival, examples) for name, rival in rivals.items()}
    rates: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(repeat + 1):
        for name, take in sides.items():
            speed = _measure(take, min(VIDEOS, len(examples)), 1, 1)
            if turn:  # sound is read in the first one
                rates[name].append(speed.samples_per_s)
    for name in rivals:
        bench = f"loading.{method}.{data.source}.{name}"
        yield ratio(bench, "loader_throughput", median(rates["ours"]), median(rates[name]), "samples/s")


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path, metavar="ROOT")
    parser.add_argument("--videos", type=int, default=24, help="videos that are read (default 24)")
    parser.add_argument("--repeat", type=int, default=3, help="of which the fastest counts (default 3)")
    options = parser.parse_args()
    print(f"{'':28}{'samples per second':>36}{'CPU seconds per sample':>26}")
    heads = [*(f"{count} thread{'s' * (count > 1)}" for count in THREADS), "plain", "1 thread", "plain"]
    print(f"{'':28}" + "".join(f"{head:>12}" for head in heads))
    with tempfile.TemporaryDirectory() as folder:
        for source in ("frames", "video"):
            for method in METHODS:
                data = _data(method, options.root, source, Path(folder))
                examples = _examples(method, data)
                count = min(options.videos, len(examples))
                plain = _measure(partial(_plain, examples), count, 1, options.repeat)
                _show(f"{method} {source}, first epoch", [_first(examples, count, threads) for threads in THREADS])
                later = [_later(examples, count, threads, options.repeat) for threads in THREADS]
                _show(f"{method} {source}, later", later, plain)


@dataclass(frozen=True)
class Speed:
    """Of one way to read."""

    samples_per_s: float
    cpu_s: float
    """For a sample; says more than the clock where others use the machine, too."""


def _show(title: str, speeds: Sequence[Speed], plain: Speed | None = None) -> None:
    rates = [speed.samples_per_s for speed in speeds] + ([plain.samples_per_s] if plain else [])
    seconds = [speeds[0].cpu_s] + ([plain.cpu_s] if plain else [])
    columns = "".join(f"{rate:12.2f}" for rate in rates) + ("" if plain else f"{'':12}")
    print(f"{title:28}{columns}" + "".join(f"{second:12.3f}" for second in seconds), flush=True)


def _data(method: str, root: Path, source: str, folder: Path) -> DataConfig:
    """The data node of a class tree; with videos for source=video."""
    values = load([f"model={method}", "data=class_tree"])["data"] | {"root": str(root.absolute()), "source": source}
    data, faults = read(DataConfig, values, "data")
    assert data is not None, faults
    if source == "video":
        _encode(data, folder)
        data = replace(data, videos=str(folder))
    return data


def _encode(data: DataConfig, folder: Path) -> None:
    """Videos of the tree's pictures, once; without sound, which is read from the sound files."""
    for entry in annotation_of(data).entries.values():
        path = folder / entry.label / f"{entry.name}.mp4"
        count = read_count(picture_folder(data, entry))
        if path.exists() or not isinstance(count, int):
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        with av.open(str(path), "w") as container:
            stream: Any = None
            for number in range(1, count + 1):
                frame = av.VideoFrame.from_image(Image.open(picture_folder(data, entry) / picture_name(number)))
                if stream is None:
                    stream = container.add_stream("libx264", rate=FPS)
                    stream.width, stream.height, stream.pix_fmt = frame.width // 2 * 2, frame.height // 2 * 2, "yuv420p"
                frame.pts, frame.time_base = number - 1, Fraction(1, FPS)
                container.mux(stream.encode(frame))
            container.mux(stream.encode())


def _examples(method: str, data: DataConfig) -> Any:
    """The training videos of a method at its full size, with as many classes as the data has."""
    config = importlib.import_module(f"jack_ray.methods.{method}.config")
    classes = {"num_classes": len(annotation_of(data).labels)}
    model, faults = read(config.Config, load([f"model={method}"])["model"] | classes, "model")
    assert model is not None, faults
    return importlib.import_module(f"jack_ray.methods.{method}.data").Data(model, data, "train", 0)


def _first(examples: Any, count: int, threads: int) -> Speed:
    """Training samples as a rank reads them, sound and all."""
    cache_of.cache_clear()
    return _measure(lambda index: examples.draw(index, index), count, threads, 1)


def _later(examples: Any, count: int, threads: int, repeat: int) -> Speed:
    """The same once the sound is remembered."""
    return _measure(lambda index: examples.draw(index, index), count, threads, repeat)


def _measure(take: Callable[[int], object], count: int, threads: int, repeat: int) -> Speed:
    runs = []
    for _ in range(repeat):
        start, cpu = time.perf_counter(), time.process_time()
        with ThreadPoolExecutor(threads) as pool:
            for _ in pool.map(take, range(count)):
                pass
        runs.append(Speed(count / (time.perf_counter() - start), (time.process_time() - cpu) / count))
    return Speed(max(run.samples_per_s for run in runs), min(run.cpu_s for run in runs))


def _wanted(examples: Any, index: int) -> list[int]:
    """Numbers of the pictures that a sample takes, from 1."""
    videos = examples.videos
    count = read_count(picture_folder(videos.data, videos.entries[index]))
    assert isinstance(count, int)
    numbers = picture_numbers(count, videos.data.frame_step)
    model = videos.model
    drawn = sample_clips(numbers, model.segments, model.clip_frames, np.random.default_rng(index))
    found: list[int] = np.unique(drawn).tolist()
    return found


def _plain(examples: Any, index: int) -> NDArray[np.uint8]:
    """The same pictures, decoded in the plainest way by Pillow or PyAV."""
    data, entry = examples.videos.data, examples.videos.entries[index]
    wanted = _wanted(examples, index)
    pictures: Sequence[Image.Image]
    if data.source == "frames":
        pictures = [Image.open(picture_folder(data, entry) / picture_name(number)) for number in wanted]
    else:
        pictures = _from_beginning(video_file(data, entry), set(wanted))
    return np.stack(
        [np.asarray(one.convert("RGB").resize((SIZE, SIZE), Image.Resampling.BILINEAR)) for one in pictures]
    )


def _opencv(examples: Any, index: int) -> NDArray[np.uint8]:
    """The same by OpenCV with one thread."""
    import cv2

    cv2.setNumThreads(1)
    data, entry = examples.videos.data, examples.videos.entries[index]
    wanted = _wanted(examples, index)
    pictures = []
    if data.source == "frames":
        pictures = [cv2.imread(str(picture_folder(data, entry) / picture_name(number))) for number in wanted]
    else:
        video = cv2.VideoCapture(str(video_file(data, entry)), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
        for number in range(1, max(wanted) + 1):
            there, picture = video.read() if number in wanted else (video.grab(), None)
            assert there
            pictures += [] if picture is None else [picture]
        video.release()
    return np.stack([cv2.cvtColor(cv2.resize(one, (SIZE, SIZE)), cv2.COLOR_BGR2RGB) for one in pictures])


def _from_beginning(path: Path | None, wanted: set[int]) -> list[Image.Image]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_count = 1
        found = []
        for number, frame in enumerate(container.decode(stream), start=1):
            if number in wanted:
                found.append(frame.to_image())
            if number == max(wanted):
                break
        return found


if __name__ == "__main__":
    main()
