"""What a process that draws leaves for the MLflow writer: `sweeps/<sweep id>/overview/drawn.json`."""

from dataclasses import asdict, dataclass
from pathlib import Path

from jack_ray.contract.files import read_object, write_json


@dataclass(frozen=True)
class Drawn:
    """The files of one drawing."""

    files: tuple[str, ...]
    """Of the sweep, beside drawn.json."""
    trials: dict[str, int]
    """Trials whose learning curves were drawn -> the bytes of events that they show."""


def save_drawn(path: Path, drawn: Drawn) -> None:
    """Write it whole."""
    write_json(path, asdict(drawn))


def load_drawn(path: Path) -> Drawn | None:
    """The last drawing; None if there was none, or its file is damaged."""
    try:
        values = read_object(path)
        trials = {str(name): int(size) for name, size in values["trials"].items()}
        return Drawn(tuple(str(name) for name in values["files"]), trials)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
