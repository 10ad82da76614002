"""A look at the files of a data set in TSL-300's layout, before anything is started with them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from jack_ray.contract.errors import Fault
from jack_ray.contract.files import digest, file_sha256
from jack_ray.methods.roles import Inspection
from jack_ray.methods.tsl.annotations import Annotations, read
from jack_ray.methods.tsl.config import DataConfig
from jack_ray.methods.tsl.features import Header, features_path, look, num_snippets, sampled_digest, widths
from jack_ray.methods.tsl.points import points_path, used_annotators

MAX_SHOWN = 5
"""Faults of a kind, and names in a fault."""


@dataclass(frozen=True)
class Features:
    """What the headers of the feature files say, for the files that are sound."""

    headers: dict[tuple[str, str, str], Header]
    """(split, kind, name)"""
    snippets: dict[str, int]
    """name -> T"""


def inspect(data: DataConfig) -> Inspection:
    """Every fault of `data.root`; or, if there is none, the data's identity.

    Reads all annotations, of each feature file the header and two samples. The identity depends on content and
    names, not on where the folder lies or when it was written.
    """
    root = Path(data.root)
    if not root.is_dir():
        found = "not a folder" if root.exists() else "no such folder"
        remedy = (
            "For generated data that needs no download, type\n"
            f"        python -m jack_ray.data demo tsl {root}\n"
            "    For TSL-300 itself, see jack_ray/methods/tsl/README.md, then type data.root=FOLDER."
        )
        return Inspection("", (Fault(str(root), found, "the folder of TSL-300 (data.root)", remedy),))
    annotations, faults = read(data)
    features, of_videos = _look_at_features(root, annotations, data)
    faults += _points_outside(root, annotations, features, data)
    if faults or not features.snippets:
        return Inspection("", (*faults, *of_videos))
    identity = _identity(root, annotations, features, data)
    return Inspection(identity, tuple(of_videos), _summary(annotations, features), can_skip=bool(of_videos))


def _look_at_features(root: Path, annotations: Annotations, data: DataConfig) -> tuple[Features, list[Fault]]:
    features = Features({}, {})
    faults: list[Fault] = []
    for split, names in annotations.names.items():
        for kind, width in widths(data).items():
            headers, found = _look_at_kind(root, split, kind, names, width)
            features.headers.update({(split, kind, name): header for name, header in headers.items()})
            faults += found
        faults += _count_snippets(root, split, names, data, features)
    return features, faults


def _look_at_kind(
    root: Path, split: str, kind: str, names: Sequence[str], width: int
) -> tuple[dict[str, Header], list[Fault]]:
    headers: dict[str, Header] = {}
    faults: list[Fault] = []
    missing = []
    for name in names:
        path = features_path(root, split, kind, name)
        header = look(path, width) if path.exists() else None
        if header is None:
            missing.append(name)
        elif isinstance(header, Fault):
            faults.append(header)
        else:
            headers[name] = header
    if missing:
        faults.append(_missing(root, split, kind, missing, len(names)))
    return headers, faults


def _missing(root: Path, split: str, kind: str, missing: Sequence[str], total: int) -> Fault:
    shown = ", ".join(f"{name}.npy" for name in missing[:MAX_SHOWN])
    more = f" and {len(missing) - MAX_SHOWN} more" if len(missing) > MAX_SHOWN else ""
    remedy = ""
    if len(missing) == total:
        remedy = (
            "The features come from TSL-300's authors. For features generated to these annotations, type\n"
            f"        python -m jack_ray.data demo tsl NEW_FOLDER --annotations {root} --limit 20"
        )
    found = f"{len(missing)} of {total} feature files missing: {shown}{more}"
    return Fault(str(root / "features" / split / kind), found, f"one for each name in split_{split}.txt", remedy)


def _count_snippets(root: Path, split: str, names: Iterable[str], data: DataConfig, features: Features) -> list[Fault]:
    faults = []
    for name in names:
        rgb, mel = (features.headers.get((split, kind, name)) for kind in ("rgb", "logmfcc"))
        if rgb is None or mel is None:
            continue
        count = num_snippets(rgb.rows, mel.rows, data)
        features.snippets[name] = count
        if count < data.min_snippets:
            found = f"{count} snippets ({rgb.rows} rows here, {mel.rows} spectrogram frames in logmfcc)"
            expected = f"at least {data.min_snippets} (data.min_snippets)"
            faults.append(Fault(str(features_path(root, split, "rgb", name)), found, expected))
    return faults


def _points_outside(root: Path, annotations: Annotations, features: Features, data: DataConfig) -> list[Fault]:
    faults = []
    for annotator in used_annotators(data):
        path = points_path(root, annotator)
        for name in annotations.names.get("train", ()):
            if name not in features.snippets:
                continue
            end = features.snippets[name] * data.snippet_frames
            outside = [point for point in annotations.points.get(annotator, {}).get(name, ()) if point.frame >= end]
            for point in outside:
                found = f"point {point.frame} of {name}, whose features end with frame {end - 1}"
                faults.append(Fault(f"{path}: line {point.line}", found, "a frame that the features cover"))
    return faults


def _identity(root: Path, annotations: Annotations, features: Features, data: DataConfig) -> str:
    files = ["gt.json", "videosenti_gt.json", "fps_dict.json", "split_train.txt", "split_test.txt"]
    paths = [root / file for file in files] + [points_path(root, annotator) for annotator in annotations.points]
    contents = {str(path.relative_to(root)): file_sha256(path) for path in paths if path.exists()}
    samples = [
        [split, kind, name, header.size, sampled_digest(features_path(root, split, kind, name))]
        for (split, kind, name), header in sorted(features.headers.items())
    ]
    return digest([contents, samples])


def _summary(annotations: Annotations, features: Features) -> dict[str, int | str]:
    num_bytes = sum(header.size for header in features.headers.values())
    points = sum(len(found) for of_video in annotations.points.values() for found in of_video.values())
    segments = [annotations.truth[name].segments for name in annotations.names["test"]]
    return {
        "train videos": len(annotations.names["train"]),
        "test videos": len(annotations.names["test"]),
        "snippets": sum(features.snippets.values()),
        "points of all annotators": points,
        "test segments": sum(len(of_video) for of_video in segments),
        "features": f"{num_bytes / 1e6:.0f} MB",
    }
