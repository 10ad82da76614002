"""A look at the files of gaits, before anything is started with them."""

from pathlib import Path
from typing import Any

from jack_ray.contract.errors import Fault
from jack_ray.contract.files import digest, file_sha256
from jack_ray.methods.gait.config import DataConfig
from jack_ray.methods.gait.labels import SUFFIXES
from jack_ray.methods.gait.sources import OWN_SPLITS, Source, open_source
from jack_ray.methods.roles import Inspection


def inspect(data: DataConfig) -> Inspection:
    """Every fault of `data.root`; or, if there is none, the data's identity, which does not change when it moves.

    Looks at headers and labels; the numbers themselves are checked when a gait is read.
    """
    root = Path(data.root)
    if not root.is_dir():
        found = "not a folder" if root.exists() else "no such folder"
        return Inspection("", (Fault(str(root), found, "the folder of the gaits (data.root)", _ways(root)),))
    strange = _nothing_there(data)
    if strange:
        return Inspection("", (strange,))
    source, faults = open_source(data)
    if source is None:
        return Inspection("", tuple(faults))
    empty = [Fault(str(root), "no gait", "at least one gait")] if not source.names else _too_few(data, source)
    if empty:
        return Inspection("", tuple(empty))
    identity = digest([[path.name, file_sha256(path)] for path in source.files])
    return Inspection(identity, (), _summary(data, source))


def _ways(root: Path | str) -> str:
    return (
        "For generated gaits that need no download, type\n"
        f"        python -m jack_ray.data demo gait {root}\n"
        "    For Emotion-Gait, E-Gait or your own motion capture, see jack_ray/methods/gait/README.md."
    )


def _nothing_there(data: DataConfig) -> Fault | None:
    """One fault for a folder that holds none of the files, instead of one for each: it is another folder."""
    root = Path(data.root)
    if data.layout == "h5":
        names = [data.features_file, data.labels_file]
    else:
        names = [f"{split}_{kind}" for split in OWN_SPLITS for kind in ("joint.npy", "movement.npy", "affective.npy")]
        names += [f"{split}_label{suffix}" for split in OWN_SPLITS for suffix in SUFFIXES]
    if any((root / name).exists() for name in names):
        return None
    is_other = (root / "features.h5").is_file()
    remedy = "There is features.h5. Type data=egait for E-Gait's files." if is_other else _ways("NEW_FOLDER")
    return Fault(
        str(root), f"none of the files of gaits ({names[0]}, ..)", "the folder of the gaits (data.root)", remedy
    )


def _too_few(data: DataConfig, source: Source) -> list[Fault]:
    if data.folds > len(source.names):
        return [Fault("data.folds", str(data.folds), f"at most the number of gaits, {len(source.names)}")]
    if data.folds:
        return []
    return [
        Fault(
            str(Path(data.root)),
            f"no {split} gait",
            f"at least one {split} gait",
            "Type data.folds=5 for cross-validation.",
        )
        for split in OWN_SPLITS
        if split not in source.own_split
    ]


def _summary(data: DataConfig, source: Source) -> dict[str, Any]:
    counts: dict[str, Any] = {"gaits": len(source.names)}
    if not data.folds:
        counts |= {f"{split} gaits": source.own_split.count(split) for split in OWN_SPLITS}
    for label, number in zip(data.labels, source.targets.sum(0), strict=True):
        counts[label] = int(number)
    return counts
