"""How a trial stands, as one small file in its folder."""

import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from jack_ray.contract.files import write_json

Status = Literal["new", "running", "finished", "stopped", "killed", "failed"]
"""stopped: the search did not think it worth finishing. killed: Ctrl-C, or the driver died."""


@dataclass(frozen=True)
class State:
    """The last attempt of a trial."""

    status: Status = "new"
    attempt: int = 0
    message: str = ""
    step: int = 0
    values: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    """Wall time of all attempts together."""
    changed: float = 0.0


def load_state(path: Path) -> State:
    """The state on disk; a missing or unreadable file is a trial that never ran."""
    try:
        return State(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return State()


def save_state(path: Path, state: State) -> None:
    """Write the state whole."""
    write_json(path, asdict(state) | {"changed": time.time()})
