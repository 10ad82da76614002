"""The longest look at a class tree: everything is decoded."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from jack_ray.contract.errors import DataError, Fault
from jack_ray.methods.shared import video_file
from jack_ray.methods.shared.class_annotation import Entry, read_annotation
from jack_ray.methods.shared.class_tree import annotation_path, picture_folder, sound_file
from jack_ray.methods.shared.class_tree import video_file as path_of_video
from jack_ray.methods.shared.clips_config import DataConfig
from jack_ray.methods.shared.frames import picture_name, read_count, read_picture
from jack_ray.methods.shared.sound_file import read_sound, read_track
from jack_ray.methods.shared.tree_files import MAX_SHOWN, THREADS, count_fault, fault_of

LEAST_S = 0.025
"""Of sound: one window of filter banks."""
MOST_PICTURES = 1_000_000
"""More are not looked for, whatever n_frames says."""


def decode_tree(data: DataConfig) -> Iterator[tuple[str, list[Fault]]]:
    """Decode everything: by video, in the annotation's order, its name and every fault of its files."""
    annotation, _ = read_annotation(annotation_path(data), data.labels)
    entries = list(annotation.entries.values())
    with ThreadPoolExecutor(THREADS) as pool:
        for entry, faults in zip(entries, pool.map(lambda one: _decode(data, one), entries), strict=True):
            yield entry.name, faults


def _decode(data: DataConfig, entry: Entry) -> list[Fault]:
    faults = _decode_video(data, entry) if data.source == "video" else _decode_pictures(data, entry)
    path = sound_file(data, entry)
    if path is not None:
        fault = fault_of(lambda: _decode_sound(path))
        faults += [fault] if fault else []
    return faults


def _decode_sound(path: Path) -> None:
    seconds = read_sound(path).seconds
    if seconds < LEAST_S:
        raise DataError([Fault(str(path), f"{seconds * 1000:.0f} ms of sound", f"{LEAST_S * 1000:.0f} ms or more")])


def _decode_video(data: DataConfig, entry: Entry) -> list[Fault]:
    path = path_of_video(data, entry)
    if path is None:
        return []
    fault = fault_of(lambda: sum(1 for _ in video_file.pictures(path, data.image_height)))
    fault = fault or fault_of(lambda: read_track(path))
    return [fault] if fault else []


def _decode_pictures(data: DataConfig, entry: Entry) -> list[Fault]:
    folder = picture_folder(data, entry)
    count = read_count(folder)
    if isinstance(count, Fault):
        return []
    there = {path.name for path in folder.glob("*.jpg")}
    counted = [picture_name(number) for number in range(1, min(count, MOST_PICTURES) + 1)]
    faults = []
    for name in counted:
        fault = fault_of(partial(read_picture, folder / name)) if name in there else None
        faults += [fault] if fault else []
    missing = [name for name in counted if name not in there]
    beyond = sorted(there - set(counted))
    if missing or beyond:
        words = f"there is no {_few(missing)}" if missing else f"there are others: {_few(beyond)}"
        faults.append(count_fault(folder, f"{count}, but {words}"))
    return faults


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - MAX_SHOWN} more" if len(names) > MAX_SHOWN else ""
    return ", ".join(names[:MAX_SHOWN]) + more
