"""What a card says of a method whatever the run: `notes.toml` in the method's folder."""

import tomllib
from dataclasses import dataclass
from importlib import resources


@dataclass(frozen=True)
class Notes:
    """Where a method and its usual data come from."""

    title: str
    task: str
    paper: str
    source: str
    licence_of_source: str
    input_example: str
    """A path as it is asked about, relative to the folder of inputs."""
    takes: str
    limits: tuple[str, ...]
    data: dict[str, str]
    """Name of a data node -> licence of the published data in that layout."""


def notes_of(method: str) -> Notes:
    """The notes of a method."""
    text = resources.files(f"jack_ray.methods.{method}").joinpath("notes.toml").read_text(encoding="utf-8")
    values = tomllib.loads(text)
    return Notes(**values | {"limits": tuple(values["limits"])})
