"""A method or a data set, a folder, and settings of the data node -> that node, held against the method's schema."""

import argparse
import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jack_ray.compose.load import groups, load
from jack_ray.compose.schema import methods
from jack_ray.contract.errors import ConfigError, Fault
from jack_ray.contract.settings import nearest, read


@dataclass(frozen=True)
class Subject:
    """A data set as a method reads it."""

    method: str
    data: Any


def add_subject(parser: argparse.ArgumentParser) -> None:
    """The words by which a data set is named."""
    names = ", ".join(sorted({*methods(), *groups()["data"]}))
    parser.add_argument("name", metavar="NAME", help=f"a method or a data set: {names}")
    parser.add_argument("root", type=Path, metavar="ROOT", help="its folder")
    parser.add_argument(
        "settings", nargs="*", metavar="data.KEY=VALUE", help="settings of the data set, as in a launch"
    )


def subject(name: str, root: Path, settings: Sequence[str]) -> Subject:
    """The data node of a method, or of a data set as the first method that can takes it. Raises ConfigError."""
    known = sorted({*methods(), *groups()["data"]})
    if name not in known:
        raise ConfigError([Fault(name, "no such method or data set", "one of both", nearest(name, known))])
    foreign = [word for word in settings if not word.startswith("data.")]
    if foreign:
        raise ConfigError([Fault(foreign[0], "no setting of the data set", "data.KEY=VALUE")])
    attempts: list[list[Fault]] = []
    is_data_set = name in groups()["data"]
    for method in methods() if is_data_set else [name]:
        found = _typed([f"model={method}", *([f"data={name}"] if is_data_set else [])], root, settings)
        if isinstance(found, Subject):
            return found
        attempts.append(found)
    raise ConfigError(min(attempts, key=len))  # the method that it was written for has the fewest


def _typed(words: Sequence[str], root: Path, settings: Sequence[str]) -> Subject | list[Fault]:
    plain = load(words)
    unknown = [word for word in settings if word.partition("=")[0].removeprefix("data.") not in plain["data"]]
    if unknown:
        key = unknown[0].partition("=")[0]
        known = [f"data.{one}" for one in plain["data"]]
        return [Fault(key, "no such setting", "a setting of data", nearest(key, known))]
    nodes = load([*words, *settings])
    method = nodes["model"]["name"]
    schema = importlib.import_module(f"jack_ray.methods.{method}.config").DataConfig
    data, faults = read(schema, nodes["data"] | {"root": str(root.expanduser().absolute())}, "data")
    return Subject(method, data) if data is not None else faults


def files_of(method: str) -> Any:
    """The method's files.py."""
    return importlib.import_module(f"jack_ray.methods.{method}.files")
