"""What the writer leaves in the sweep's folder: where its run is, and what the driver should know."""

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
    return _by_store(read_object(path), "runs").get(uri)


def experiment(path: Path, uri: str) -> str | None:
    """The id of the experiment of the sweep's run in a store, if it was written down."""
    return _by_store(read_object(path), "experiments").get(uri)


def remember_parent_run(path: Path, uri: str, run_id: str, experiment_id: str) -> None:
    """Write both ids down before anything else is done with the run."""
    values = read_object(path)
    runs, experiments = _by_store(values, "runs"), _by_store(values, "experiments")
    write_json(path, values | {"runs": runs | {uri: run_id}, "experiments": experiments | {uri: experiment_id}})


def _by_store(values: Mapping[str, object], name: str) -> dict[str, str]:
    found = values.get(name)
    known = found.items() if isinstance(found, Mapping) else ()
    return {uri: of_it for uri, of_it in known if isinstance(of_it, str)}


def read_notice(path: Path) -> Notice | None:
    """The latest notice; None before the first."""
    try:
        return Notice(**read_object(path)["notice"])
    except (KeyError, TypeError):
        return None


def write_notice(path: Path, notice: Notice) -> None:
    """Replace the latest notice."""
    write_json(path, read_object(path) | {"notice": asdict(notice)})
