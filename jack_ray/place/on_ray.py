"""Hands with Ray: a placement group and a lead actor for each trial. The only file that imports ray."""

import logging
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayActorError, RayError, TaskUnschedulableError
from ray.util.placement_group import placement_group, remove_placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from jack_ray.contract.environment import python_path
from jack_ray.contract.errors import PlaceError
from jack_ray.contract.failure import now
from jack_ray.contract.schema import ClusterConfig
from jack_ray.place.lead import Lead
from jack_ray.place.local_ray import LocalRay
from jack_ray.place.news import Ended, Handle, Need, News, Order
from jack_ray.place.ray_address import refuse_silent, resolve
from jack_ray.place.room import Machine, how_many_now, refuse_impossible, why_waiting

STOP_S = 30.0
"""How long a lead may take to end its gang before its actor is killed; the guard ends the gang then."""


class RayHands:
    """Runs attempts on a Ray cluster; starts one on this machine when no address is given.

    folder: the sweep's, for the log of a Ray that is started here.
    """

    def __init__(self, cluster: ClusterConfig, need: Need, folder: Path) -> None:
        self.need = need
        self._running: list[Handle] = []
        self._asked = 0.0
        self._why = ""
        self._local = LocalRay(folder) if cluster.address is None else None
        try:
            _connect(self._local.address if self._local else str(cluster.address))
            refuse_impossible(need, machines())
        except PlaceError:
            self.close()
            raise
        self._lead = ray.remote(Lead)

    def room(self) -> bool:
        """Whether to ask for another place: as many wait as there are free ones, and one when there are none.

        More in the queue would be served by Ray in any order.
        """
        waiting = sum("actor" not in handle.inner for handle in self._running)
        return waiting < max(1, how_many_now(self.need, machines()))

    def start(self, order: Order) -> Handle:
        """Ask for a place; the lead starts when there is one."""
        bundle = {"CPU": float(self.need.cpus)} | ({"GPU": float(self.need.gpus)} if self.need.gpus else {})
        group = placement_group([bundle], strategy="STRICT_PACK", name=f"jack_ray-{order.trial_id}")
        handle = Handle(order, inner={"group": group, "ready": group.ready()})
        self._running.append(handle)
        return handle

    def poll(self, handle: Handle) -> News:
        """What happened since the last call; why it waits, while it has no place."""
        try:
            if "actor" not in handle.inner:
                ready, _ = ray.wait([handle.inner["ready"]], timeout=0)
                if not ready:
                    return News(phase=self._waiting())
                handle.inner["actor"] = self._start_lead(handle)
            return self._ask(handle)
        except RayError as error:
            self._release(handle)
            return News(ended=Ended("failed", now("lost", _lost(error), socket.gethostname())))

    def _waiting(self) -> str:
        if time.monotonic() - self._asked > 1.0:
            self._asked = time.monotonic()
            self._why = why_waiting(self.need, machines())
        return self._why

    def _start_lead(self, handle: Handle) -> Any:
        strategy = PlacementGroupSchedulingStrategy(handle.inner["group"], 0)
        options = {"num_cpus": self.need.cpus, "num_gpus": self.need.gpus, "scheduling_strategy": strategy}
        return self._lead.options(**options).remote(handle.order)

    def _ask(self, handle: Handle) -> News:
        if "asked" not in handle.inner:
            actor: Any = handle.inner["actor"]
            handle.inner["asked"] = actor.poll.remote(handle.offset)
        try:
            news, handle.offset = ray.get(handle.inner["asked"], timeout=0.2)
        except GetTimeoutError:
            return News(phase="starting its lead" if handle.offset == 0 else "")
        del handle.inner["asked"]
        if news.ended is not None:
            self._release(handle)
        found: News = news
        return found

    def stop(self, handle: Handle) -> None:
        """End an attempt; its ranks are gone when this returns."""
        if handle in self._running and "actor" in handle.inner:
            actor: Any = handle.inner["actor"]
            with suppress(RayError):
                ray.get(actor.stop.remote(), timeout=STOP_S)
        self._release(handle)

    def _release(self, handle: Handle) -> None:
        if handle not in self._running:
            return
        self._running.remove(handle)
        with suppress(RayError):
            if "actor" in handle.inner:
                ray.kill(handle.inner["actor"])
            remove_placement_group(handle.inner["group"])

    def close(self) -> None:
        """End what still runs, and the Ray that was started here."""
        for handle in list(self._running):
            self.stop(handle)
        ray.shutdown()
        if self._local is not None:
            self._local.stop()


def _lost(error: RayError) -> str:
    if isinstance(error, RayActorError):
        return "the trial's lead actor died (killed, or its machine is gone)"
    if isinstance(error, TaskUnschedulableError):
        return "Ray could not place the trial's lead"
    return f"Ray lost the trial: {str(error).splitlines()[0]}"


def _connect(address: str) -> None:
    """Connect to a running Ray. Raises PlaceError when that does not work."""
    resolved = resolve(address)
    refuse_silent(resolved)
    try:
        ray.init(
            address=resolved,
            logging_level=logging.ERROR,
            log_to_driver=False,
            configure_logging=False,
            runtime_env={"env_vars": {"PYTHONPATH": python_path()}},
        )
    except (ConnectionError, RayError, ValueError, RuntimeError, TimeoutError, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise PlaceError(
            f"Ray at cluster.address={resolved} does not let us in: {reason}\n"
            "If it uses tokens, set RAY_AUTH_TOKEN, or put its token into ~/.ray/auth_token. Its version of Ray and "
            f"of Python must be this one's (Ray {ray.__version__})."
        ) from error


def machines() -> list[Machine]:
    """The living nodes and what is free on them; asked on the cluster itself when this is a client of it."""
    if ray.util.client.ray.is_connected():
        found: list[Machine] = ray.get(ray.remote(num_cpus=0)(_machines).remote())
        return found
    return _machines()


def _machines() -> list[Machine]:
    from ray._private.state import available_resources_per_node  # no public function tells it by node

    free = available_resources_per_node()
    found = []
    for node in ray.nodes():
        if not node["Alive"]:
            continue
        have, left = node["Resources"], free.get(node["NodeID"], {})
        cpus, gpus = have.get("CPU", 0.0), have.get("GPU", 0.0)
        found.append(Machine(node["NodeManagerHostname"], cpus, gpus, left.get("CPU", 0.0), left.get("GPU", 0.0)))
    return found
