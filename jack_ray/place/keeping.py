"""Keeps a trial's checkpoints in the storage, beside the training: brings them at the start, stores each new one."""

import threading
import time
from contextlib import suppress
from types import TracebackType

from jack_ray.contract.errors import JackRayError, PlaceError
from jack_ray.contract.paths import TrialFolder
from jack_ray.place.news import Order
from jack_ray.spawn.storage import Storage

LOOK_S = 2.0
GIVE_UP_S = 120.0
"""At the end of a trial: how long a store that refuses is asked again."""
AGAIN_S = 5.0


class Keeping:
    """While this is open, whole checkpoints find their way into the storage; nothing happens where there is none.

    A store that fails while ranks train is asked again with the next checkpoint. At the end it must work, or
    JackRayError is raised: another machine could not go on from here.
    """

    def __init__(self, order: Order, folder: TrialFolder) -> None:
        self.needed = order.storage is not None
        self.folder = folder
        self._uri = str(order.storage)
        self._origin = order.trial.origin["trial"] if order.trial.origin is not None else None
        self._storage = Storage(self._uri, order.trial_id) if self.needed else None
        self._looked = time.monotonic()
        self._pushing: threading.Thread | None = None

    def __enter__(self) -> "Keeping":
        if self._storage is not None:
            self._storage.pull(self.folder)
            if self._origin is not None:
                Storage(self._uri, self._origin).pull(TrialFolder(self.folder.path.parent / self._origin))
        return self

    def look(self) -> None:
        """Store what is new, without waiting."""
        is_busy = self._pushing is not None and self._pushing.is_alive()
        if self._storage is None or is_busy or time.monotonic() - self._looked < LOOK_S:
            return
        self._looked = time.monotonic()
        self._pushing = threading.Thread(target=self._push, name="storage", daemon=True)
        self._pushing.start()

    def _push(self) -> str:
        assert self._storage is not None
        try:
            self._storage.push(self.folder)
        except JackRayError as error:
            return str(error)
        return ""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pushing is not None:
            self._pushing.join()
        if self._storage is None:
            return
        until = time.monotonic() + GIVE_UP_S
        while problem := self._push():
            if time.monotonic() > until:
                raise JackRayError(problem)
            time.sleep(AGAIN_S)


def pull_beside(order: Order) -> threading.Thread:
    """Bring an ended trial's stored checkpoints here in a thread; what fails leaves them in the storage."""

    def pull() -> None:
        with suppress(PlaceError):
            Storage(str(order.storage), order.trial_id).pull(TrialFolder(order.folder))

    thread = threading.Thread(target=pull, name="storage", daemon=True)
    thread.start()
    return thread
