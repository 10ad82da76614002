"""How much of a trial each MLflow run has got; lies in the trial's folder, one entry a store and sweep."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from jack_ray.contract.files import write_json


@dataclass
class Record:
    """One run of a trial. The offsets count bytes, and move only after MLflow has taken what is before them."""

    uri: str
    sweep: str
    run_id: str = ""
    attempt: int = 0
    """The attempt that was described (params, tags, config) last."""
    events: int = 0
    """Offset in the events: their metrics and tags."""
    files: int = 0
    """Offset in the events: the files they name."""
    system: int = 0
    system_lines: int = 0
    """Lines before `system`; a line's number is its step."""
    status: str = ""
    """How the run was ended; empty while it is open."""
    curves: int = 0
    """Bytes of the events that the learning curves show which were uploaded."""
    checkpoints: dict[str, str] = field(default_factory=dict)
    """best, last -> the checkpoint that was uploaded under this name."""


def load_record(path: Path, uri: str, sweep: str) -> Record:
    """The record of one store and sweep; an empty one if there is none or the file is damaged."""
    for record in _load(path):
        if (record.uri, record.sweep) == (uri, sweep):
            return record
    return Record(uri, sweep)


def save_record(path: Path, record: Record) -> None:
    """Write the record, beside those of other stores and sweeps."""
    others = [other for other in _load(path) if (other.uri, other.sweep) != (record.uri, record.sweep)]
    write_json(path, [asdict(entry) for entry in [*others, record]])


def _load(path: Path) -> list[Record]:
    try:
        return [Record(**values) for values in json.loads(path.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError):
        return []
