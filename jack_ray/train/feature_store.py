"""Features on their way between machines that share no disk: `<site.storage>/features/ab/ab12...safetensors`.

Only training uses it; what answers does without pyarrow. Nothing there is deleted by a trial; whoever wants the room
deletes the folder, and features are computed again.
"""

import os
from collections.abc import Callable
from typing import TypeVar

from jack_ray.contract.environment import STORAGE

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
