"""Runs one attempt on the machine it is on: prepares Jittor, starts the gang, watches it, says how it ended."""

import fcntl
import socket
import threading
import time
from contextlib import suppress
from typing import IO

from jack_ray.contract import events
from jack_ray.contract.environment import rank_environment
from jack_ray.contract.errors import JackRayError
from jack_ray.contract.failure import now
from jack_ray.contract.paths import TrialFolder
from jack_ray.place.news import Ended, News, Order
from jack_ray.spawn.diagnose import diagnose
from jack_ray.spawn.mpirun import command
from jack_ray.spawn.preflight import count_compiled, link_onednn, prepare
from jack_ray.spawn.process import Gang
from jack_ray.spawn.sampling import Sampler

WATCH_S = 0.2
SAMPLE_S = 5.0


def compiling(compiled: int, expected: int) -> str:
    """How far the first compilation of operators is, in words."""
    share = f"{compiled} of about {expected}" if compiled <= expected else f"{compiled} so far"
    return f"compiling operators, {share} (once on this machine)"


class Lead:
    """The owner of one attempt. Its thread does the work; `poll` and `stop` are called from outside."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.folder = TrialFolder(order.folder)
        self._phase = "starting"
        self._ended: Ended | None = None
        self._told_to_stop = threading.Event()
        self._operators_before = 0
        self._thread = threading.Thread(target=self._attend, name=f"lead-{order.trial_id}", daemon=True)
        self._thread.start()

    def poll(self, offset: int) -> tuple[News, int]:
        """Events after a byte offset of the events file, the phase, and the ending if there is one."""
        ended = self._ended  # looked at first: no event comes after it
        found, offset = events.read_from(self.folder.events, offset)
        mine = tuple(event for event in found if event.attempt == self.order.attempt)
        for event in mine:
            if event.kind == "phase":
                self._phase = str(event.about["name"])
        return News(mine, self._words(mine), ended), offset

    def _words(self, news: tuple[events.Event, ...]) -> str:
        if any(event.kind == "metrics" for event in news):
            self._operators_before = -1  # a step has ended: whatever is compiled from now on is a matter of seconds
        if self._phase != "training" or self._operators_before < 0:
            return self._phase
        compiled = count_compiled(self.order.jittor_home)[1]
        if compiled <= self._operators_before:
            return self._phase
        return compiling(compiled, self.order.operators)

    def stop(self) -> None:
        """End the attempt; returns when nothing of it is left."""
        self._told_to_stop.set()
        self._thread.join()

    def _attend(self) -> None:
        lock = self._lock()
        if lock is None:
            self._ended = Ended("busy")
            return
        with lock:
            try:
                self._ended = self._run()
            except (JackRayError, OSError) as error:
                self._ended = Ended("failed", now("start", str(error), socket.gethostname()))

    def _lock(self) -> IO[bytes] | None:
        self.folder.path.mkdir(parents=True, exist_ok=True)
        lock = self.folder.lock.open("ab")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            return None
        return lock

    def _run(self) -> Ended:
        prepare(self.order.jittor_home, self._report_compilation)
        if self._told_to_stop.is_set():
            return Ended("killed")
        link_onednn(self.order.jittor_home)
        self._operators_before = count_compiled(self.order.jittor_home)[1]
        self._phase = "starting"
        gang = Gang(self.folder, self._argv(), self._environment(), self.order.ranks)
        try:
            return self._watch(gang)
        finally:
            gang.stop(self.order.mpi.stop_s)

    def _report_compilation(self, words: str, share: float) -> None:
        self._phase = f"{words}, {share:.0%}"
        if self._told_to_stop.is_set():
            raise JackRayError("stopped while Jittor was being compiled")

    def _argv(self) -> list[str]:
        return command(self.order.mpi, self.order.ranks, self.folder.trial)

    def _environment(self) -> dict[str, str]:
        environment = rank_environment(self.order.jittor_home, self.order.threads, self.order.gpu)
        return environment | {
            "JACK_RAY_ATTEMPT": str(self.order.attempt),
            "JACK_RAY_GPU": str(int(self.order.gpu)),
        }

    def _watch(self, gang: Gang) -> Ended:
        sampler = Sampler(gang.pid, self.folder.system)
        sampled = time.monotonic()
        while (code := gang.poll()) is None:
            if self._told_to_stop.wait(WATCH_S):
                return Ended("killed")
            if time.monotonic() - sampled >= SAMPLE_S:
                sampled = time.monotonic()
                with suppress(OSError):  # a full disk is the ranks' to report
                    sampler.sample()
            silent = self._silence(gang)
            if silent is not None:
                return Ended("failed", now("hang", silent, socket.gethostname()))
        if code == 0:
            return Ended("finished")
        return Ended("failed", diagnose(self.folder, code, gang.started))

    def _silence(self, gang: Gang) -> str | None:
        timeout_s = self.order.mpi.timeout_s
        if time.time() - gang.started < timeout_s:
            return None
        life = gang.life(timeout_s)
        if life.silent_s < timeout_s or life.compiles:
            return None
        return f"rank {life.rank} gave no sign of life for {life.silent_s:.0f} s (mpi.timeout_s={timeout_s:g})"
