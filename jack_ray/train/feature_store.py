"""Features on their way between machines that share no disk: `<site.storage>/features/ab/ab12...safetensors`.

Only training uses it; what answers does without pyarrow.
"""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from jack_ray.contract.environment import STORAGE
from jack_ray.train.feature_folder import LEFT_S, MAKES_ROOM, OURS

if TYPE_CHECKING:
    from jack_ray.stores import StoredFile

FOLDER = "features"
Answer = TypeVar("Answer")


class FeatureStore:
    """The store of an address. Threads of one process use it at once.

    One that fails is asked no more: each question might take as long as computing.
    """

    def __init__(self, uri: str) -> None:
        from jack_ray.stores import StoredFolder  # loads pyarrow, which ranks without a store do without

        self.problem = ""
        self._uri = uri
        self._files = StoredFolder(uri, FOLDER)

    def get(self, name: str) -> bytes | None:
        """A file; None if it is not there, or the store fails."""
        return self._try(lambda: self._files.get(name[:2], name))

    def put(self, name: str, content: bytes) -> None:
        """Add one, if the store works."""
        self._try(lambda: self._files.put(name[:2], name, content))

    def make_room(self, limit: int) -> None:
        """Delete what was written first, where there are more than `limit` bytes, and what writers left behind.

        Stores do not tell when a file was last read. One that is missed is computed again.
        """
        self._try(lambda: self._make_room(limit))

    def _make_room(self, limit: int) -> None:
        found = self._files.everything()
        for file in found:
            if file.name.startswith(".") and time.time() - file.written > LEFT_S:
                self._delete(file)
        ours = sorted((file for file in found if OURS.fullmatch(file.name)), key=lambda file: file.written)
        total = sum(file.size for file in ours)
        if total <= limit:
            return
        for file in ours:
            if total <= MAKES_ROOM * limit:
                return
            self._delete(file)
            total -= file.size

    def _delete(self, file: "StoredFile") -> None:
        with suppress(FileNotFoundError):  # another trial was quicker
            self._files.delete(file.part, file.name)

    def _try(self, do: Callable[[], Answer]) -> Answer | None:
        if self.problem:
            return None
        try:
            return do()
        except FileNotFoundError:
            return None
        except OSError as error:
            self.problem = f"site.storage={self._uri} was not used for them: {error}"
            return None


def store_of_machines() -> FeatureStore | None:
    """That of this rank's trial; None where its machines share a disk."""
    uri = os.environ.get(STORAGE)
    return FeatureStore(uri) if uri else None
