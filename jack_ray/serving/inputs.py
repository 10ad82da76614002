"""What a client sent or named -> a question about files where the model's reader looks for them."""

import json
import math
import os
import stat
from collections.abc import Mapping
from pathlib import Path

from jack_ray.contract.errors import DataError
from jack_ray.served.root import confined
from jack_ray.serving.faults import RequestError
from jack_ray.serving.form import Received, checked_kind, shown
from jack_ray.serving.kinds import HEAD_BYTES, Accepts
from jack_ray.serving.question import Question

MAX_FPS = 1000.0
_RGB, _MEL, _RATES = "features/test/rgb/upload.npy", "features/test/logmfcc/upload.npy", "fps_dict.json"
"""TSL-300's layout, which features are read from."""


def of_upload(received: Received, folder: Path, timeline: bool) -> Question:
    """A question about uploaded files. Raises RequestError."""
    if "rgb" in received.files:
        return _of_features(received, folder, timeline)
    name = received.files["file"].name
    return Question(str(folder), name, (name,), received.names["file"], timeline)


def _of_features(received: Received, folder: Path, timeline: bool) -> Question:
    text = received.texts["fps"]
    try:
        fps = float(text)
    except ValueError:
        fps = math.nan
    if not 0 < fps <= MAX_FPS:
        raise RequestError(400, f"fps is {shown(text)!r}", f"frames a second, above 0 and at most {MAX_FPS:g}")
    for field, place in (("rgb", _RGB), ("mel", _MEL)):
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        received.files[field].rename(folder / place)
    (folder / _RATES).write_text(json.dumps({Path(_RGB).stem: fps}), encoding="utf-8")
    return Question(str(folder), _RGB, (_RGB, _MEL, _RATES), received.names["rgb"], timeline)


def of_path(
    body: Mapping[str, object], root: Path | None, accepts: Accepts, max_bytes: int, timeline: bool
) -> Question:
    """A question about a file below the folder of inputs. Raises RequestError; what lies outside is never told."""
    text = body.get("path")
    if not isinstance(text, str) or set(body) != {"path"}:
        raise RequestError(400, "no path, or more than that", '{"path": "clip.mp4"}')
    if root is None:
        remedy = "Whoever serves it can set inputs=FOLDER."
        raise RequestError(404, "no folder of inputs is set", "an upload", remedy)
    missing = RequestError(404, f"{shown(text)!r} is no file below the folder of inputs", "a path relative to it")
    try:
        path = confined(text, root)
        wanted = next(kinds for kinds in accepts.fields.values() if kinds)
        size, kind = _looked_at(path, wanted, missing)
    except (DataError, OSError, ValueError) as error:
        raise missing from error
    limit = accepts.most_bytes(kind, max_bytes)
    if size > limit:
        raise RequestError(413, f"{shown(text)!r} has {size / 1e6:.0f} MB", f"at most {limit / 1e6:g} MB")
    files = [path, *_companions(path, root)] if accepts.input == "features" else [path]
    folder = Path(os.path.commonpath([one.parent for one in files]))
    names = tuple(str(one.relative_to(folder)) for one in files)
    return Question(str(folder), names[0], names, shown(text), timeline)


def _looked_at(path: Path, wanted: tuple[str, ...], missing: RequestError) -> tuple[int, str]:
    """The size and the kind of a regular file of a kind that the model takes."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)  # a pipe would keep it waiting
    with os.fdopen(descriptor, "rb") as opened:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise missing
        kind = checked_kind(opened.read(HEAD_BYTES), wanted, shown(path.name))
    return found.st_size, kind


def _companions(path: Path, root: Path) -> list[Path]:
    """The sound's features and the frame rates of a file of TSL-300's layout, where they are, below the folder."""
    if path.parent.name != "rgb" or len(path.parents) < 4:
        return []
    places = [path.parent.parent / "logmfcc" / path.name, path.parents[3] / "fps_dict.json"]
    return [place for place in places if place.is_file() and place.resolve().is_relative_to(root)]
