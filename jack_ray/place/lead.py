"""Runs one attempt: prepares its machines, starts the gang from this one, watches it, says how it ended."""

import fcntl
import socket
import threading
import time
import traceback
from contextlib import suppress
from dataclasses import replace
from typing import IO

from jack_ray.contract import events
from jack_ray.contract.errors import JackRayError
from jack_ray.contract.failure import Failure, now
from jack_ray.contract.paths import TrialFolder
from jack_ray.place.camp import fit_hosts, present
from jack_ray.place.crew import Alone, Beat, Crew, LostError, Present, UnfitError
from jack_ray.place.keeping import Keeping
from jack_ray.place.mate import environment_of
from jack_ray.place.news import Ended, News, Order
from jack_ray.place.shared import SharedOperators
from jack_ray.spawn import mirror, rsh_agent
from jack_ray.spawn.compiled import Shelf
from jack_ray.spawn.diagnose import diagnose
from jack_ray.spawn.mpirun import Host, command, host_of
from jack_ray.spawn.oom import oom_kills
from jack_ray.spawn.preflight import compiling, count_compiled, link_onednn, prepare
from jack_ray.spawn.process import Gang
from jack_ray.spawn.relay import Relay
from jack_ray.spawn.sampling import Sampler
from jack_ray.spawn.standing import Standing

WATCH_S = 0.2
LOOPBACK = "127.0.0.1"
STANDING_WATCH_S = 0.05
"""The next trial waits for the end of this one."""
SAMPLE_S = 5.0
LAST_WORDS_S = 3.0
"""How long the reasons that ranks left on other machines are waited for."""


class Lead:
    """The owner of one attempt. Its thread does the work; `poll` and `stop` are called from outside.

    ranks: how many run on this machine, the first ones; None: all. crew: the other machines of the gang.
    address: of this machine, by which the others reach it, where the driver is another process, whose silence ends
    the attempt. standing: the gang that an earlier attempt left here, whose owner this becomes. shelf: where
    machines share compiled operators.
    """

    def __init__(
        self,
        order: Order,
        ranks: int | None = None,
        crew: Crew | None = None,
        address: str | None = None,
        *,
        standing: Standing | None = None,
        shelf: Shelf | None = None,
    ) -> None:
        self.order = order
        self.standing = standing
        self._operators = SharedOperators(shelf, order.jittor_home)
        self.ranks = order.ranks if ranks is None else ranks
        self.crew = crew or Alone()
        self.address = address or LOOPBACK
        self.is_remote = address is not None
        self.folder = TrialFolder(order.folder)
        self._heard = time.monotonic()
        self._phase = "starting"
        self._ended: Ended | None = None
        self.over = threading.Event()
        self._told_to_stop = threading.Event()
        self._operators_before = 0
        self._nodes: tuple[str, ...] = ()
        self._relay: Relay | None = None
        self._beats: dict[str, Beat] = {}
        self._lost: LostError | None = None
        self._mirror: mirror.Mirror | None = None
        self._told = 0
        self._thread = threading.Thread(target=self._attend, name=f"lead-{order.trial_id}", daemon=True)
        self._thread.start()

    def poll(self, offset: int, wait_s: float = 0.0) -> tuple[News, int]:
        """Events after a byte offset, the phase, and the ending if there is one; after `wait_s`, or when it ends."""
        self._heard = time.monotonic()
        self.over.wait(wait_s)
        ended = self._ended  # looked at first: no event comes after it
        pieces = tuple(self._mirror.news()) if self._mirror is not None else ()
        if self._mirror is None:
            found, offset = events.read_from(self.folder.events, offset)
        else:  # the offset is one of the driver's file
            found, self._told = events.read_from(self.folder.events, self._told)
        mine = tuple(event for event in found if event.attempt == self.order.attempt)
        for event in mine:
            if event.kind == "phase":
                self._phase = str(event.about["name"])
        return News(mine, self._words(mine), ended, pieces, self._nodes), offset

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
        try:
            self._ended = self._attempt()
        except LostError as error:
            self._ended = Ended("failed", now("lost", str(error), error.host))
        except UnfitError as error:
            self._ended = Ended("failed", now("start", str(error), error.host))
        except (JackRayError, OSError) as error:
            self._ended = Ended("failed", now("start", str(error), socket.gethostname()))
        except Exception as error:
            # a lead that ended without a word would be waited for for ever
            words, trace = f"{type(error).__name__}: {error}", traceback.format_exc()
            self._ended = Ended("failed", now("start", words, socket.gethostname(), trace=trace))
        finally:
            self.crew.stop()
            self.over.set()

    def _attempt(self) -> Ended:
        lock = self._lock()
        if lock is None:
            return Ended("busy")
        with lock:  # held first: what follows clears away what earlier attempts told from here
            here = present(self.order, self.address, self.ranks)
            if not here.shares:
                self._mirror = mirror.Mirror(self.folder)
            return self._run(here)

    def _lock(self) -> IO[bytes] | None:
        self.folder.path.mkdir(parents=True, exist_ok=True)
        lock = self.folder.lock.open("ab")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            return None
        return lock

    def _run(self, here: Present) -> Ended:
        hosts = self._muster(here)
        with Keeping(self.order, self.folder) as keeping:
            self._prepare()
            if self._told_to_stop.is_set():
                return Ended("killed")
            self._operators_before = count_compiled(self.order.jittor_home)[1]
            self._phase = "starting"
            ended = self._train(hosts, keeping)
            self._phase = "storing its checkpoints" if keeping.needed else self._phase
        return ended

    def _muster(self, here: Present) -> list[Host]:
        """All machines of the gang, this one first. Raises UnfitError with everything that is wrong with them."""
        hosts = fit_hosts([here, *self.crew.muster()])
        self._nodes = tuple(host.name for host in hosts)
        return hosts

    def _prepare(self) -> None:
        self._operators.take()
        prepare(self.order.jittor_home, self._report_compilation, self.order.gpu)
        link_onednn(self.order.jittor_home)
        while not self._told_to_stop.is_set():
            self._hear()
            waiting = [beat for beat in self._beats.values() if beat.phase]
            if len(self._beats) == len(self._nodes) - 1 and not waiting:
                return
            self._phase = f"{waiting[0].phase} on {waiting[0].host}" if waiting else "waiting for its other machines"
            time.sleep(WATCH_S)

    def _report_compilation(self, words: str, share: float) -> None:
        self._phase = f"{words}, {share:.0%}"
        self._hear()
        if self._told_to_stop.is_set():
            raise JackRayError("stopped while Jittor was being compiled")

    def _hear(self) -> None:
        """Take in what the other machines tell, and what is written there."""
        for beat in self.crew.beats():
            self._beats[beat.host] = replace(beat, pieces=())
            mirror.apply(self.folder, list(beat.pieces))
            if beat.problem:
                raise UnfitError(beat.host, f"{beat.host}: {beat.problem}")

    def _train(self, hosts: list[Host], keeping: Keeping) -> Ended:
        killed_before = self._oom_kills()
        measured = self._operators_before if self.standing is not None else None  # those who stayed measured before
        gang = self._start(hosts)
        ended = None
        try:
            ended = self._watch(gang, hosts, keeping)
            self._operators.give()
            self._operators.prune(self.order.most_bytes, measured)
        finally:
            if self.standing is None:
                gang.stop(self.order.mpi.stop_s)
            elif ended is None or ended.status != "finished":
                self.dismiss()
            if self._relay is not None:
                self._relay.close()
        failure = ended.failure
        if failure is not None and failure.kind == "killed" and self._oom_kills() > killed_before:
            words = f"{failure.message}; the kernel killed it for memory"
            return replace(ended, failure=replace(failure, kind="memory", message=words))
        return ended

    def _start(self, hosts: list[Host]) -> Gang:
        """The ranks at work: those that stand here already, or new ones."""
        environment = environment_of(self.order)
        if self.standing is not None and len(hosts) == 1 and self.standing.fits(environment):
            self.standing.hand(self.folder, self.order.attempt)
            return self.standing.gang
        self.dismiss()
        argv = command(self.order.mpi, hosts, self.folder.trial)
        if len(hosts) > 1:
            self._relay = Relay(self._start_daemon)
            environment[rsh_agent.SOCKET] = str(self._relay.path)
        elif self.order.keep_ranks:
            self.standing = Standing(self.folder, argv, environment, range(self.ranks))
            return self.standing.gang
        return Gang(self.folder, argv, environment, range(self.ranks))

    def dismiss(self) -> None:
        """End the ranks that stayed."""
        standing, self.standing = self.standing, None
        if standing is not None:
            standing.stop(self.order.mpi.stop_s)

    def _oom_kills(self) -> int:
        return oom_kills() + sum(beat.oom_kills for beat in self._beats.values())

    def _start_daemon(self, address: str, shell: str) -> int:
        try:
            return self.crew.run(address, shell)
        except LostError as error:
            self._lost = self._lost or error
            raise

    def _watch(self, gang: Gang, hosts: list[Host], keeping: Keeping) -> Ended:
        sampler = Sampler(gang.pid, self.folder.system)
        sampled, given = time.monotonic(), False
        while (code := gang.poll()) is None:
            if self._told_to_stop.wait(WATCH_S if self.standing is None else STANDING_WATCH_S):
                return Ended("killed")
            if self.standing is not None and self.standing.is_done:
                return Ended("finished")
            if self.is_remote and time.monotonic() - self._heard > self.order.lost_s:
                words = f"the driver was not heard of for {self.order.lost_s:g} s (cluster.lost_s)"
                return Ended("failed", now("lost", words, socket.gethostname()))
            self._hear()
            if self._operators_before < 0 and not given:
                given = True
                self._operators.give()
            keeping.look()
            if time.monotonic() - sampled >= SAMPLE_S:
                sampled = time.monotonic()
                with suppress(OSError):  # a full disk is the ranks' to report
                    sampler.sample()
            silent = self._silence(gang)
            if silent is not None:
                return Ended("failed", silent)
        if self.standing is not None:
            self.standing.pass_on_log()
        if code == 0:
            return Ended("finished")
        return Ended("failed", self._diagnose(gang, code, hosts))

    def _diagnose(self, gang: Gang, code: int, hosts: list[Host]) -> Failure:
        until = time.monotonic() + (LAST_WORDS_S if len(hosts) > 1 else 0.0)
        while time.monotonic() < until:
            self._hear()  # raises what is the cause itself: a machine that is lost
            time.sleep(WATCH_S)
        if self._lost is not None:
            raise self._lost
        found = diagnose(self.folder, code, gang.started)
        return found if found.rank is None else replace(found, host=host_of(found.rank, hosts))

    def _silence(self, gang: Gang) -> Failure | None:
        timeout_s = self.order.mpi.timeout_s
        if time.time() - gang.started < timeout_s:
            return None
        life = gang.life(timeout_s)
        silences = [(0.0 if life.compiles else life.silent_s, life.rank, socket.gethostname())]
        silences += [(beat.silent_s, beat.rank, beat.host) for beat in self._beats.values()]
        silent_s, rank, host = max(silences)
        if silent_s < timeout_s:
            return None
        words = f"rank {rank} gave no sign of life for {silent_s:.0f} s (mpi.timeout_s={timeout_s:g})"
        return now("hang", words, host, rank)
