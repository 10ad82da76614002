"""Samples read ahead by threads, in order, while the step computes.

Threads and not worker processes: numpy, Pillow and PyAV work without the interpreter's lock, nothing is copied
between processes, and a worker of Jittor's own Dataset that dies takes its rank along without an exception. A reader
that crashes the process ends the rank, which the guard tells like any other death.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from threading import Lock
from typing import Any, Literal

from jack_ray.contract.errors import DataError, Fault
from jack_ray.methods.roles import DataRole, Sample

Read = Callable[[], Sample | None]
"""Reads one sample; None when it is left out."""


class Reader:
    """The reading threads of a rank; close it to end them.

    threads: how many read at the same time. depth: samples that wait at most, which bounds the memory; 0 reads
    without a thread, when the sample is needed.
    """

    def __init__(self, threads: int, depth: int) -> None:
        self.depth = depth
        self._samples = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="reading")
        # Work in the middle of a step must not queue behind samples of later steps.
        self._errands = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="reading")

    def ahead(self, reads: Iterable[Read]) -> Iterator[Sample | None]:
        """What `reads` give, in that order. An error of a sample is raised when its turn comes."""
        if self.depth == 0:
            yield from (read() for read in reads)
            return
        waiting: deque[Future[Sample | None]] = deque()
        try:
            for read in reads:
                waiting.append(self._samples.submit(read))
                if len(waiting) >= self.depth:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()

    def begin(self, function: Callable[[Any], Any], items: Sequence[Any]) -> Callable[[], list[Any]]:
        """Begin `function` of every item, several at a time; what is given waits for all, in order.

        Waiting raises what the first failing one raised.
        """
        begun = [self._errands.submit(function, item) for item in items]
        return lambda: [future.result() for future in begun]

    def close(self) -> None:
        """End the threads; what is being read is still read."""
        for pool in (self._samples, self._errands):
            pool.shutdown(cancel_futures=True)

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Samples:
    """The samples of a split, with what is done about one that cannot be read.

    on_unreadable: `stop` raises its DataError. `skip` notes it: training then takes the next one that can be read, so
    that batches keep their size, and evaluation leaves it out.
    """

    def __init__(self, data: DataRole, on_unreadable: Literal["stop", "skip"]) -> None:
        self.data = data
        self.on_unreadable = on_unreadable
        self._faults: list[str] = []
        self._lock = Lock()

    def evaluated(self, index: int) -> Read:
        """Reads a sample as it is evaluated."""
        return partial(self._noted, self.data.__getitem__, index)

    def drawn(self, index: int, seed: int) -> Read:
        """Reads a sample as it is trained on."""
        return partial(self._first_readable, index, seed)

    def take_faults(self) -> list[str]:
        """What could not be read since this was last asked."""
        with self._lock:
            faults, self._faults = self._faults, []
        return faults

    def _noted(self, read: Callable[[int], Sample], index: int) -> Sample | None:
        try:
            return read(index)
        except DataError as error:
            if self.on_unreadable == "stop":
                raise
            with self._lock:
                self._faults += [str(fault) for fault in error.faults]
            return None

    def _first_readable(self, index: int, seed: int) -> Sample:
        for offset in range(len(self.data)):
            sample = self._noted(lambda chosen: self.data.draw(chosen, seed), (index + offset) % len(self.data))
            if sample is not None:
                return sample
        faults = self.take_faults()
        found = f"none of its {len(self.data)} samples can be read, the first: {faults[0] if faults else index}"
        raise DataError([Fault("the training split", found, "at least one that can be")])
