"""Samples read ahead by a thread, in order, while the step computes.

A thread and not worker processes: numpy reads without the interpreter's lock, and a worker of Jittor's own
Dataset that dies takes its rank along without an exception.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from jack_ray.methods.roles import DataRole, Sample


def read_ahead(data: DataRole, indices: Sequence[int], depth: int) -> Iterator[Sample]:
    """The samples of `indices` in that order, at most `depth` of them waiting; 0 reads without a thread.

    An error of a sample is raised when its turn comes.
    """
    if depth == 0:
        yield from (data[index] for index in indices)
        return
    pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="reading")
    waiting: deque[Future[Sample]] = deque()
    try:
        for index in indices:
            waiting.append(pool.submit(data.__getitem__, index))
            if len(waiting) >= depth:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
