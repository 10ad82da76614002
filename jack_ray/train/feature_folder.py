"""Features of a frozen backbone in files that all trials, sweeps and ranks of a machine share.

`<folder>/ab/ab12...safetensors` holds one variant of one video. The name is a digest of all that its content follows
from, so files are never changed: who lacks one computes it, writes it beside its name and renames it. Two that do so at
the same time write the same. A file that is damaged, or no such file at all, is as good as none.

Where machines share no disk, files travel through a store: what is not here is looked for there, and what is computed
is put there, too.
"""

import hashlib
import json
import os
import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import astuple, dataclass
from pathlib import Path
from threading import Lock
from typing import Protocol

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from jack_ray.contract.files import digest, replacing
from jack_ray.methods.shared.kept_features import Kept

KIND = "jack_ray features 1"
FEATURES = "features"
SUFFIX = ".safetensors"
DIGITS = 40
OURS = re.compile(f"[0-9a-f]{{{DIGITS}}}{SUFFIX}")
"""Nothing else in the folder is ever deleted."""
USED_S = 600.0
"""How far back the time of a file's last use may be; it is written no more often, which spares a network drive."""
LEFT_S = 3600.0
"""A file that is still being written after so long was left by a process that died."""
MAKES_ROOM = 0.9
"""The share of the bound that is left when room is made."""
LOOKS = 50
"""Room is made whenever so small a part of the bound may have been written since."""
BROKEN = (OSError, SafetensorError, ValueError, KeyError, TypeError, IndexError, OverflowError, MemoryError)


@dataclass(frozen=True)
class Counts:
    """What a rank's shelf did; travels between ranks."""

    found: int = 0
    made: int = 0
    damaged: int = 0
    failed: int = 0
    """Files that could not be written."""
    crowded: int = 0
    """Files that were deleted for want of room though they had been used since this shelf was put up."""
    brought: int = 0
    """Of those found, what came from the store."""

    def __add__(self, other: "Counts") -> "Counts":
        mine, theirs = astuple(self), astuple(other)
        return Counts(*(one + two for one, two in zip(mine, theirs, strict=True)))

    def told(self, folder: Path) -> str:
        """A line for people."""
        brought = f" ({self.brought} of them from site.storage)" if self.brought else ""
        text = f"features of the frozen backbone: {self.found} read{brought}, {self.made} computed, in {folder}"
        text += f"; {self.damaged} damaged ones were replaced" if self.damaged else ""
        text += f"; {self.failed} could not be written" if self.failed else ""
        more = f"; {self.crowded} that were in use had to be deleted: type a larger site.features_gb"
        return text + (more if self.crowded else "")


class Store(Protocol):
    """Where files of features travel between machines. Never raises for a store that does not answer."""

    problem: str
    """Why it is not used; empty while it is."""

    def get(self, name: str) -> bytes | None:
        """A file; None if it is not there."""
        ...

    def put(self, name: str, content: bytes) -> None:
        """Add one, if that is possible."""
        ...

    def make_room(self, limit: int) -> None:
        """Delete the oldest where there are more than `limit` bytes."""
        ...


class FeatureFolder:
    """A shelf of files. Threads of one process use it at once, and so do other processes.

    frozen: the identity of the backbone. writers: ranks that write here beside this one, itself included.
    makes_room: whether this rank deletes the files that were not used for longest when there are more than `limit`
    bytes of them. store: that of all machines; None where they share the folder, or there is one.
    """

    def __init__(
        self,
        folder: Path,
        limit: int,
        frozen: str,
        makes_room: bool = True,
        writers: int = 1,
        *,
        store: Store | None = None,
    ) -> None:
        self.folder = folder
        self.limit = limit
        self.counts = Counts()
        self._frozen = frozen
        self._makes_room = makes_room
        self._store = store
        self._look_after = limit // LOOKS // writers
        self._written = 0
        self._began = time.time()
        self._lock = Lock()

    @property
    def problem(self) -> str:
        """Why features do not travel between machines; empty where they do, or need not."""
        return self._store.problem if self._store is not None else ""

    def path(self, recipe: str) -> Path:
        """The file of a recipe."""
        name = digest([self._frozen, recipe], DIGITS)
        return self.folder / name[:2] / f"{name}{SUFFIX}"

    def find(self, recipe: str) -> Kept | None:
        """What the file of a recipe holds, here or in the store; None without one, or if it is damaged."""
        path = self.path(recipe)
        with suppress(FileNotFoundError):
            kept = self._read(path, path.read_bytes)
            with suppress(OSError):
                if kept is not None and time.time() - path.stat().st_mtime > USED_S:
                    os.utime(path)
            return kept
        return self._bring(path)

    def _read(self, path: Path, read: Callable[[], bytes]) -> Kept | None:
        try:
            kept = _unpacked(read(), path.stem)
        except FileNotFoundError:
            raise
        except BROKEN:
            self._count(Counts(damaged=1))
            return None
        self._count(Counts(found=1))
        return kept

    def _bring(self, path: Path) -> Kept | None:
        content = self._store.get(path.name) if self._store is not None else None
        if content is None:
            return None
        kept = self._read(path, lambda: content)
        if kept is not None:
            self._count(Counts(brought=1))
            self._write(path, content)
        return kept

    def keep(self, recipe: str, kept: Kept) -> None:
        """Write a recipe's file. What cannot be written is computed again the next time."""
        path = self.path(recipe)
        content = _packed(kept, path.stem)
        self._count(Counts(made=1))
        self._write(path, content)
        if self._store is not None:
            self._store.put(path.name, content)

    def _write(self, path: Path, content: bytes) -> None:
        try:
            with replacing(path) as temporary:
                temporary.write_bytes(content)
        except OSError:
            self._count(Counts(failed=1))
            return
        with self._lock:
            self._written += len(content)
            is_much = self._makes_room and self._written > self._look_after
        if is_much:
            self.make_room()

    def make_room(self) -> None:
        """Delete what was not used for longest, where there is more than the bound, and what writers left behind."""
        self._written = 0
        if not self._makes_room:
            return
        files = sorted(_files(self.folder))
        total = sum(size for _, size, _ in files)
        if total <= self.limit:
            return
        for used, size, path in files:
            if total <= MAKES_ROOM * self.limit:
                return
            with suppress(OSError):  # another one was quicker
                path.unlink()
                self._count(Counts(crowded=int(used >= self._began)))
            total -= size

    def make_room_in_store(self) -> None:
        """Hold the store to the same bound; one rank of all machines does so, if anything was computed."""
        if self._store is not None:
            self._store.make_room(self.limit)

    def _count(self, more: Counts) -> None:
        with self._lock:
            self.counts += more


def _files(folder: Path) -> list[tuple[float, int, Path]]:
    """(last used, bytes, path) of every file of features; those that a dead process left are deleted."""
    found = []
    now = time.time()
    for path in folder.glob("??/*"):
        with suppress(OSError):
            status = path.stat()
            if path.name.startswith(f".{path.parent.name}") and now - status.st_mtime > LEFT_S:
                path.unlink()
            elif OURS.fullmatch(path.name) and path.name.startswith(path.parent.name):
                found.append((status.st_mtime, status.st_size, path))
    return found


def _packed(kept: Kept, name: str) -> bytes:
    features = np.ascontiguousarray(kept.features, np.float32)
    about = {"kind": KIND, "name": name, "duration_s": repr(kept.duration_s), "sha256": _sum(features)}
    return bytes(save({FEATURES: features}, about))


def _unpacked(content: bytes, name: str) -> Kept:
    """What a file holds. Raises one of `BROKEN` if that is damaged or something else."""
    length = int.from_bytes(content[:8], "little")
    about = json.loads(content[8 : 8 + length])["__metadata__"]
    features = load(content)[FEATURES]
    whole = features.dtype == np.float32 and about["sha256"] == _sum(features)
    if about["kind"] != KIND or about["name"] != name or not whole:
        raise ValueError(f"{name} is damaged")
    return Kept(features, float(about["duration_s"]))


def _sum(features: np.ndarray) -> str:
    return hashlib.sha256(f"{features.shape}".encode() + features.tobytes()).hexdigest()
