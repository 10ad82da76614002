"""The longest look at a class tree: everything is decoded."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from jack_ray.contract.errors import Fault
from jack_ray.methods.shared import video_file
from jack_ray.methods.shared.class_annotation import Entry, read_annotation
from jack_ray.methods.shared.class_tree import annotation_path, picture_folder, sound_file
from jack_ray.methods.shared.class_tree import video_file as path_of_video
from jack_ray.methods.shared.clips_config import DataConfig
from jack_ray.methods.shared.frames import picture_name, read_count, read_picture
from jack_ray.methods.shared.sound_file import read_sound, read_track
from jack_ray.methods.shared.tree_files import MAX_SHOWN, THREADS, fault_of


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
        fault = fault_of(lambda: read_sound(path))
        faults += [fault] if fault else []
    return faults


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
    faults = []
    for number in range(1, count + 1):
        fault = fault_of(partial(read_picture, folder / picture_name(number)))
        faults += [fault] if fault else []
    beyond = sorted(there - {picture_name(number) for number in range(1, count + 1)})
    if beyond:
        found = f"{count}, but there are others: {', '.join(beyond[:MAX_SHOWN])}"
        faults.append(Fault(str(folder / "n_frames"), found, "the number of pictures in this folder"))
    return faults
