"""Config nodes -> typed settings, every fault collected."""

import importlib
import importlib.util
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jack_ray.contract.errors import Fault
from jack_ray.contract.schema import (
    ClusterConfig,
    MpiConfig,
    SiteConfig,
    SweepConfig,
    TrackingConfig,
    TrainConfig,
)
from jack_ray.contract.settings import nearest, read

_STAGES: dict[str, type] = {
    "train": TrainConfig,
    "sweep": SweepConfig,
    "cluster": ClusterConfig,
    "mpi": MpiConfig,
    "tracking": TrackingConfig,
    "site": SiteConfig,
}
_SWITCHES = ("dry_run", "fresh")


@dataclass(frozen=True)
class Typed:
    """The whole config, held against the schemas."""

    method: str
    model: Any
    data: Any
    train: TrainConfig
    sweep: SweepConfig
    cluster: ClusterConfig
    mpi: MpiConfig
    tracking: TrackingConfig
    site: SiteConfig
    dry_run: bool
    fresh: bool


def methods() -> list[str]:
    """The folders of `jack_ray.methods` that have a config.py: a method's name is its registration."""
    package = importlib.util.find_spec("jack_ray.methods")
    folders = package.submodule_search_locations if package else None
    return sorted(
        name
        for folder in folders or []
        for name in os.listdir(folder)
        if os.path.isfile(os.path.join(folder, name, "config.py"))
    )


def typed(nodes: Mapping[str, Any]) -> tuple[Typed | None, list[Fault]]:
    """Hold every node against its schema: the typed config, or every fault of every node."""
    faults: list[Fault] = []
    read_nodes: dict[str, Any] = {}
    method = nodes["model"].get("name")
    if method not in methods():
        faults.append(Fault("model.name", repr(method), "a method", nearest(str(method), methods())))
    else:
        config = importlib.import_module(f"jack_ray.methods.{method}.config")
        for name, schema in (("model", config.Config), ("data", config.DataConfig)):
            read_nodes[name], found = read(schema, nodes[name], name)
            faults.extend(found)
    for name, schema in _STAGES.items():
        read_nodes[name], found = read(schema, nodes[name], name)
        faults.extend(found)
    for name in _SWITCHES:
        read_nodes[name] = nodes[name]
        if not isinstance(nodes[name], bool):
            faults.append(Fault(name, repr(nodes[name]), "true or false"))
    known = {"model", "data", *_STAGES, *_SWITCHES}
    faults += [Fault(key, "no such setting", "a node of the config", nearest(key, sorted(known))) for key in nodes if key not in known]
    if faults:
        return None, faults
    typed_config = Typed(method=method, **read_nodes)
    faults = [*_cross_faults(typed_config), *importlib.import_module(f"jack_ray.methods.{method}.config").check(
        typed_config.model, typed_config.data, typed_config.train
    )]
    return (None, faults) if faults else (typed_config, [])


def num_ranks(cluster: ClusterConfig, mpi: MpiConfig) -> int:
    """The ranks of a trial: as set, else two where this machine has two cores."""
    if cluster.ranks is not None:
        return cluster.ranks
    if mpi.kind == "none":
        return 1
    return 2 if cluster.address is not None else min(2, len(os.sched_getaffinity(0)))


def _cross_faults(config: Typed) -> list[Fault]:
    faults = []
    ranks = num_ranks(config.cluster, config.mpi)
    if config.train.batch % ranks:
        fitting = config.train.batch - config.train.batch % ranks or ranks
        faults.append(
            Fault(
                "train.batch",
                f"{config.train.batch} does not divide among {ranks} ranks",
                f"a multiple of {ranks}",
                f"Type train.batch={fitting}, or cluster.ranks={_largest_divisor(config.train.batch, ranks)}.",
            )
        )
    if config.mpi.kind == "none" and ranks > 1:
        faults.append(Fault("cluster.ranks", str(ranks), "1 with mpi=none", "Type mpi=openmpi, or cluster.ranks=1."))
    if config.train.weights is not None and not os.path.isfile(config.train.weights):
        faults.append(Fault("train.weights", f"no file {config.train.weights}", "a file with weights"))
    return faults


def _largest_divisor(number: int, limit: int) -> int:
    return next(part for part in range(limit, 0, -1) if number % part == 0)
