"""The append-only file of a search: every point asked for, every number reported, every trial told."""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock

from jack_ray.contract.errors import JackRayError


class _LockedByItsDriver(JournalFileSymlinkLock):
    """The driver locks the whole sweep, and a lock file of Optuna's would outlive its kill -9 for 30 s."""

    def acquire(self) -> bool:
        return True

    def release(self) -> None:
        return None


class _WholeOrNot(JournalFileBackend):
    """Optuna's file, without the half line that a full disk would leave before the next entry."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), lock_obj=_LockedByItsDriver(str(path)))
        self._path = path

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        size = self._path.stat().st_size if self._path.exists() else 0
        try:
            super().append_logs(logs)
        except OSError:
            with suppress(OSError):
                os.truncate(self._path, size)
            raise


def open_journal(path: Path) -> JournalStorage:
    """Optuna's storage over the file, which may end in half a line; the caller holds the sweep's lock.

    Raises JackRayError naming the line if the file is damaged before its end.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _cut_torn_end(path)
    return JournalStorage(_WholeOrNot(path))


def _cut_torn_end(path: Path) -> None:
    """Drop the last line if a kill or a full disk cut it: what it would have said never happened."""
    if not path.exists():
        return
    lines = path.read_bytes().splitlines(keepends=True)
    whole = 0
    for number, line in enumerate(lines, start=1):
        if not _is_entry(line):
            if number < len(lines):
                raise JackRayError(
                    f"{path}, line {number} is not an entry of a search's journal, and entries follow it. "
                    f"Remove {path.parent} to begin the sweep anew; finished trials are kept and not trained again."
                )
            break
        whole += len(line)
    if whole < path.stat().st_size:
        with path.open("r+b") as opened:
            opened.truncate(whole)


def _is_entry(line: bytes) -> bool:
    try:
        return line.endswith(b"\n") and isinstance(json.loads(line), dict)
    except ValueError:
        return False
