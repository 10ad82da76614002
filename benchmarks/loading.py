"""How fast samples of full size are read, beside plain decoding of their pictures (pip install -e '.[bench]').

`python -m benchmarks loading` generates a few videos; loader_throughput is samples a second of one reading thread, once
sound is remembered, beside two kinds of rivals:

- opencv, pyav: the least that anyone must do. They decode and scale: no crop, no change, no JPEG, no sound, and bytes
  in the order of the file.
- opencv_batch: what a training step gets, in the plain way. OpenCV decodes, passes pictures of videos through JPEG,
  cuts
    out the drawn square, scales, flips, turns or darkens it, and puts floats in the order that the networks take; no
  sound.
    Ours beside it is a sample that went through `collate`. Its pixels are not the published ones: OpenCV scales by
  looking at
  four pixels, whatever lies between them.

`video` are the generated videos, of which each picture is needed; `long` is one of 900 pictures, of which 192 or 256
are.
JPEG is as set (`data.jpeg_quality`); `video_plain` is without it, ours as well.

ROOT is a class tree with pictures of 240 lines (`python -m jack_ray.data demo vaanet ROOT --height 240`, or what
`prepare` wrote). Videos for data.source=video are encoded from its pictures into a folder that is removed afterwards.

There the rival decodes the same pictures with Pillow, or each video from its beginning to its last wanted picture with
PyAV, and scales them to 112 x 112.
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
from jack_ray.methods.shared.array_cache import cache_of
from jack_ray.methods.shared.class_tree import annotation_of, picture_folder, video_file
from jack_ray.methods.shared.clips import Numbers, picture_numbers, sample_clips
from jack_ray.methods.shared.clips_config import DataConfig
from jack_ray.methods.shared.frames import picture_name, read_count
from jack_ray.methods.shared.picture_transform import TrainingTransform, draw_transform

METHODS = ("vaanet", "cten")
THREADS = (1, 2)
SIZE = 112
FPS = 30
VIDEOS = 8
"""Read in each turn of `measure`."""
GENERATED = ("--classes", "2", "--train", "4", "--test", "1", "--height", "240")
LONG = ("--classes", "2", "--train", "2", "--test", "1", "--height", "240", "--frames", "900", "900")


def measure(options: Options) -> Iterator[Figure]:
    """Frames beside OpenCV; videos beside PyAV and OpenCV."""
    if importlib.util.find_spec("cv2") is None:
        raise SystemExit("error: OpenCV, the rival, is missing; type: pip install -c constraints.txt -e '.[bench]'")
    with tempfile.TemporaryDirectory() as folder:
        root, long = _generated(Path(folder) / "tree", GENERATED), _generated(Path(folder) / "long", LONG)
        for method in options.choose(METHODS):
            yield from _figures(method, "frames", _data(method, root, "frames", root), options.repeat)
            data = _data(method, root, "video", Path(folder) / "videos")
            yield from _figures(method, "video", data, options.repeat)
            yield from _figures(method, "video_plain", replace(data, jpeg_quality=None), options.repeat)
            data = _data(method, long, "video", Path(folder) / "long_videos")
            yield from _figures(method, "long", data, options.repeat)


def _generated(root: Path, words: Sequence[str]) -> Path:
    with contextlib.redirect_stdout(io.StringIO()):
        if data_command(["demo", "vaanet", str(root), *words]) != 0:
            raise SystemExit("error: no demo data")
    return root


def _figures(method: str, name: str, data: DataConfig, repeat: int) -> Iterator[Figure]:
    """Ours and the rivals in turns."""
    examples = _examples(method, data)
    rivals = {"opencv": _opencv} | ({} if data.source == "frames" else {"pyav": _plain})
    sides: dict[str, Callable[[int], object]] = {
        "ours": lambda index: examples.draw(index, index),
        "ours_batch": lambda index: examples.collate([examples.draw(index, index)]),
        "opencv_batch": partial(_opencv_batch, examples),
    }
    sides |= {rival: partial(take, examples) for rival, take in rivals.items()}
    rates: dict[str, list[float]] = {side: [] for side in sides}
    for turn in range(repeat + 1):
        for side, take in sides.items():
            speed = _measure(take, min(VIDEOS, len(examples)), 1, 1)
            if turn:  # sound is read in the first one
                rates[side].append(speed.samples_per_s)
    for rival in (*rivals, "opencv_batch"):
        ours = "ours_batch" if rival == "opencv_batch" else "ours"
        bench = f"loading.{method}.{name}.{rival}"
        yield ratio(bench, "loader_throughput", median(rates[ours]), median(rates[rival]), "samples/s")


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
    found: list[int] = np.unique(_drawn(examples, index, np.random.default_rng(index))).tolist()
    return found


def _drawn(examples: Any, index: int, generator: np.random.Generator) -> Numbers:
    """(S, D) picture numbers."""
    videos = examples.videos
    count = read_count(picture_folder(videos.data, videos.entries[index]))
    assert isinstance(count, int)
    numbers = picture_numbers(count, videos.data.frame_step)
    return sample_clips(numbers, videos.model.segments, videos.model.clip_frames, generator)


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

    pictures = _read_by_opencv(examples, index).values()
    return np.stack([cv2.cvtColor(cv2.resize(one, (SIZE, SIZE)), cv2.COLOR_BGR2RGB) for one in pictures])


def _read_by_opencv(examples: Any, index: int) -> dict[int, Any]:
    """The wanted pictures by their numbers, BGR."""
    import cv2

    cv2.setNumThreads(1)
    data, entry = examples.videos.data, examples.videos.entries[index]
    wanted = _wanted(examples, index)
    if data.source == "frames":
        return {number: cv2.imread(str(picture_folder(data, entry) / picture_name(number))) for number in wanted}
    video = cv2.VideoCapture(str(video_file(data, entry)), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    pictures = {}
    for number in range(1, max(wanted) + 1):
        there, picture = video.read() if number in wanted else (video.grab(), None)
        assert there
        if picture is not None:
            pictures[number] = picture
    video.release()
    return pictures


def _opencv_batch(examples: Any, index: int) -> NDArray[np.float32]:
    """(S, 3, D, H, W), 0..255: the drawn clips and changes, by OpenCV with one thread."""
    import cv2

    data, generator = examples.videos.data, np.random.default_rng(index)
    numbers = _drawn(examples, index, generator)
    change = draw_transform(SIZE, generator)
    clips = np.empty((numbers.shape[0], 3, numbers.shape[1], SIZE, SIZE), np.float32)
    for number, picture in _read_by_opencv(examples, index).items():
        if data.source == "video" and data.jpeg_quality is not None:
            written = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, data.jpeg_quality])[1]
            picture = cv2.imdecode(written, cv2.IMREAD_COLOR)
        square = _changed_by_opencv(picture, change)
        clips.transpose(0, 2, 1, 3, 4)[numbers == number] = square.transpose(2, 0, 1)
    return clips


def _changed_by_opencv(picture: Any, change: TrainingTransform) -> Any:
    """RGB, as small and changed as the transform makes it."""
    import cv2

    height, width, _ = picture.shape
    left, top, right, bottom = change.part(width, height)
    square = cv2.cvtColor(cv2.resize(picture[top:bottom, left:right], (SIZE, SIZE)), cv2.COLOR_BGR2RGB)
    match change.change:
        case "flip":
            return cv2.flip(square, 1)
        case "rotate":
            turn = cv2.getRotationMatrix2D((SIZE / 2, SIZE / 2), change.degrees, 1.0)
            return cv2.warpAffine(square, turn, (SIZE, SIZE))
        case "darken":
            return cv2.convertScaleAbs(square, alpha=change.brightness)
    return square


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
