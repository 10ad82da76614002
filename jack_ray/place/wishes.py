"""What commands ask of a running sweep, read from its folder whenever the file changes."""

from pathlib import Path

from jack_ray.contract.control import Control, load_control
from jack_ray.contract.files import write_json


class Wishes:
    """The wishes on disk. A new driver begins without those that an earlier one was told."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._stamp = 0
        self._known = Control()
        if path is not None and path.exists():
            write_json(path, {})

    def now(self) -> Control:
        """The wishes that hold at this moment."""
        if self._path is None:
            return self._known
        try:
            stamp = self._path.stat().st_mtime_ns
        except OSError:
            return self._known
        if stamp != self._stamp:
            self._stamp = stamp
            self._known = load_control(self._path)
        return self._known
