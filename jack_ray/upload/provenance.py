"""Which code this is, for MLflow's source column."""

import getpass
import os
import subprocess
from contextlib import suppress
from importlib import metadata
from pathlib import Path

_GIT_TIMEOUT_S = 10


def source_tags() -> dict[str, str]:
    """The module, the user, and the commit of the code if it lies in a git checkout."""
    tags = {"mlflow.source.name": "jack_ray.launch", "mlflow.source.type": "LOCAL", "mlflow.user": _user()}
    for package in ("jack_ray", "ray", "optuna"):  # what a rank computes with, it tells itself
        with suppress(metadata.PackageNotFoundError):
            tags[f"jack_ray.version.{package}"] = metadata.version(package)
    code = Path(__file__).parents[2]
    commit = _git(code, "rev-parse", "HEAD")
    if commit and (code / "jack_ray").is_dir() and _git(code, "ls-files", "jack_ray"):
        changed = _git(code, "status", "--porcelain", "--", "jack_ray", "conf")
        tags["mlflow.source.git.commit"] = commit
        tags["jack_ray.git.dirty"] = "false" if changed == "" else "true"
    return tags


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without an entry in the password file
        return str(os.getuid())


def _git(folder: Path, *arguments: str) -> str | None:
    """What git prints; None where there is no git or no checkout."""
    try:
        finished = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=_GIT_TIMEOUT_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return finished.stdout.strip()
