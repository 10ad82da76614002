"""The lead's hands on another machine of its gang: gets the machine ready, runs Open MPI's daemon, tells how it is.

It lives in an actor that the lead owns. When the lead is not heard of for too long, it ends what it runs: the lead
may be alive behind a cut cable, and has then given this machine up.
"""

import socket
import threading
import time
from dataclasses import replace

from jack_ray.contract.environment import STORAGE, rank_environment
from jack_ray.contract.errors import JackRayError
from jack_ray.contract.paths import TrialFolder
from jack_ray.place.camp import present, same_python
from jack_ray.place.crew import Beat, Present
from jack_ray.place.news import Order
from jack_ray.place.shared import SharedOperators
from jack_ray.spawn.compiled import Shelf
from jack_ray.spawn.mirror import Mirror, Piece
from jack_ray.spawn.oom import oom_kills
from jack_ray.spawn.preflight import link_onednn, prepare
from jack_ray.spawn.process import Gang

_LOOK_S = 0.2
ENDED_BY_LEAD = 124


def environment_of(order: Order) -> dict[str, str]:
    """The environment of mpirun, of its daemons, and so of the ranks."""
    environment = rank_environment(order.jittor_home, order.threads, order.gpu)
    environment |= {"JACK_RAY_ATTEMPT": str(order.attempt), "JACK_RAY_GPU": str(int(order.gpu))}
    return environment | ({} if order.storage is None else {STORAGE: order.storage})


class Mate:
    """One machine of a gang that is not the lead's. `ranks`: those that run here."""

    def __init__(self, order: Order, ranks: range, address: str, shelf: Shelf | None = None) -> None:
        self.order = order
        self.ranks = ranks
        self.address = address
        self._operators = SharedOperators(shelf, order.jittor_home)
        self.folder = TrialFolder(order.folder)
        self._heard = time.monotonic()
        self._phase = "starting"
        self._problem = ""
        self._stopped = threading.Event()
        self._gang: Gang | None = None
        self._mirror: Mirror | None = None

    def muster(self, interpreter: str) -> Present:
        """Say who is here, and begin to get ready. interpreter: the lead's Python."""
        self._heard = time.monotonic()
        found = present(self.order, self.address, len(self.ranks))
        wrong = same_python(interpreter)
        if wrong:
            found = replace(found, problems=(*found.problems, wrong))
        if not found.shares:
            self._mirror = Mirror(self.folder)
        threading.Thread(target=self._prepare, name="prepare", daemon=True).start()
        return found

    def _prepare(self) -> None:
        try:
            self._operators.take()
            prepare(self.order.jittor_home, self._report, self.order.gpu)
            link_onednn(self.order.jittor_home)
        except (JackRayError, OSError) as error:
            self._problem = str(error)
        self._phase = ""

    def _report(self, words: str, share: float) -> None:
        self._phase = f"{words}, {share:.0%}"
        if self._stopped.is_set():
            raise JackRayError("stopped while Jittor was being compiled")

    def beat(self) -> Beat:
        """How things stand here; the lead lives."""
        self._heard = time.monotonic()
        silent_s, rank = self._silence()
        host = socket.gethostname()
        return Beat(host, self._phase, self._problem, silent_s, rank, oom_kills(), self._pieces())

    def _silence(self) -> tuple[float, int]:
        gang = self._gang
        if gang is None or gang.poll() is not None:
            return 0.0, 0
        life = gang.life(self.order.mpi.timeout_s)
        return (0.0 if life.compiles else life.silent_s), life.rank

    def _pieces(self) -> tuple[Piece, ...]:
        # the log of the daemon and of the ranks here; events are rank 0's, which is the lead's
        return tuple(self._mirror.news()) if self._mirror is not None else ()

    def run(self, command: str) -> int:
        """Run Open MPI's daemon until it ends, or the lead does."""
        log = self.folder.log(0).with_name(f"daemon-{socket.gethostname()}.log")
        argv = ["/bin/sh", "-c", command.strip()]  # it begins with assignments
        gang = self._gang = Gang(self.folder, argv, environment_of(self.order), self.ranks, log=log)
        try:
            while (code := gang.wait(_LOOK_S)) is None:
                if self._stopped.is_set() or time.monotonic() - self._heard > self.order.lost_s:
                    return ENDED_BY_LEAD
            return code
        finally:
            gang.stop(self.order.mpi.stop_s)

    def stop(self) -> None:
        """End what runs here."""
        self._stopped.set()
        if self._gang is not None:
            self._gang.stop(self.order.mpi.stop_s)
