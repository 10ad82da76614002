"""The ranks of a trial, and all that passes between them. The only file that speaks MPI.

Every function is called on all ranks, in the same order.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

import jittor as jt
import numpy as np

from jack_ray.methods.shared.computing import compute

PIECE = 1 << 20
"""Numbers of a message of MPI's, 4 MiB."""

_HEAR = 7
"""Tag of the messages that are waited for without haste."""


class Ranks:
    """This rank among the others. Without mpirun there is one rank, and nothing is sent."""

    def __init__(self) -> None:
        self.rank = int(jt.rank) if jt.in_mpi else 0
        self.size = int(jt.world_size) if jt.in_mpi else 1
        self._world: Any = None
        if self.size > 1:
            import mpi4py

            mpi4py.rc.initialize = False  # Jittor did
            mpi4py.rc.finalize = False
            from mpi4py import MPI

            self._world = MPI.COMM_WORLD

    @property
    def is_main(self) -> bool:
        """Whether this rank writes events and checkpoints."""
        return self.rank == 0

    def gather(self, value: Any) -> list[Any]:
        """Every rank's value, by rank, on every rank. Plain values and numpy arrays, never Vars."""
        return [value] if self._world is None else list(self._world.allgather(value))

    def share(self, arrays: dict[str, np.ndarray] | None) -> dict[str, np.ndarray]:
        """Rank 0's arrays, on every rank; the others may have none. One message each: a whole model is too large."""
        if self._world is None:
            return arrays or {}
        names = self._world.bcast(list(arrays) if arrays is not None else None)
        return {name: self._world.bcast(arrays[name] if arrays is not None else None) for name in names}

    def hear(self, look: Callable[[], Any], pause_s: float) -> Any:
        """What rank 0 sees when it looks, as soon as it sees anything but None; the processor is free meanwhile."""
        found = look() if self.is_main else None
        while self.is_main and found is None:
            time.sleep(pause_s)
            found = look()
        if self._world is None:
            return found
        # MPI waits by asking all the time: the others ask now and then, until the message is there
        for other in range(1, self.size) if self.is_main else ():
            self._world.send(found, dest=other, tag=_HEAR)
        if not self.is_main:
            while not self._world.iprobe(source=0, tag=_HEAR):
                time.sleep(pause_s)
            found = self._world.recv(source=0, tag=_HEAR)
        return found

    def sum_gradients(self, gradients: Mapping[str, jt.Var]) -> dict[str, jt.Var]:
        """The sum over ranks of each gradient; NCCL on GPUs, MPI elsewhere.

        One message a tensor, each waited for, since ranks that order pending messages differently would wait for each
        other for ever. MPI gets a large one in pieces: a message that leaves the processor's cache takes three times
        as long.
        """
        if self._world is None:
            return dict(gradients)
        compute(list(gradients.values()))
        self._world.Barrier()  # waits for the slowest rank without Python's lock, so that the messages need not
        summed = {}
        for name in sorted(gradients):
            gradient = gradients[name]
            is_large = gradient.numel() > PIECE and not jt.flags.use_cuda
            if is_large:
                summed[name] = self._sum_in_pieces(gradient)
            else:
                summed[name] = gradient.mpi_all_reduce("add")
                jt.sync([summed[name]])
        return summed

    def _sum_in_pieces(self, gradient: jt.Var) -> jt.Var:
        summed = jt.empty(gradient.shape, gradient.dtype)
        jt.sync([summed])
        mine, whole = gradient.data.reshape(-1), summed.data.reshape(-1)  # no copies
        for start in range(0, mine.size, PIECE):
            self._world.Allreduce(mine[start : start + PIECE], whole[start : start + PIECE])
        return summed
