"""Places that all machines reach where they share no disk (site.storage): mounted folders and object stores.

Schemes are pyarrow's (s3, gs, hdfs, file, plain paths); any other is looked up in fsspec, if that is installed.
"""

import time
from dataclasses import dataclass
from pathlib import PurePosixPath
from uuid import uuid4

import pyarrow
from pyarrow import fs


@dataclass(frozen=True)
class StoredFile:
    """What is told of a file without reading it."""

    part: str
    name: str
    size: int
    """bytes"""
    written: float
    """s since the epoch"""


class StoredFolder:
    """Files that are written once: `<uri>/<folder>/<part>/<name>`. Raises OSError where the store does not answer."""

    def __init__(self, uri: str, folder: str) -> None:
        self._uri = uri
        self._folder = folder
        self._opened: tuple[fs.FileSystem, str] | None = None

    def _place(self, part: str, name: str = "") -> tuple[fs.FileSystem, str]:
        try:
            self._opened = self._opened or open_store(self._uri)
        except pyarrow.ArrowException as error:
            raise OSError(f"{self._uri}: {error}") from error
        files, root = self._opened
        return files, f"{root.rstrip('/')}/{self._folder}/{part}/{name}".rstrip("/")

    def names(self, part: str) -> list[str]:
        """What is there, of one part."""
        files, folder = self._place(part)
        found = files.get_file_info(fs.FileSelector(folder, allow_not_found=True))
        names = [PurePosixPath(info.path).name for info in found if info.is_file]
        return [name for name in names if not name.startswith(".")]

    def everything(self) -> list["StoredFile"]:
        """All files of all parts, what writers are at or have left included."""
        files, folder = self._place("")
        found = files.get_file_info(fs.FileSelector(folder, allow_not_found=True, recursive=True))
        now_ns = time.time_ns()  # for stores that do not tell
        paths = [(info, PurePosixPath(info.path)) for info in found if info.is_file]
        return [
            StoredFile(path.parent.name, path.name, info.size or 0, (info.mtime_ns or now_ns) / 1e9)
            for info, path in paths
        ]

    def delete(self, part: str, name: str) -> None:
        """One file. Raises FileNotFoundError if it is not there."""
        files, path = self._place(part, name)
        files.delete_file(path)

    def get(self, part: str, name: str) -> bytes:
        """One file. Raises FileNotFoundError if it is not there."""
        files, path = self._place(part, name)
        with files.open_input_stream(path, compression=None) as read:
            return bytes(read.read())

    def put(self, part: str, name: str, content: bytes) -> None:
        """Add one, whole or not at all; two that add the same do not meet."""
        files, folder = self._place(part)
        files.create_dir(folder, recursive=True)
        beside = f"{folder}/.{uuid4().hex}"
        with files.open_output_stream(beside, compression=None) as written:
            written.write(content)
        files.move(beside, f"{folder}/{name}")


def open_store(uri: str) -> tuple[fs.FileSystem, str]:
    """The file system of an address, and the path in it. Raises pyarrow's errors for what is none."""
    try:
        found: tuple[fs.FileSystem, str] = fs.FileSystem.from_uri(uri)
        return found
    except pyarrow.ArrowInvalid as error:  # a scheme that pyarrow does not know
        scheme, separator, path = uri.partition("://")
        if not separator:
            raise
        try:
            import fsspec

            return fs.PyFileSystem(fs.FSSpecHandler(fsspec.filesystem(scheme))), path
        except (ImportError, ValueError) as unknown:
            raise pyarrow.ArrowInvalid(f"{error}; fsspec: {unknown}") from error
