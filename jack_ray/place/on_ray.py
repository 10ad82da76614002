"""Hands with Ray: a placement group and a lead actor for each trial."""

import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import ray
from ray.exceptions import RayActorError, RayError, TaskUnschedulableError
from ray.util.placement_group import placement_group, remove_placement_group

from jack_ray.contract.errors import PlaceError
from jack_ray.contract.failure import now
from jack_ray.contract.paths import TrialFolder
from jack_ray.contract.schema import ClusterConfig
from jack_ray.place import ray_shelf
from jack_ray.place.idle import IDLE_S, PASSED_BY_S, IdlePlaces, Place
from jack_ray.place.keeping import pull_beside
from jack_ray.place.local_ray import LocalRay
from jack_ray.place.news import Ended, Handle, Need, News, Order
from jack_ray.place.ray_cluster import connect, machines
from jack_ray.place.ray_gang import STOP_S, RayLead, bundle, options
from jack_ray.place.room import (
    Layout,
    Machine,
    as_wished,
    how_many_now,
    if_possible,
    layout_ever,
    layout_now,
    need_of_attempt,
    refuse_impossible,
    why_waiting,
)
from jack_ray.spawn import mirror
from jack_ray.spawn.compiled import Shelf

REST_S = 0.01
"""For each trial that runs, before the next look at all of them: what that takes grows with their number."""

LOOK_S = 1.0
"""Between two looks at what is free while a trial waits."""

SETTLE_S = 3.0
"""For Ray to place what was asked for before anything else is asked for."""

NEWS_S = 0.5
"""For which a lead keeps its answer back while its trial goes on: each answer costs milliseconds of two processors."""

START_S = 300.0
"""For a lead to come up where it has a place; its machine may vanish in between."""

FENCE_S = 15.0
"""For a lead that hears nothing of its driver to end its gang, beside cluster.lost_s."""


class RayHands:
    """Runs attempts on a Ray cluster; starts one on this machine when no address is given.

    folder: the sweep's, for the log of a Ray that is started here. shelf: where machines share compiled operators;
    None: beside the driver, where there are several machines.
    """

    def __init__(self, cluster: ClusterConfig, need: Need, folder: Path, shelf: Shelf | None = None) -> None:
        self.need = need
        self.lost_s = cluster.lost_s
        self.grows = cluster.autoscaling
        self._running: list[Handle] = []
        self._idle = IdlePlaces()
        self._looked = float("-inf")
        self._machines: list[Machine] = []
        self._folder = folder
        self._local = LocalRay(folder) if cluster.address is None else None
        try:
            connect(self._local.address if self._local else str(cluster.address), inherits=self._local is not None)
            if not self.grows:
                refuse_impossible(need, self._look())
        except PlaceError:
            self.close()
            raise
        self._lead = ray.remote(RayLead)
        self._shelf = shelf if shelf is not None or self._local is not None else ray_shelf.start()

    def _look(self) -> list[Machine]:
        if time.monotonic() - self._looked > LOOK_S:
            self._machines, self._looked = machines(), time.monotonic()
            if self._local is not None and not self._machines:
                self._start_anew(self._local)
        return self._machines

    def _start_anew(self, dead: LocalRay) -> None:
        """Replace a Ray of this machine alone that has died; its trials are told as lost when they are asked for."""
        for handle in self._running:
            handle.inner = {"dead": True}
        self._idle = IdlePlaces()
        ray.shutdown()
        dead.stop()
        self._local = LocalRay(self._folder)
        connect(self._local.address, inherits=True)
        self._machines = machines()

    def room(self) -> bool:
        """Whether to ask for another place: as many wait as there are free ones, and one when there are none.

        More in the queue would be served by Ray in any order.
        """
        waiting = sum("actor" not in handle.inner for handle in self._running)
        self._give_back(self._idle.give_up(PASSED_BY_S if waiting else IDLE_S))
        return waiting < max(1, how_many_now(self.need, self._look()) + len(self._idle))

    def start(self, order: Order) -> Handle:
        """Ask for a place; the lead starts when there is one."""
        handle = Handle(order)
        self._running.append(handle)
        if not self._go_on(handle):
            self._looked = float("-inf")
            self._ask_for_a_place(handle)
        return handle

    def _go_on(self, handle: Handle) -> bool:
        """Whether ranks that stayed take the trial over."""
        order = handle.order
        kept = self._idle.take(order, need_of_attempt(self.need, order, self._look())) if order.keep_ranks else None
        if kept is None:
            return False
        self._give_up_place(handle)
        handle.inner |= kept
        kept["actor"].go_on.remote(order)
        return True

    def _ask_for_a_place(self, handle: Handle) -> None:
        """Reserve the machines of a gang, or ask again in other parts when what was asked for cannot come."""
        need = need_of_attempt(self.need, handle.order, self._look())
        avoid = if_possible(need, handle.order.avoid, self._look())
        left = [machine for machine in self._look() if machine.name not in avoid]
        now = layout_now(need, left)
        asked = handle.inner.get("layout")
        known = {machine.id for machine in self._look()}
        is_new = asked is not None and time.monotonic() - cast(float, handle.inner["since"]) < SETTLE_S
        if is_new or (asked is not None and (now is None or now == asked) and known == handle.inner["known"]):
            return
        layout = now or layout_ever(need, left) or (as_wished(need) if self.grows else None)
        self._give_up_place(handle)
        if layout is None:
            return
        bundles = [bundle(need, ranks) for ranks in layout]
        strategy = "STRICT_SPREAD" if len(layout) > 1 else "STRICT_PACK"
        ids = [machine.id for machine in self._look() if machine.name in avoid]
        labels = [{"ray.io/node-id": f"!in({','.join(ids)})"}] * len(layout) if ids else None
        name = f"jack_ray-{handle.order.trial_id}"
        group = placement_group(bundles, strategy=strategy, name=name, bundle_label_selector=labels)
        handle.inner |= {"group": group, "ready": group.ready(), "layout": layout, "known": known, "need": need}
        handle.inner["since"] = time.monotonic()

    def _give_up_place(self, handle: Handle) -> None:
        if "group" in handle.inner:
            remove_placement_group(handle.inner["group"])
            handle.inner.clear()

    def poll(self, handle: Handle) -> News:
        """What happened since the last call; why it waits, while it has no place."""
        if "last" in handle.inner:
            return self._bring_last(handle)
        if "dead" in handle.inner:
            return self._lose(handle, "the Ray of this machine died and was started anew")
        try:
            if "actor" not in handle.inner:
                if "ready" not in handle.inner or not ray.wait([handle.inner["ready"]], timeout=0)[0]:
                    return self._wait(handle)
                handle.inner["actor"] = self._start_lead(handle)
                handle.inner["heard"] = time.monotonic()
            return self._ask(handle)
        except RayError as error:
            return self._lose(handle, _lost(error))

    def _wait(self, handle: Handle) -> News:
        if self._go_on(handle):
            return News(phase="starting its lead")
        machines_now = self._look()
        self._ask_for_a_place(handle)
        need = need_of_attempt(self.need, handle.order, machines_now)
        if need.memory and not self.grows and layout_ever(need, machines_now) is None:
            self._release(handle)
            words = f"it ran out of memory, and no machine has room for {need}"
            return News(ended=Ended("failed", now("memory", words, "")))
        left = [
            entry for entry in machines_now if entry.name not in if_possible(need, handle.order.avoid, machines_now)
        ]
        return News(phase=why_waiting(need, left))

    def _start_lead(self, handle: Handle) -> Any:
        layout, need = cast(Layout, handle.inner["layout"]), cast(Need, handle.inner["need"])
        placed = options(need, layout[0], handle.inner["group"], 0)
        return self._lead.options(**placed).remote(handle.order, need, layout, self._shelf)

    def _ask(self, handle: Handle) -> News:
        actor: Any = handle.inner["actor"]
        if "asked" not in handle.inner:
            handle.inner["asked"] = actor.poll.remote(handle.offset, NEWS_S)
        if not ray.wait([handle.inner["asked"]], timeout=0)[0]:
            return self._silence(handle)
        news, handle.offset = ray.get(handle.inner.pop("asked"))
        handle.inner["heard"] = time.monotonic()
        handle.inner["nodes"] = news.nodes
        found: News = news
        mirror.apply(TrialFolder(handle.order.folder), list(found.pieces))
        if found.ended is None:
            handle.inner["asked"] = actor.poll.remote(handle.offset, NEWS_S)
            return found
        stays = handle.order.keep_ranks and found.ended.status == "finished" and len(found.nodes) == 1
        if stays:
            self._idle.keep(handle.inner)
            self._running.remove(handle)
        else:
            self._release(handle)
        if handle.order.storage is not None and found.ended.status != "busy":
            handle.inner["last"] = found
            handle.inner["pull"] = pull_beside(handle.order)
            return replace(found, ended=None, phase="bringing its checkpoints")
        return found

    def _bring_last(self, handle: Handle) -> News:
        """The end of a trial is told when its checkpoints have come here."""
        pulling: Any = handle.inner["pull"]
        last = cast(News, handle.inner["last"])
        if pulling.is_alive():
            return News(phase="bringing its checkpoints")
        return News(ended=last.ended, nodes=last.nodes)

    def _silence(self, handle: Handle) -> News:
        silent_s = time.monotonic() - cast(float, handle.inner["heard"])
        if "nodes" not in handle.inner:
            late = silent_s > START_S
            return self._lose(handle, "its lead did not start") if late else News(phase="starting its lead")
        if silent_s < 2 * self.lost_s + FENCE_S:
            return News()
        return self._lose(handle, f"its lead was not heard of for {silent_s:.0f} s")

    def _lose(self, handle: Handle, words: str) -> News:
        nodes = cast(tuple[str, ...], handle.inner.get("nodes", ()))
        self._release(handle)
        return News(ended=Ended("failed", now("lost", words, nodes[0] if nodes else "")), nodes=nodes)

    def wait(self, seconds: float) -> None:
        """Until a lead has answered or a place is there, or the time is over."""
        rest = min(seconds, REST_S * len(self._running))
        time.sleep(rest)
        answers = (handle.inner.get("asked", handle.inner.get("ready")) for handle in self._running)
        asked = [answer for answer in answers if answer is not None]
        if asked:
            with suppress(RayError):  # a Ray that has died is found when trials are asked
                ray.wait(asked, timeout=seconds - rest)
        else:
            time.sleep(seconds - rest)

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
            if "group" in handle.inner:
                remove_placement_group(handle.inner["group"])

    def _give_back(self, places: list[Place]) -> None:
        with suppress(RayError):
            ended = [place.actor.dismiss.remote() for place in places]
            if ended:
                ray.wait(ended, num_returns=len(ended), timeout=STOP_S)
            for place in places:
                ray.kill(place.actor)
                remove_placement_group(place.group)

    def close(self) -> None:
        """End what still runs, and the Ray that was started here."""
        for handle in list(self._running):
            self.stop(handle)
        self._give_back(self._idle.give_up(0.0))
        ray.shutdown()
        if self._local is not None:
            self._local.stop()
            self._local = None


def _lost(error: RayError) -> str:
    if isinstance(error, RayActorError):
        return "the trial's lead actor died (killed, or its machine is gone)"
    if isinstance(error, TaskUnschedulableError):
        return "Ray could not place the trial's lead"
    return f"Ray lost the trial: {str(error).splitlines()[0]}"
