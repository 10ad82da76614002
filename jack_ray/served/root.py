"""Which files a served model may be asked about: those below one folder."""

import os
from pathlib import Path

from jack_ray.contract.errors import DataError, Fault

ROOT = "JACK_RAY_INPUT_ROOT"
"""Environment variable that names the folder."""


def input_root() -> Path:
    """The folder that `JACK_RAY_INPUT_ROOT` names, else the one that the process was started in.

    It is no parameter of a request: whoever asks must not choose what may be read.
    """
    return Path(os.environ.get(ROOT) or Path.cwd()).expanduser().resolve()


def confined(text: str, root: Path) -> Path:
    """A path below `root`, links followed. Raises DataError for any other, whether or not there is such a file."""
    try:
        path = (root / text).resolve()
        is_below = path.is_relative_to(root)
    except (OSError, ValueError, RuntimeError):  # a zero byte, a name too long, links in a ring
        is_below = False
    if not is_below or not text:
        expected = f"a file below {root}"
        remedy = f"The one who serves the model can set {ROOT}=FOLDER."
        raise DataError([Fault(f"input {text!r}", "outside of the folder of inputs", expected, remedy)])
    return path
