"""Looking at spoilt copies of a data set, for tests."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jack_ray.methods.roles import Inspection
from jack_ray.methods.tsl.files import inspect
from tests.methods.tsl.sample_config import data_config


def look(root: Path, **changes: Any) -> Inspection:
    """Inspect a folder."""
    return inspect(data_config(root, **changes))


def told(root: Path, **changes: Any) -> str:
    """Everything that is wrong, as one text."""
    found = look(root, **changes)
    assert bool(found.identity) == found.can_skip
    assert found.faults
    return "\n".join(str(fault) for fault in found.faults)


def change_json(path: Path, change: Callable[[Any], Any]) -> None:
    """Change the content of a JSON file in place."""
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def set_annotation(key: str, value: Any) -> Callable[[Any], None]:
    """A change of the first annotation that there is."""

    def change(content: Any) -> None:
        video = next(video for video in content["database"].values() if video["annotations"])
        video["annotations"][0][key] = value

    return change
