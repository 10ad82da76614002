"""Settings -> a server that runs until Ctrl-C: the order in which its parts start and end."""

import contextlib
import os
import re
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jack_ray.contract.checkpoint import About
from jack_ray.contract.errors import JackRayError
from jack_ray.place.ray_environment import ray_variables
from jack_ray.serving import access
from jack_ray.serving.answering import Limits
from jack_ray.serving.door import app_of
from jack_ray.serving.http import HttpServer, bind
from jack_ray.serving.kinds import Accepts, accepts
from jack_ray.serving.question import Standing, Wanted
from jack_ray.serving.request import Settings
from jack_ray.serving.state import DoorLimits, State
from jack_ray.serving.upload import Pace
from jack_ray.serving.versions import Versions, Watcher, about
from jack_ray.spawn import preflight

if TYPE_CHECKING:
    from jack_ray.serving.cluster import Cluster, Plan

Known = tuple[dict[str, Any], Accepts]
"""What is told of a version, and what it takes."""

LOOK_S = 0.5
FIRST_S = 900.0
"""How long the first replica may take; on a new machine Jittor is compiled."""


@dataclass
class Stop:
    """Ctrl-C: once to end well, twice to end at once."""

    asked: threading.Event = field(default_factory=threading.Event)

    @contextlib.contextmanager
    def caught(self) -> Iterator[None]:
        """While the block runs, signals only ask; a second one raises KeyboardInterrupt."""
        kinds = (signal.SIGINT, signal.SIGTERM)
        before = {kind: signal.signal(kind, self._take) for kind in kinds}
        try:
            yield
        finally:
            for kind, handler in before.items():
                signal.signal(kind, handler)

    def take_back(self) -> None:
        """Catch SIGTERM again: `ray.init` has replaced its handler by one that ends the process at once."""
        signal.signal(signal.SIGTERM, self._take)

    def _take(self, *_: object) -> None:
        if self.asked.is_set():
            raise KeyboardInterrupt
        self.asked.set()


def serve(settings: Settings) -> int:
    """Serve until Ctrl-C; the exit code. Raises JackRayError when it cannot be started."""
    versions = Versions(settings.model, settings.name, settings.uri, settings.runs / "fetched")
    wanted = versions.fetched(versions.current())
    listening = bind(settings.host, settings.port)
    try:
        port = listening.getsockname()[1]
        token, where = _token(settings, port)
        preflight.prepare(settings.jittor, _told)
        stop = Stop()
        with tempfile.TemporaryDirectory(prefix=f"jack_ray-{os.getpid()}-") as folder, stop.caught():
            known = {wanted.version: _known(settings, wanted)}
            state = _state(settings, known[wanted.version], Path(folder))
            app = app_of(state, access.Keeper(token), access.Names(settings.host, settings.hosts))
            server = HttpServer(app, listening, settings.numbers["drain_s"])
            _say(f"http://{_url_host(settings.host)}:{port} loads {settings.name} version {wanted.version}. {where}")
            try:
                _Running(settings, versions, wanted, state, stop, port, known).until_ctrl_c(server)
            finally:
                server.stop_now()
    finally:
        listening.close()
    return 0


@dataclass
class _Running:
    """A server whose door is open."""

    settings: Settings
    versions: Versions
    wanted: Wanted
    state: State
    stop: Stop
    port: int
    known: dict[str, Known]
    """Every version that was wanted."""

    def until_ctrl_c(self, server: HttpServer) -> None:
        """Start the replicas, look after them, and end them when nothing is in flight. Raises JackRayError."""
        os.environ |= ray_variables(self.settings.address)  # Ray reads them while it is imported
        from jack_ray.serving.cluster import Cluster, cores

        threads = self.settings.threads or max(1, cores() // self.settings.replicas)
        cluster = Cluster(self._plan(threads), self.wanted)
        try:
            self.stop.take_back()
            if self._is_ready(cluster):
                self.state.asks = cluster
                replicas = f"{self.state.replicas} of {self.settings.replicas} replicas"
                _say(f"ready: {self.state.name} version {self.state.version}, {replicas}")
                self._look_after(cluster)
            self.state.is_ending = True
            _say("ending: what is in flight is answered; Ctrl-C again ends at once")
            server.stop()
        finally:
            cluster.close()

    def _plan(self, threads: int) -> "Plan":
        from jack_ray.serving.cluster import Plan

        settings, numbers = self.settings, self.settings.numbers
        checkpoints = Path(self.wanted.checkpoint).parent  # of all versions
        roots = [str(one) for one in (self.state.folder, checkpoints, settings.inputs) if one is not None]
        return Plan(
            name=_application(settings.name, self.port), address=settings.address, replicas=settings.replicas,
            threads=threads, jittor_home=settings.jittor, limits=_limits(settings), window_s=numbers["window_s"],
            roots=tuple(roots),
        )  # fmt: skip

    def _is_ready(self, cluster: "Cluster") -> bool:
        """Wait for the first replica that can answer; False: stopped before. Raises JackRayError when it cannot."""
        deadline = time.monotonic() + FIRST_S
        while not self.stop.asked.wait(LOOK_S / 5):
            standings = _standings(cluster)
            _take_in(self.state, standings, self.known)
            if self.state.replicas:
                return True
            troubles = [one.trouble for one in standings if one.trouble]
            if troubles:
                raise JackRayError(f"{self.state.name} cannot be loaded: {troubles[0]}")
            if time.monotonic() > deadline:
                raise JackRayError(f"No replica was ready within {FIRST_S:g} s; does the cluster have room for one?")
        return False

    def _look_after(self, cluster: "Cluster") -> None:
        """Until Ctrl-C: let replicas turn to what the alias means, and know how they stand.

        Raises JackRayError when Ray has ended.
        """
        poll_s = self.settings.numbers["poll_s"] if self.settings.alias else None
        watcher = Watcher(self.versions, self.wanted, poll_s)
        says = _Says()
        try:
            while not self.stop.asked.wait(LOOK_S):
                if watcher.wanted.version != self.wanted.version:
                    self._want(watcher.wanted)
                    says(f"{self.settings.model} means version {self.wanted.version} now; it is being loaded")
                cluster.want(self.wanted)
                before = self.state.version
                standings = _standings(cluster)
                _take_in(self.state, standings, self.known)
                if self.state.version != before:
                    self.state.metrics.switched()
                    says(f"version {self.state.version} answers")
                self._tell(says, [one for one in standings if one.trouble], watcher.trouble)
        finally:
            watcher.stop()

    def _want(self, wanted: Wanted) -> None:
        self.wanted = wanted
        with contextlib.suppress(JackRayError):  # replicas tell why it cannot be read
            self.known[wanted.version] = _known(self.settings, wanted)

    def _tell(self, says: "_Says", in_trouble: Sequence[Standing], of_registry: str) -> None:
        of_replica = ""
        if in_trouble:
            one = in_trouble[0]
            goes_on = f"version {one.version or self.state.version} goes on"
            of_replica = f"version {one.wanted} cannot be loaded, {goes_on}: {one.trouble.splitlines()[0]}"
        if of_registry:
            goes_on = f"version {self.state.version} goes on"
            of_registry = f"MLflow does not tell what the alias means, {goes_on}: {of_registry.splitlines()[0]}"
        says(of_replica, "replicas")
        says(of_registry, "registry")


def _application(name: str, port: int) -> str:
    """The same for the same server: one that is started anew replaces what a killed one has left in a cluster."""
    return re.sub(r"[^A-Za-z0-9-]", "_", f"jack_ray-{name}-{socket.gethostname()}-{port}")


def _standings(cluster: "Cluster") -> list[Standing]:
    """Raises JackRayError when Ray has ended, after which nothing more is heard of replicas."""
    if cluster.has_ended():
        raise JackRayError("Ray of this machine has ended; type the command again.")
    return cluster.standings()


def _take_in(state: State, standings: list[Standing], known: Mapping[str, Known]) -> None:
    """known: every version that was wanted."""
    able = [one for one in standings if one.version]
    state.replicas = len(able)
    if able:
        newest = max(able, key=lambda one: (one.version == one.wanted, int(one.version)))
        if newest.version in known:
            state.about, state.accepts = known[newest.version]
        state.version = newest.version
        state.finds_segments = newest.finds_segments


class _Says:
    """Says a thing once, until something else of its kind is said, or nothing."""

    def __init__(self) -> None:
        self._last: dict[str, str] = {}

    def __call__(self, text: str, kind: str = "version") -> None:
        if text and text != self._last.get(kind):
            _say(text)
        self._last[kind] = text


def _known(settings: Settings, wanted: Wanted) -> Known:
    found: About = about(wanted)
    told = {
        "method": found.trial.method, "trial": found.trial.id, "labels": list(found.labels),
        "window_s": settings.numbers["window_s"], "max_s": settings.numbers["max_s"],
    }  # fmt: skip
    return told, accepts(found.trial)


def _state(settings: Settings, known: Known, folder: Path) -> State:
    numbers = settings.numbers
    pace = Pace(numbers["stall_s"], numbers["upload_s"])
    limits = DoorLimits(round(numbers["max_mb"] * 1e6), settings.max_waiting, pace, _limits(settings).longest_s)
    return State(settings.name, settings.alias, *known, limits, folder, settings.inputs)


def _limits(settings: Settings) -> Limits:
    numbers = settings.numbers
    return Limits(settings.batch, numbers["answer_s"], round(numbers["memory_gb"] * 1e9), numbers["max_s"])


def _token(settings: Settings, port: int) -> tuple[str | None, str]:
    """The token, and where it is, for people."""
    if not settings.has_token:
        return None, "Everybody who reaches it may ask (auth=none)."
    if settings.token_file is not None:
        return access.read_token(settings.token_file), f"Its token: {settings.token_file}"
    path = settings.runs / "serving" / f"{settings.name}-{port}" / "token"
    return access.new_token(path), f"Its token: {path}"


def _url_host(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _say(text: str) -> None:
    with contextlib.suppress(OSError):  # a full disk, a reader that has gone: a line is no reason to end
        print(text, flush=True)


def _told(phase: str, share: float) -> None:
    print(f"\r{phase}: {share:.0%}", end="" if share < 1 else "\n", file=sys.stderr, flush=True)
