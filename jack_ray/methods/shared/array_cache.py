"""What was read before, in bounded memory: a video's sound and features are the same in every step."""

from collections import OrderedDict
from collections.abc import Callable
from functools import cache
from threading import Lock

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]


class ArrayCache:
    """Arrays by name, the latest used ones up to a number of bytes. Several threads use it at once."""

    def __init__(self, megabytes: int) -> None:
        self.limit = megabytes * 1_000_000
        self.num_bytes = 0
        self._arrays: OrderedDict[str, FloatArray] = OrderedDict()
        self._lock = Lock()

    def get(self, name: str, make: Callable[[], FloatArray]) -> FloatArray:
        """The array of a name, made if it is not there; must not be changed. Raises what `make` raises."""
        with self._lock:
            if name in self._arrays:
                self._arrays.move_to_end(name)
                return self._arrays[name]
        made = make()  # outside of the lock: two threads may make the same one, and none waits for another's
        made.setflags(write=False)
        with self._lock:
            if made.nbytes <= self.limit and name not in self._arrays:
                self._arrays[name] = made
                self.num_bytes += made.nbytes
            while self.num_bytes > self.limit:
                self.num_bytes -= self._arrays.popitem(last=False)[1].nbytes
        return made


@cache
def cache_of(kind: str, megabytes: int) -> ArrayCache:
    """The cache of this process for a kind of arrays; it outlives a split, which each evaluation reads anew."""
    return ArrayCache(megabytes)
