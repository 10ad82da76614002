"""What the writer leaves in the sweep's folder: the parent run's id, and what the driver should know."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from jack_ray.contract.files import read_object, write_json


@dataclass(frozen=True)
class Notice:
    """How delivery stands; written whenever that changes."""

    pid: int
    is_reachable: bool
    undelivered: int
    """Events that MLflow has not got; counted when it stopped answering, and at the end."""
    message: str = ""


def parent_run(path: Path, uri: str) -> str | None:
    """The id of the sweep's run in a store, if it was written down."""
    runs = read_object(path).get("runs")
    run_id = runs.get(uri) if isinstance(runs, Mapping) else None
    return run_id if isinstance(run_id, str) else None


def remember_parent_run(path: Path, uri: str, run_id: str) -> None:
    """Write the id down before anything else is done with the run."""
    values = read_object(path)
    runs = values.get("runs")
    write_json(path, values | {"runs": (dict(runs) if isinstance(runs, Mapping) else {}) | {uri: run_id}})


def read_notice(path: Path) -> Notice | None:
    """The latest notice; None before the first."""
    try:
        return Notice(**read_object(path)["notice"])
    except (KeyError, TypeError):
        return None


def write_notice(path: Path, notice: Notice) -> None:
    """Replace the latest notice."""
    write_json(path, read_object(path) | {"notice": asdict(notice)})
