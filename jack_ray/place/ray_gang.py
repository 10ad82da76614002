"""The actors of a trial: a lead in the first bundle of its placement group, a mate in each other one."""

import time
from typing import Any

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from jack_ray.contract.environment import interpreter
from jack_ray.place.crew import Beat, LostError, Present
from jack_ray.place.lead import Lead
from jack_ray.place.mate import Mate
from jack_ray.place.news import Need, Order
from jack_ray.place.room import Layout
from jack_ray.spawn.compiled import Shelf

BEAT_S = 0.5
MUSTER_S = 180.0
"""For actors to come up on all machines: a cold worker takes seconds, on a busy machine a minute."""
STOP_S = 30.0


def options(need: Need, ranks: int, group: Any, place: int) -> dict[str, Any]:
    """How the actor is placed that holds a bundle of so many ranks."""
    gpus = need.gpus * ranks / need.ranks
    strategy = PlacementGroupSchedulingStrategy(group, place)
    found = {"num_cpus": ranks * need.cpus_per_rank, "num_gpus": gpus, "scheduling_strategy": strategy}
    return found | ({"memory": ranks * need.memory} if need.memory else {})


def bundle(need: Need, ranks: int) -> dict[str, float]:
    """What so many of a trial's ranks take of one machine."""
    taken = {"CPU": float(ranks * need.cpus_per_rank)}
    if need.gpus:
        taken["GPU"] = need.gpus * ranks / need.ranks
    if need.memory:
        taken["memory"] = float(ranks * need.memory)
    return taken


class RayMate(Mate):
    """A mate that knows the address of its machine."""

    def __init__(self, order: Order, ranks: range, shelf: Shelf | None = None) -> None:
        super().__init__(order, ranks, ray.util.get_node_ip_address(), shelf)


class RayCrew:
    """The mates of one lead, who owns them: they end with it, however it ends."""

    def __init__(self, order: Order, need: Need, layout: Layout, group: Any, shelf: Shelf | None = None) -> None:
        self._order = order
        self._mates: list[Any] = []
        self._asked: dict[int, Any] = {}
        self._heard: dict[int, float] = {}
        self._names: dict[int, str] = {}
        self._addresses: dict[str, int] = {}
        first = layout[0]
        actor = ray.remote(RayMate)
        for place, ranks in enumerate(layout[1:], start=1):
            placed = options(need, ranks, group, place) | {"max_concurrency": 4}
            self._mates.append(actor.options(**placed).remote(order, range(first, first + ranks), shelf))
            first += ranks
        self._bundle_nodes = _nodes_of(group) if self._mates else {}

    def muster(self) -> list[Present]:
        """Call them up. Raises LostError naming the machine that does not answer."""
        asked = [mate.muster.remote(interpreter()) for mate in self._mates]
        found = []
        until = time.monotonic() + MUSTER_S
        for number, answer in enumerate(asked):
            self._names[number] = self._bundle_nodes.get(number + 1, f"machine {number + 2} of the trial")
            present: Present = self._get(number, answer, until - time.monotonic())
            self._names[number] = present.host.name
            self._addresses[present.host.address] = number
            self._heard[number] = time.monotonic()
            found.append(present)
        return found

    def _get(self, number: int, answer: Any, timeout_s: float | None) -> Any:
        try:
            return ray.get(answer, timeout=None if timeout_s is None else max(0.1, timeout_s))
        except RayError as error:  # a time-out is one, too
            words = "did not answer" if isinstance(error, ray.exceptions.GetTimeoutError) else "is gone"
            raise LostError(self._names[number], f"{words} (its process was killed, or the machine is away)") from error

    def beats(self) -> list[Beat]:
        """The answers that have come; whoever has answered is asked again half a second later."""
        found = []
        for number, mate in enumerate(self._mates):
            now = time.monotonic()
            if number not in self._asked:
                if now - self._heard[number] >= BEAT_S:
                    self._asked[number] = mate.beat.remote()
                continue
            ready, _ = ray.wait([self._asked[number]], timeout=0)
            if ready:
                found.append(self._get(number, self._asked.pop(number), 1.0))
                self._heard[number] = now
            elif now - self._heard[number] > self._order.lost_s:
                words = f"was not heard of for {self._order.lost_s:g} s (cluster.lost_s)"
                raise LostError(self._names[number], words)
        return found

    def run(self, address: str, command: str) -> int:
        """Run a command on the machine with that address; its exit code. Raises LostError."""
        number = self._addresses[address]
        return int(self._get(number, self._mates[number].run.remote(command), None))

    def stop(self) -> None:
        """End what runs there; whoever cannot be told ends it by himself."""
        ray.wait([mate.stop.remote() for mate in self._mates], num_returns=len(self._mates), timeout=STOP_S)
        for mate in self._mates:
            ray.kill(mate)
        self._mates = []


def _nodes_of(group: Any) -> dict[int, str]:
    """Bundle -> name of its machine."""
    nodes = {node["NodeID"]: node["NodeManagerHostname"] for node in ray.nodes()}
    placed = ray.util.placement_group_table(group)["bundles_to_node_id"]
    return {int(bundle): nodes.get(node, node) for bundle, node in placed.items()}


class RayLead(Lead):
    """A lead in an actor, with the mates that its placement group has room for."""

    def __init__(self, order: Order, need: Need, layout: Layout, shelf: Shelf | None = None) -> None:
        group = ray.util.get_current_placement_group()
        crew = RayCrew(order, need, layout, group, shelf) if len(layout) > 1 else None
        self._shelf = shelf
        super().__init__(order, layout[0], crew, ray.util.get_node_ip_address(), shelf=shelf)

    def go_on(self, order: Order) -> None:
        """Lead the next trial, with the ranks that stayed; the last one has ended."""
        standing, self.standing = self.standing, None
        super().__init__(order, self.ranks, None, self.address, standing=standing, shelf=self._shelf)
