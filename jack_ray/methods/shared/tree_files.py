"""A look at the files of a class tree before anything is started with them."""

from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image

from jack_ray.contract.errors import DataError, Fault
from jack_ray.contract.files import digest, file_sha256
from jack_ray.methods.roles import Inspection
from jack_ray.methods.shared import video_file
from jack_ray.methods.shared.class_annotation import ClassAnnotation, Entry, read_annotation
from jack_ray.methods.shared.class_tree import (
    COUNT_FILE,
    SOUND_SUFFIXES,
    annotation_path,
    divide,
    picture_folder,
    sound_file,
)
from jack_ray.methods.shared.class_tree import video_file as path_of_video
from jack_ray.methods.shared.clips_config import DataConfig
from jack_ray.methods.shared.file_digest import sampled_digest
from jack_ray.methods.shared.frames import UNREADABLE, count_again, picture_name, read_count, read_picture
from jack_ray.methods.shared.sound_file import REMEDY, WHOLE, share_of_bytes

MAX_SHOWN = 5
"""Names in a fault."""
SOUND_BEGINNINGS = {".mp3": (b"ID3", b"\xff"), ".flac": (b"fLaC", b"ID3"), ".wav": (b"RIFF", b"RF64")}
THREADS = 4


def inspect_tree(data: DataConfig, method: str) -> Inspection:
    """Every fault of `data.root`; and the data's identity, if not all of it is broken.

    Reads the annotation file whole; of each video the count, three pictures' headers and the beginning of its sound.
    The identity depends on content and names, not on where the folder lies or when it was written.
    """
    root = Path(data.root)
    if not root.is_dir():
        found = "not a folder" if root.exists() else "no such folder"
        return Inspection("", (Fault(str(root), found, "the folder of the data set (data.root)", _ways(root, method)),))
    annotation, faults = read_annotation(annotation_path(data), data.labels)
    looked = _looked_at(data, annotation)
    of_videos = [fault for found, _ in looked.values() for fault in found]
    nothing = _nothing_there(data, annotation, method)
    faults = nothing or faults or _empty_splits(data, annotation)
    if faults or all(found for found, _ in looked.values()):
        return Inspection("", tuple(nothing or [*faults, *of_videos]))
    samples = [[name, annotation.entries[name].label, found] for name, (_, found) in sorted(looked.items())]
    identity = digest([file_sha256(annotation.path), samples])
    return Inspection(identity, tuple(of_videos), summary(data, annotation), annotation.labels, bool(of_videos))


def _ways(root: Path, method: str) -> str:
    return (
        "For generated data that needs no download, type\n"
        f"        python -m jack_ray.data demo {method} {root}\n"
        "    For your own videos, in a folder for each class, type\n"
        f"        python -m jack_ray.data prepare FOLDER {root}"
    )


Looked = Mapping[str, tuple[list[Fault], list[str]]]
"""By video: what is wrong, and digests of what was seen."""


def _looked_at(data: DataConfig, annotation: ClassAnnotation) -> Looked:
    # threads: on a network drive each look waits for an answer
    with ThreadPoolExecutor(THREADS) as pool:
        entries = list(annotation.entries.values())
        found = pool.map(lambda entry: _look(data, entry), entries)
        return {entry.name: one for entry, one in zip(entries, found, strict=True)}


def _look(data: DataConfig, entry: Entry) -> tuple[list[Fault], list[str]]:
    faults, seen = _look_at_video(data, entry) if data.source == "video" else _look_at_pictures(data, entry)
    path = sound_file(data, entry)
    if path is not None:
        fault = _sound_header(path)
        return ([*faults, fault], seen) if fault else (faults, [*seen, path.suffix, sampled_digest(path)])
    if data.source == "frames" and data.missing_sound == "stop":
        where = Path(data.root) / data.sound / entry.label / f"{entry.name}{{{','.join(SOUND_SUFFIXES)}}}"
        remedy = _other_spelling(where) or "Type data.missing_sound=silence to take such videos as silent."
        faults.append(Fault(str(where), "no such file", "the sound of the video", remedy))
    return faults, seen


def _look_at_video(data: DataConfig, entry: Entry) -> tuple[list[Fault], list[str]]:
    path = path_of_video(data, entry)
    if path is None:
        where = Path(data.root) / data.videos / entry.label / f"{entry.name}.*"
        return [Fault(str(where), "no such file", "the video (data.source=video)")], []
    try:
        with video_file.opened(path):
            return [], [path.suffix, sampled_digest(path)]
    except DataError as error:
        return list(error.faults), []


def _look_at_pictures(data: DataConfig, entry: Entry) -> tuple[list[Fault], list[str]]:
    folder = picture_folder(data, entry)
    if not folder.is_dir():
        remedy = _other_spelling(folder) or f"Put it there, or take video {entry.name} out of {data.annotation}."
        return [Fault(str(folder), "no such folder", "the pictures of the video", remedy)], []
    count = read_count(folder)
    if isinstance(count, Fault):
        return [count], []
    if count < data.min_frames:
        expected = f"at least {data.min_frames} (data.min_frames)"
        remedy = f"Take video {entry.name} out of {data.annotation}."
        return [Fault(str(folder / COUNT_FILE), f"{count} pictures", expected, remedy)], []
    paths = [folder / picture_name(number) for number in sorted({1, count // 2, count})]
    missing = [path.name for path in paths if not path.is_file()]
    if missing:
        return [count_fault(folder, f"{count}, but there is no {', '.join(missing)}")], []
    if (folder / picture_name(count + 1)).exists():
        return [count_fault(folder, f"{count}, but there is a {picture_name(count + 1)}")], []
    faults = [fault for path in paths if (fault := _picture_header(path)) is not None]
    return faults, [] if faults else [str(count), *(sampled_digest(path) for path in paths)]


def count_fault(folder: Path, found: str) -> Fault:
    """An n_frames that is not the number of pictures."""
    return Fault(str(folder / COUNT_FILE), found, "the number of pictures in this folder", count_again(folder))


def _other_spelling(folder: Path) -> str:
    """A hint where the class' folder has other capitals."""
    above = folder.parent
    if above.is_dir() or not above.parent.is_dir():
        return ""
    alike = [other.name for other in above.parent.iterdir() if other.name.lower() == above.name.lower()]
    return f"There is a folder {alike[0]}: folders are named exactly as the labels are." if alike else ""


def _picture_header(path: Path) -> Fault | None:
    expected = "a picture"
    try:
        with Image.open(path) as picture:
            if min(picture.size) < 1:
                return Fault(str(path), "a picture of no size", expected)
        with path.open("rb") as opened:
            opened.seek(max(0, path.stat().st_size - 64))
            is_whole = b"\xff\xd9" in opened.read()  # the end mark of JPEG
    except UNREADABLE:
        found = "an empty file" if not path.stat().st_size else "not a picture that can be read"
        return Fault(str(path), found, expected, "Extract this video's pictures again.")
    return None if is_whole else fault_of(lambda: read_picture(path))


def fault_of(read: Callable[[], object]) -> Fault | None:
    """What keeps a file from being read, if anything does."""
    try:
        read()
    except DataError as error:
        return error.faults[0]
    return None


def _sound_header(path: Path) -> Fault | None:
    expected = f"sound as {path.suffix[1:]}"
    try:
        with path.open("rb") as opened:
            beginning = opened.read(4)
        share = share_of_bytes(path)
    except OSError as error:
        return Fault(str(path), f"unreadable ({error.strerror})", expected)
    if not beginning:
        return Fault(str(path), "an empty file", expected, REMEDY)
    if not beginning.startswith(SOUND_BEGINNINGS[path.suffix]):
        return Fault(str(path), f"begins with {beginning!r}", expected, REMEDY)
    if share < WHOLE:
        return Fault(str(path), f"cut short: {share:.0%} of it is there", "the whole sound", REMEDY)
    return None


def _nothing_there(data: DataConfig, annotation: ClassAnnotation, method: str) -> list[Fault]:
    """One fault instead of thousands where no video has its pictures: the folder is another one."""
    is_video = data.source == "video"
    entries = annotation.entries.values()
    if any(path_of_video(data, entry) if is_video else picture_folder(data, entry).exists() for entry in entries):
        return []
    key, below = ("data.videos", data.videos) if is_video else ("data.images", data.images)
    found = f"none of the {len(entries)} videos of {data.annotation}"
    expected = f"a folder <Class>/<id> for each (data.root, {key})"
    ways = _ways(Path("NEW_FOLDER"), method)
    return [Fault(str(Path(data.root) / below), found, expected, ways)] if entries else []


def _empty_splits(data: DataConfig, annotation: ClassAnnotation) -> list[Fault]:
    names = divide(annotation, data, 0)
    faults = []
    for split, subset in (("train", "training"), ("test", "validation")):
        if not names[split]:  # type: ignore[index]
            found = f"no video has the subset {subset}"
            remedy = "Type data.split=0 to draw the videos to test on."
            faults.append(Fault(str(annotation.path), found, f"at least one, for the {split} split", remedy))
    present = {annotation.entries[name].label for name in (*names["train"], *names["val"])}
    for label in annotation.labels:
        if not faults and label not in present:
            found = f"no video of the class {label} is trained on"
            faults.append(Fault(f"{annotation.path}: labels", found, "at least one of each class"))
    return faults


def summary(data: DataConfig, annotation: ClassAnnotation) -> dict[str, int | str]:
    """Counts for people."""
    names = divide(annotation, data, 0)
    pictures = "decoded from videos"
    if data.source == "frames":
        counts = [read_count(picture_folder(data, entry)) for entry in annotation.entries.values()]
        pictures = str(sum(count for count in counts if isinstance(count, int)))
    trained = Counter(annotation.entries[name].label for name in (*names["train"], *names["val"]))
    return {
        "train and val videos": trained.total(),
        "test videos": len(names["test"]),
        "classes": len(annotation.labels),
        "pictures": pictures,
        "train and val videos by class": ", ".join(f"{label} {trained[label]}" for label in annotation.labels),
    }
