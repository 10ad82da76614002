"""A rank: python -m benchmarks.communication.exchange METHOD REPEAT: adds gradients up in several ways, in turns."""

import json
import mmap
import os
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

import jack_ray.train  # noqa: F401  (before Jittor: it pins what Jittor's cache depends on)

BUCKET = 1 << 20
"""Numbers of a bucket, 4 MiB; the best of 1, 4 and 100 MiB here."""
PIECE = 1 << 18
"""Numbers that each rank shows the others at once through shared memory: 1 MiB stays in the cache."""

Way = Callable[[], Any]
View = np.ndarray


def shapes_of(method: str) -> dict[str, tuple[int, ...]]:
    """Parameter -> shape, of all that the method's own preset trains."""
    import jittor as jt

    from benchmarks.communication import trial_of
    from jack_ray.train.method import Parts, typed

    model = Parts(method, typed(trial_of(method))).model()
    jt.sync_all(True)
    return {name: tuple(var.shape) for group in model.groups() for name, var in group.parameters.items()}


class Exchange:
    """The same gradients, added up in every way; each gives sums in the order of `gradients`, or nothing."""

    def __init__(self, shapes: dict[str, tuple[int, ...]]) -> None:
        import jittor as jt

        from jack_ray.train.ranks import Ranks

        self.ranks = Ranks()
        self._jt = jt
        from mpi4py import MPI  # after Jittor, which starts it

        self.world, self._in_place = MPI.COMM_WORLD, MPI.IN_PLACE
        rng = np.random.default_rng(self.world.rank)
        drawn = {name: rng.standard_normal(shape, np.float32) for name, shape in shapes.items()}
        self.gradients = {name: jt.array(value) for name, value in drawn.items()}
        jt.sync(list(self.gradients.values()))
        self.size = sum(value.size for value in drawn.values())
        self._flat, self._summed = (np.zeros(self.size, np.float32) for _ in range(2))
        self._window = self._share() if len(set(self.world.allgather(socket.gethostname()))) == 1 else None

    def ways(self) -> dict[str, Way]:
        """By name; `ready` is the rival."""
        found: dict[str, Way] = {
            "ours": lambda: list(self.ranks.sum_gradients(self.gradients).values()),
            "tensors": self._tensors,
            "ready": lambda: self.world.Allreduce(self._flat, self._summed),
            "flat": lambda: self._buckets(self.size),
            "buckets": lambda: self._buckets(BUCKET),
        }
        return found | ({"shared": self._through_memory} if self._window is not None else {})

    def _results(self) -> tuple[list[Any], list[View], list[View]]:
        ordered = [self.gradients[name] for name in sorted(self.gradients)]
        sums = [self._jt.empty(one.shape) for one in ordered]
        self._jt.sync(sums)
        return sums, [one.data.reshape(-1) for one in ordered], [one.data.reshape(-1) for one in sums]

    def _tensors(self) -> list[Any]:
        """A message of Jittor's for each tensor."""
        sums = []
        for name in sorted(self.gradients):
            sums.append(self.gradients[name].mpi_all_reduce("add"))
            self._jt.sync(sums[-1:])
        return sums

    def _buckets(self, size: int) -> list[Any]:
        """Copied together into messages of a size."""
        sums, sources, targets = self._results()
        for pieces in _cut(sources, targets, size):
            filled = pieces[-1][0] + pieces[-1][1].size
            for place, source, _ in pieces:
                self._flat[place : place + source.size] = source
            self.world.Allreduce(self._flat[:filled], self._summed[:filled])
            for place, _, target in pieces:
                target[:] = self._summed[place : place + target.size]
        return sums

    def _through_memory(self) -> list[Any]:
        """Without messages: each rank shows its numbers and adds up what all show; two windows, used in turns."""
        sums, sources, targets = self._results()
        assert self._window is not None
        for number, pieces in enumerate(_cut(sources, targets, PIECE)):
            shown = self._window[number % 2]
            for place, source, _ in pieces:
                shown[self.world.rank, place : place + source.size] = source
            self.world.Barrier()
            for place, _, target in pieces:
                np.add(shown[0, place : place + target.size], shown[1, place : place + target.size], out=target)
                for other in range(2, self.world.size):
                    target += shown[other, place : place + target.size]
        return sums

    def _share(self) -> View:
        size = 2 * self.world.size * PIECE * 4
        handle, name = tempfile.mkstemp(dir="/dev/shm") if self.world.rank == 0 else (-1, "")
        if handle >= 0:
            os.posix_fallocate(handle, 0, size)
            os.close(handle)
        path = Path(self.world.bcast(name))
        with path.open("r+b") as opened:
            memory = mmap.mmap(opened.fileno(), size)
        self.world.Barrier()
        if self.world.rank == 0:
            path.unlink()
        return np.frombuffer(memory, np.float32).reshape(2, self.world.size, PIECE)


def _cut(sources: list[View], targets: list[View], size: int) -> Iterator[list[tuple[int, View, View]]]:
    """Lists of (place, source, target) of which each fills `size` numbers; the last one what is left."""
    pieces: list[tuple[int, View, View]] = []
    filled = 0
    for source, target in zip(sources, targets, strict=True):
        begin = 0
        while begin < source.size:
            end = min(source.size, begin + size - filled)
            pieces.append((filled, source[begin:end], target[begin:end]))
            filled += end - begin
            begin = end
            if filled == size:
                yield pieces
                pieces, filled = [], 0
    if pieces:
        yield pieces


def race(exchange: Exchange, repeat: int) -> dict[str, float]:
    """Way -> median seconds until its last rank was done; every way gives the same sums, which is checked first."""
    ways = exchange.ways()
    expected = None
    for name, way in ways.items():  # a first turn that does not count
        sums = way()
        if name != "ready":
            values = np.concatenate([one.numpy().reshape(-1) for one in sums])
            expected = values if expected is None else expected
            assert np.allclose(expected, values, rtol=1e-5, atol=1e-5), name
    took: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeat):
        for name, way in ways.items():
            exchange.world.Barrier()
            began = time.perf_counter()
            sums = way()
            mine = time.perf_counter() - began
            del sums
            took[name].append(max(exchange.world.allgather(mine)))
    return {name: median(times) for name, times in took.items()}


def main() -> None:
    """Measure; rank 0 prints."""
    method, repeat = sys.argv[1], int(sys.argv[2])
    exchange = Exchange(shapes_of(method))
    seconds = race(exchange, repeat)
    if exchange.world.rank == 0:
        about = {"ranks": exchange.world.size, "tensors": len(exchange.gradients), "bytes": 4 * exchange.size}
        print(json.dumps(about | {"seconds": seconds}), flush=True)
    exchange.ranks.gather(None)


if __name__ == "__main__":
    main()
