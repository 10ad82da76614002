"""Which machines could hold a trial, in which parts, and why it waits; pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from jack_ray.contract.errors import PlaceError
from jack_ray.place.news import Need, Order

Layout = tuple[int, ...]
"""Ranks on each of the machines that a trial takes, the most first."""

_ENOUGH = 64
"""Free places that are counted; nobody hands over more trials at once."""


@dataclass(frozen=True)
class Machine:
    """One node of the cluster."""

    name: str
    cpus: float
    gpus: float
    free_cpus: float
    free_gpus: float
    id: str = ""
    memory: float = float("inf")
    """Bytes."""
    free_memory: float = float("inf")


@dataclass(frozen=True)
class _Space:
    """What is there on a machine, or what is free on it."""

    cpus: float
    gpus: float
    memory: float

    def ranks(self, need: Need) -> int:
        """How many ranks of such a trial it holds."""
        fitting = self.cpus // need.cpus_per_rank
        if need.memory:
            fitting = min(fitting, self.memory // need.memory)
        if need.gpus >= 1:
            fitting = min(fitting, self.gpus // 1)
        elif need.gpus and (self.gpus < need.gpus or fitting < need.ranks):  # those who share a GPU stay together
            fitting = 0
        return int(min(fitting, need.ranks))

    def less(self, need: Need, ranks: int) -> "_Space":
        """What is left beside so many ranks."""
        gpus = need.gpus * ranks / need.ranks
        memory = self.memory - ranks * need.memory
        return replace(self, cpus=self.cpus - ranks * need.cpus_per_rank, gpus=self.gpus - gpus, memory=memory)


def need_of_attempt(need: Need, order: Order, machines: Sequence[Machine]) -> Need:
    """What an attempt takes: the cores of its threads, which are those that its trial began with.

    A trial that no machine here can hold with so many takes what others take: slow is better than never.
    """
    wanted = replace(need, memory=order.memory, cpus_per_rank=max(need.cpus_per_rank, order.threads))
    fits = layout_ever(replace(wanted, memory=0), machines) is not None
    return wanted if fits else replace(wanted, cpus_per_rank=need.cpus_per_rank)


def _all(machine: Machine) -> _Space:
    return _Space(machine.cpus, machine.gpus, machine.memory)


def _free(machine: Machine) -> _Space:
    return _Space(machine.free_cpus, machine.free_gpus, machine.free_memory)


def _layout(need: Need, spaces: Sequence[_Space]) -> dict[int, int] | None:
    """Position of a space -> ranks on it; None if they do not hold the trial."""
    holds = sorted(((space.ranks(need), place) for place, space in enumerate(spaces)), key=lambda pair: -pair[0])
    holds = [pair for pair in holds if pair[0] > 0]
    counts = [need.nodes] if need.nodes is not None else list(range(1, min(need.ranks, len(holds)) + 1))
    if need.nodes is None and need.placement == "spread":
        counts.reverse()
    for count in counts:
        chosen = holds[:count]
        if len(chosen) == count and sum(ranks for ranks, _ in chosen) >= need.ranks:
            parts = _parts(need, [ranks for ranks, _ in chosen])
            return {place: part for (_, place), part in zip(chosen, parts, strict=True)}
    return None


def _parts(need: Need, holds: Sequence[int]) -> list[int]:
    """The ranks dealt out: one for each machine, then as many as it holds (pack) or in turns (spread)."""
    parts = [1] * len(holds)
    rest = need.ranks - len(holds)
    while rest:
        place = min(
            (place for place in range(len(holds)) if parts[place] < holds[place]),
            key=lambda place: parts[place] if need.placement == "spread" or need.nodes is not None else place,
        )
        parts[place] += 1
        rest -= 1
    return parts


def layout_now(need: Need, machines: Sequence[Machine]) -> Layout | None:
    """How the trial would lie in what is free now; None if it does not fit."""
    found = _layout(need, [_free(machine) for machine in machines])
    return tuple(sorted(found.values(), reverse=True)) if found is not None else None


def layout_ever(need: Need, machines: Sequence[Machine]) -> Layout | None:
    """How the trial would lie if nothing else ran; None if these machines can never hold it."""
    found = _layout(need, [_all(machine) for machine in machines])
    return tuple(sorted(found.values(), reverse=True)) if found is not None else None


def refuse_impossible(need: Need, machines: Sequence[Machine]) -> None:
    """Raise PlaceError if these machines could never hold the trial, naming the largest."""
    if layout_ever(need, machines) is not None:
        return
    largest = max(machines, key=lambda machine: (machine.gpus, machine.cpus), default=None)
    there = "there is no machine"
    if largest is not None:
        there = f"the largest machine, {largest.name}, has {_have(largest.cpus, largest.gpus)}"
    if largest is not None and need.nodes != 1:
        there += f" (of {len(machines)})"
    raise PlaceError(
        f"A trial needs {need} {need.where()}, and {there}.\n"
        "Type a smaller cluster.ranks, cluster.cpus_per_rank or cluster.gpus_per_trial, another "
        "cluster.nodes_per_trial, or cluster.address=host:port of a larger cluster."
    )


def how_many_now(need: Need, machines: Sequence[Machine]) -> int:
    """How many such trials the free parts of the cluster hold."""
    spaces = [_free(machine) for machine in machines]
    count = 0
    while count < _ENOUGH and (found := _layout(need, spaces)) is not None:
        spaces = [space.less(need, found.get(place, 0)) for place, space in enumerate(spaces)]
        count += 1
    return count


def why_waiting(need: Need, machines: Sequence[Machine]) -> str:
    """One sentence for a tired reader."""
    if layout_now(need, machines) is not None:
        return f"waiting for Ray to place it ({need})"
    freest = max(machines, key=lambda machine: (machine.free_gpus, machine.free_cpus), default=None)
    if freest is None:
        return f"waiting for {need}: no machine is up"
    if layout_ever(need, machines) is None:
        return f"waiting for {need} {need.where()}: the cluster (machines: {len(machines)}) cannot hold it"
    where = "" if need.nodes == 1 else f" {need.where()}"
    free = _have(freest.free_cpus, freest.free_gpus)
    return f"waiting for {need}{where}: the largest free place is {free} on {freest.name}"


def _have(cpus: float, gpus: float) -> str:
    return f"{cpus:g} core{'' if cpus == 1 else 's'}" + (f" and {gpus:g} GPU{'' if gpus == 1 else 's'}" if gpus else "")


def if_possible(need: Need, avoid: frozenset[str], machines: list[Machine]) -> frozenset[str]:
    """The machines to leave out, unless the trial fits nowhere without them."""
    left = [machine for machine in machines if machine.name not in avoid]
    return avoid if layout_ever(need, left) is not None or layout_ever(need, machines) is None else frozenset()


def as_wished(need: Need) -> Layout:
    """The parts to ask for on machines that an autoscaler has yet to start."""
    nodes = need.nodes or 1
    return tuple(need.ranks // nodes + (place < need.ranks % nodes) for place in range(nodes))
