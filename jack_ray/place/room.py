"""Which machine could hold a trial, and why it waits; pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from jack_ray.contract.errors import PlaceError
from jack_ray.place.news import Need


@dataclass(frozen=True)
class Machine:
    """One node of the cluster."""

    name: str
    cpus: float
    gpus: float
    free_cpus: float
    free_gpus: float


def fits(need: Need, cpus: float, gpus: float) -> bool:
    """Whether so much is enough."""
    return need.cpus <= cpus and need.gpus <= gpus


def refuse_impossible(need: Need, machines: Sequence[Machine]) -> None:
    """Raise PlaceError if no machine could ever hold the trial, naming the largest."""
    if any(fits(need, machine.cpus, machine.gpus) for machine in machines):
        return
    largest = max(machines, key=lambda machine: (machine.gpus, machine.cpus), default=None)
    there = "there is no machine"
    if largest is not None:
        there = f"the largest machine, {largest.name}, has {_have(largest.cpus, largest.gpus)}"
    raise PlaceError(
        f"A trial needs {need} on one machine, and {there}.\n"
        "Type a smaller cluster.ranks, cluster.cpus_per_rank or cluster.gpus_per_rank, "
        "or cluster.address=host:port of a larger cluster."
    )


def how_many_now(need: Need, machines: Sequence[Machine]) -> int:
    """How many such trials the free parts of the cluster hold."""
    return sum(_times(need, machine.free_cpus, machine.free_gpus) for machine in machines)


def _times(need: Need, cpus: float, gpus: float) -> int:
    by_gpu = int(gpus // need.gpus) if need.gpus else int(cpus // need.cpus)
    return min(int(cpus // need.cpus), by_gpu)


def why_waiting(need: Need, machines: Sequence[Machine]) -> str:
    """One sentence for a tired reader."""
    if any(fits(need, machine.free_cpus, machine.free_gpus) for machine in machines):
        return f"waiting for Ray to place it ({need})"
    freest = max(machines, key=lambda machine: (machine.free_gpus, machine.free_cpus), default=None)
    if freest is None:
        return f"waiting for {need}: no machine is up"
    return f"waiting for {need}: the largest free place is {_have(freest.free_cpus, freest.free_gpus)} on {freest.name}"


def _have(cpus: float, gpus: float) -> str:
    return f"{cpus:g} core{'' if cpus == 1 else 's'}" + (f" and {gpus:g} GPU{'' if gpus == 1 else 's'}" if gpus else "")
