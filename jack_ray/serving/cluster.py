"""Ray for a server: started or joined, with replicas in it, and the way a question goes to one of them."""

import asyncio
import contextlib
import logging
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import ray
from ray import serve
from ray.exceptions import RayError
from ray.serve.exceptions import RayServeException
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from jack_ray.contract.errors import PlaceError
from jack_ray.place.local_ray import LocalRay
from jack_ray.place.ray_cluster import connect
from jack_ray.serving.answering import Limits
from jack_ray.serving.faults import RequestError
from jack_ray.serving.question import Question, Reply, Standing, Wanted
from jack_ray.serving.replica import Desk, Setup, deployment

TRIES = 5
"""Replicas that a question is given to, one after the other, when they die over it or beside it."""
WAIT_S = 0.2
TOLD_S = 5.0


@dataclass(frozen=True)
class Plan:
    """How a model is to be placed."""

    name: str
    address: str | None
    """Of a running Ray; None: one of this machine alone."""
    replicas: int
    threads: int
    """Of each replica."""
    jittor_home: Path
    limits: Limits
    window_s: float
    roots: tuple[str, ...]
    """Folders whose files replicas on other machines may fetch."""


class Cluster:
    """A Ray with replicas in it. The variables of `place.ray_environment` must be set before this module is imported.

    Raises PlaceError when Ray cannot be started or joined.
    """

    def __init__(self, plan: Plan, wanted: Wanted) -> None:
        self._plan = plan
        self._scratch = tempfile.TemporaryDirectory(prefix="jack_ray-")
        self._local: LocalRay | None = None
        self._desk: Any = None
        self._handle: Any = None
        try:
            if plan.address is None:
                self._local = LocalRay(Path(self._scratch.name))
            connect(self._local.address if self._local is not None else str(plan.address))
            self._deploy(wanted)
        except BaseException:
            self.close()
            raise

    def _deploy(self, wanted: Wanted) -> None:
        plan = self._plan
        logging.getLogger("ray.serve").setLevel(logging.ERROR)
        node = ray.get_runtime_context().get_node_id()
        here = NodeAffinitySchedulingStrategy(node, soft=False)
        made = ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=-1, scheduling_strategy=here)(Desk)
        self._desk = made.remote(plan.roots, asdict(wanted))
        setup = Setup(self._desk, node, str(plan.jittor_home), plan.threads, plan.limits, plan.window_s)
        try:
            serve.start(proxy_location="Disabled")  # the door takes HTTP itself: decision 28
            target = serve.RunTarget(deployment(setup, plan.replicas), name=plan.name, route_prefix=None)
            (handle,) = serve.run_many([target], wait_for_applications_running=False)
            self._handle = handle.answer.options(_by_reference=True)  # through the actor, never through gRPC
        except (RayError, RayServeException, ValueError, RuntimeError, TimeoutError) as error:
            raise PlaceError(f"Ray Serve could not be started: {error}") from error

    def want(self, wanted: Wanted) -> None:
        """Let the replicas turn to a version."""
        with contextlib.suppress(RayError):
            ray.get(self._desk.want.remote(asdict(wanted)), timeout=TOLD_S)

    def standings(self) -> list[Standing]:
        """How the replicas stand that live; those that are being started are not among them."""
        try:
            return [Standing(**one) for one in ray.get(self._desk.standings.remote(), timeout=TOLD_S)]
        except RayError:
            return []

    async def answer(self, question: Question) -> Reply:
        """What a replica replies. Raises RequestError when none could within several tries."""
        for _ in range(TRIES):
            try:
                return await self._answered(question)
            except (RayError, RayServeException) as error:
                if isinstance(error, ray.exceptions.RayTaskError):  # a mistake of ours, which another try repeats
                    logging.getLogger(__name__).error("%s", error)
                    break
                await asyncio.sleep(WAIT_S)
        raise RequestError(503, "no replica could answer", "one that lives", "Try again in a moment.", 5)

    async def _answered(self, question: Question) -> Reply:
        response = self._handle.remote(asdict(question))
        try:
            values: Mapping[str, Any] = await response
        except asyncio.CancelledError:
            response.cancel()  # its client has left: Ray would have it computed nevertheless
            raise
        return Reply(**values)

    def has_ended(self) -> bool:
        """Whether the Ray that was started here has ended by itself."""
        return self._local is not None and self._local.has_ended()

    def close(self) -> None:
        """End the replicas, and Ray if it was started here."""
        is_there = not self.has_ended()  # Ray waits long for a Ray that has gone
        with contextlib.suppress(RayError, RayServeException, RuntimeError, ValueError, TimeoutError):
            if self._handle is not None and is_there:
                serve.delete(self._plan.name)
            if self._handle is not None and is_there and self._local is not None:
                serve.shutdown()
            if self._desk is not None and is_there:
                ray.kill(self._desk)
        ray.shutdown()
        if self._local is not None:
            self._local.stop()
        self._scratch.cleanup()


def cores() -> int:
    """Of this machine, for this process."""
    return len(os.sched_getaffinity(0))
