"""The Ray side: replicas that answer, and the desk on the door's machine, which they report to and fetch files from."""

import asyncio
import contextlib
import errno
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import ray
from ray import serve

from jack_ray.contract.checkpoint import MODEL, load_about
from jack_ray.contract.errors import JackRayError
from jack_ray.contract.order import Order
from jack_ray.served.process import Computing
from jack_ray.serving.answering import Answering, Limits
from jack_ray.serving.question import Question, Reply, Standing, Wanted

PIECE_BYTES = 4 << 20
"""What of a file goes through Ray at once to another machine."""
REPORT_S = 0.5
SCRATCH = "jack_ray-"
"""Before the owner's process id: what an owner that was killed has left is removed by `place.local_ray`."""
HEARD_S = 5.0
"""A replica that was not heard of for so long does not count."""


class Desk:
    """Knows which version is wanted and how the replicas stand; gives files of its machine to those of others.

    roots: folders that files may be fetched from.
    """

    def __init__(self, roots: tuple[str, ...], wanted: dict[str, Any]) -> None:
        self._roots = [Path(root).resolve() for root in roots]
        self._wanted = [wanted]
        self._is_told = False  # Ray starts a desk anew with the version that was wanted first of all
        self._heard: dict[str, tuple[float, dict[str, Any]]] = {}

    async def want(self, wanted: dict[str, Any]) -> None:
        """Let a version be the one that replicas turn to; the one before is kept for those that cannot."""
        self._is_told = True
        if wanted != self._wanted[-1]:
            self._wanted = [self._wanted[-1], wanted]

    async def versions(self) -> list[dict[str, Any]]:
        """The wanted version last, before it the one that was wanted before."""
        return self._wanted

    async def report(self, replica: str, standing: dict[str, Any]) -> dict[str, Any] | None:
        """How a replica stands; the version that it should turn to, None: `want` has not told this desk yet."""
        self._heard[replica] = (time.monotonic(), standing)
        return self._wanted[-1] if self._is_told else None

    async def standings(self) -> list[dict[str, Any]]:
        """Of all replicas that live."""
        now = time.monotonic()
        self._heard = {name: one for name, one in self._heard.items() if now - one[0] < HEARD_S}
        return [standing for _, standing in self._heard.values()]

    async def piece(self, path: str, offset: int) -> bytes:
        """The bytes of a file from an offset; empty at its end. Raises JackRayError outside of the roots."""
        found = Path(path).resolve()
        if not any(found.is_relative_to(root) for root in self._roots):
            raise JackRayError(f"{path} is none of the files that are given")
        with found.open("rb") as opened:
            opened.seek(offset)
            return opened.read(PIECE_BYTES)


@dataclass(frozen=True)
class Setup:
    """What every replica is made with."""

    desk: Any
    """The actor."""
    node: str
    """The door's machine."""
    jittor_home: str
    threads: int
    limits: Limits
    window_s: float


def stay_on_loopback() -> None:
    """Let Ray Serve open this replica's gRPC port on loopback: it opens it on all interfaces (Ray 2.60), and unpickles.

    Nobody calls it: questions come through the actor. Called before the port is opened.
    """
    from ray.serve._private import replica as serve_replica  # no option of Ray says where

    names = vars(serve_replica)
    opens = names.get("add_port_to_grpc_server")
    if opens is not None:
        names["add_port_to_grpc_server"] = lambda server, address: opens(server, "127.0.0.1:0")


class Replica:
    """A copy of the model; made by Ray Serve. It is ready when a version is loaded."""

    def __init__(self, setup: Setup) -> None:
        stay_on_loopback()
        self._setup = setup
        self._is_beside = ray.get_runtime_context().get_node_id() == setup.node
        self._folder = tempfile.TemporaryDirectory(prefix=f"{SCRATCH}{os.getpid()}-", dir="/tmp")
        self._answering: Answering | None = None
        self._reports: asyncio.Task[None] | None = None

    async def ready(self) -> Answering:
        """Load the wanted version, or the one before if that cannot be loaded. Raises JackRayError."""
        answering = Answering(self._start, self._setup.limits)
        desk = self._setup.desk
        for wanted in reversed(await desk.versions.remote()):
            await self._turn(answering, Wanted(**wanted))
            if answering.version:
                break
        if not answering.version:
            await self._report(answering)
            raise JackRayError(answering.trouble)
        return answering

    async def reconfigure(self, _: Any) -> None:
        """Called by Ray Serve before the first question, and never again: versions come from the desk."""
        if self._answering is None:
            self._answering = await self.ready()
            self._reports = asyncio.create_task(self._report_for_ever(self._answering))

    async def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        """A Reply to a Question, both as plain values."""
        assert self._answering is not None
        asked = Question(**question)
        if self._is_beside:
            return asdict(await self._answering.ask(asked, Path(asked.folder) / asked.main))
        with tempfile.TemporaryDirectory(dir=self._folder.name) as folder:
            try:
                await self._fetch(Path(asked.folder), asked.files, Path(folder))
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError) as error:
                told = os.strerror(getattr(_cause(error), "errno", None) or errno.ENOENT)
                text = f"{asked.shown}: {told}; expected a file that stays until it is answered"
                return asdict(Reply(self._answering.version, 1, 0.0, None, text))
            return asdict(await self._answering.ask(asked, Path(folder) / asked.main))

    async def _report_for_ever(self, answering: Answering) -> None:
        turning: asyncio.Task[None] | None = None
        while True:
            await asyncio.sleep(REPORT_S)
            with contextlib.suppress(ray.exceptions.RayError):  # the desk is started anew
                told = await self._report(answering)
                if told is None:
                    continue
                wanted = Wanted(**told)
                if answering.should_turn_to(wanted.version) and (turning is None or turning.done()):
                    turning = asyncio.create_task(self._turn(answering, wanted))

    async def _turn(self, answering: Answering, wanted: Wanted) -> None:
        try:
            here = await self._here(wanted)
        except (OSError, JackRayError, ray.exceptions.RayError) as error:
            answering.could_not(wanted, f"its checkpoint cannot be fetched: {_cause(error)}")
            return
        await answering.turn_to(here)
        await asyncio.to_thread(self._remove_others, answering.version)

    def _remove_others(self, version: str) -> None:
        """The checkpoints that were fetched of versions which do not answer."""
        for folder in Path(self._folder.name).glob("version-*"):
            if folder.is_dir() and folder.name != f"version-{version}":
                shutil.rmtree(folder, ignore_errors=True)

    async def _report(self, answering: Answering) -> Mapping[str, Any] | None:
        standing = Standing(
            answering.version, answering.wanted, answering.trouble, answering.finds_segments,
            ray.get_runtime_context().get_node_id(), os.getpid(), answering.computing_pid,
        )  # fmt: skip
        name = ray.get_runtime_context().get_actor_id()
        told: Mapping[str, Any] | None = await self._setup.desk.report.remote(name, asdict(standing))
        return told

    async def _here(self, wanted: Wanted) -> Wanted:
        """The same version with its checkpoint on this machine."""
        if self._is_beside:
            return wanted
        folder = Path(self._folder.name) / f"version-{wanted.version}"
        if not folder.is_dir():
            with tempfile.TemporaryDirectory(dir=self._folder.name) as incoming:
                whole = Path(incoming) / "checkpoint"
                await self._fetch(Path(wanted.checkpoint), wanted.files, whole)
                whole.rename(folder)
        return Wanted(wanted.version, str(folder), wanted.files)

    async def _fetch(self, source: Path, files: tuple[str, ...], target: Path) -> None:
        for name in files:
            path = target / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as opened:
                while piece := await self._setup.desk.piece.remote(str(source / name), opened.tell()):
                    await asyncio.to_thread(opened.write, piece)

    def _start(self, wanted: Wanted) -> Computing:
        folder = Path(wanted.checkpoint)
        about = load_about(folder)
        limits = self._setup.limits
        order = Order(
            "serve",
            about.trial,
            str(folder / MODEL),
            about.labels,
            batch=limits.batch,
            window_s=self._setup.window_s,
            max_s=limits.max_s,
        )
        log = Path(self._folder.name) / f"version-{wanted.version}.log"
        return Computing(order, Path(self._setup.jittor_home), self._setup.threads, log)

    def __del__(self) -> None:  # called by Ray Serve when the last question is answered
        if self._reports is not None:
            self._reports.cancel()
        if self._answering is not None:
            self._answering.close()
        self._folder.cleanup()


def _cause(error: Exception) -> Exception:
    """What went wrong at the desk, without the traceback that Ray wraps it in."""
    return getattr(error, "cause", None) or error


def deployment(setup: Setup, replicas: int) -> Any:
    """What Ray Serve is to run."""
    made = serve.deployment(
        name="Replica",
        num_replicas=replicas,
        ray_actor_options={"num_cpus": setup.threads},
        max_ongoing_requests=4 * setup.limits.batch,
        health_check_period_s=1.0,
        health_check_timeout_s=60.0,
        graceful_shutdown_timeout_s=10.0,
        user_config={"is": "told by the desk"},
    )(Replica)
    return made.bind(setup)
