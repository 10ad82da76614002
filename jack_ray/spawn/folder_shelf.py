"""A shelf of compiled operators in a folder or an object store that all machines reach: `<site.storage>/compiled`."""

from pathlib import PurePosixPath

import pyarrow
from pyarrow import fs

from jack_ray.spawn.storage import open_store


class FolderShelf:
    """`<uri>/compiled/<identity>/<archive>`. Raises OSError where the store does not answer."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._opened: tuple[fs.FileSystem, str] | None = None

    def _place(self, identity: str, name: str = "") -> tuple[fs.FileSystem, str]:
        try:
            self._opened = self._opened or open_store(self._uri)
        except pyarrow.ArrowException as error:
            raise OSError(f"{self._uri}: {error}") from error
        files, root = self._opened
        return files, f"{root.rstrip('/')}/compiled/{identity}/{name}".rstrip("/")

    def names(self, identity: str) -> list[str]:
        """The archives of that kind of machine."""
        files, folder = self._place(identity)
        found = files.get_file_info(fs.FileSelector(folder, allow_not_found=True))
        names = [PurePosixPath(info.path).name for info in found if info.is_file]
        return [name for name in names if not name.startswith(".")]

    def get(self, identity: str, name: str) -> bytes:
        """One archive."""
        files, path = self._place(identity, name)
        with files.open_input_stream(path, compression=None) as read:
            return bytes(read.read())

    def put(self, identity: str, name: str, content: bytes) -> None:
        """Add one, whole or not at all."""
        files, folder = self._place(identity)
        files.create_dir(folder, recursive=True)
        with files.open_output_stream(f"{folder}/.{name}", compression=None) as written:
            written.write(content)
        files.move(f"{folder}/.{name}", f"{folder}/{name}")
