"""Config nodes -> typed settings, every fault collected."""

import dataclasses
import importlib
import importlib.util
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jack_ray.compose.load import groups, load
from jack_ray.compose.search import search_faults
from jack_ray.contract.errors import Fault
from jack_ray.contract.schema import (
    ClusterConfig,
    MpiConfig,
    RetryConfig,
    SiteConfig,
    SweepConfig,
    TrackingConfig,
    TrainConfig,
)
from jack_ray.contract.settings import nearest, read
from jack_ray.contract.trial import is_weights

STAGES: dict[str, Any] = {
    "train": TrainConfig,
    "sweep": SweepConfig,
    "cluster": ClusterConfig,
    "mpi": MpiConfig,
    "retry": RetryConfig,
    "tracking": TrackingConfig,
    "site": SiteConfig,
}
"""Node -> its schema; those of model and data are the method's."""

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
    retry: RetryConfig
    tracking: TrackingConfig
    site: SiteConfig
    dry_run: bool
    fresh: bool
    more: int
    """Trials to add to a sweep that has all it was to have."""


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
    values: dict[str, Any] = {}
    method = nodes["model"].get("name")
    schemas = dict(STAGES)
    if method in methods():
        config = _config_of(method)
        schemas |= {"model": config.Config, "data": config.DataConfig}
    else:
        faults.append(Fault("model.name", repr(method), "a method", nearest(str(method), methods())))
    for name, schema in schemas.items():
        foreign = _foreign_data(str(method), nodes[name], schema) if name == "data" else []
        values[name], found = (None, foreign) if foreign else read(schema, nodes[name], name)
        faults.extend(found)
    faults += _top_faults(nodes)
    faults += _cross_faults(values["train"], values["cluster"], values["mpi"])
    faults += search_faults(values["train"], values["sweep"])
    faults += _weights_faults(nodes["model"])
    if method in methods() and None not in (values["model"], values["data"], values["train"]):
        faults += _config_of(method).check(values["model"], values["data"], values["train"])
    if faults:
        return None, faults
    return Typed(method=method, **values, more=nodes["more"], **{name: nodes[name] for name in _SWITCHES}), []


_FOREIGN = 3
"""A data node that lacks so many settings and has as many unknown ones is another method's, not full of mistakes."""


def _foreign_data(method: str, node: Mapping[str, Any], schema: Any) -> list[Fault]:
    wanted = {field.name for field in dataclasses.fields(schema)}
    if len(wanted - node.keys()) < _FOREIGN or len(node.keys() - wanted) < _FOREIGN:
        return []
    model = next(option for option in groups()["model"] if load([f"model={option}"])["model"]["name"] == method)
    nodes = {option: load([f"model={model}", f"data={option}"])["data"] for option in groups()["data"]}
    readable = ", ".join(option for option, found in nodes.items() if found.keys() == wanted)
    found = f"{node.get('name')!r}, a data set that {method} cannot read"
    return [Fault("data", found, f"one of {readable}", f"Type data={readable.partition(',')[0]}, or leave data out.")]


def method_faults(method: str, nodes: Mapping[str, Any]) -> list[Fault]:
    """Hold the nodes model, data and train of one method against their schemas: every fault."""
    config = _config_of(method)
    values: dict[str, Any] = {}
    faults: list[Fault] = []
    for name, schema in {"model": config.Config, "data": config.DataConfig, "train": TrainConfig}.items():
        foreign = _foreign_data(method, nodes[name], schema) if name == "data" else []
        values[name], found = (None, foreign) if foreign else read(schema, nodes[name], name)
        faults.extend(found)
    if None in values.values():
        return faults
    checked: list[Fault] = config.check(values["model"], values["data"], values["train"])
    return faults + checked


def operators(method: str) -> int:
    """About how many operators Jittor compiles for a method the first time, for the progress that is shown."""
    return int(_config_of(method).OPERATORS)


def _config_of(method: str) -> Any:
    return importlib.import_module(f"jack_ray.methods.{method}.config")


def _top_faults(nodes: Mapping[str, Any]) -> list[Fault]:
    known = ["model", "data", *STAGES, *_SWITCHES, "more"]
    unknown = [key for key in nodes if key not in known]
    faults = [Fault(key, "no such setting", "a node of the config", nearest(key, known)) for key in unknown]
    wrong = [name for name in _SWITCHES if not isinstance(nodes[name], bool)]
    faults += [Fault(name, repr(nodes[name]), "true or false") for name in wrong]
    if type(nodes["more"]) is not int or nodes["more"] < 0:
        faults.append(Fault("more", repr(nodes["more"]), "a whole number of trials >= 0"))
    return faults


def num_ranks(cluster: ClusterConfig, mpi: MpiConfig) -> int:
    """The ranks of a trial: as set, else one a GPU, else two where this machine has two cores."""
    if cluster.ranks is not None:
        return cluster.ranks
    if cluster.gpus_per_trial:
        return max(1, round(cluster.gpus_per_trial))
    if mpi.kind == "none":
        return 1
    return 2 if cluster.address is not None else min(2, len(os.sched_getaffinity(0)))


def _cross_faults(train: TrainConfig | None, cluster: ClusterConfig | None, mpi: MpiConfig | None) -> list[Fault]:
    """Impossible combinations of nodes that are sound in themselves; None stands for one that is not."""
    faults = []
    ranks = num_ranks(cluster, mpi) if cluster is not None and mpi is not None else None
    if train is not None and ranks is not None and train.batch % ranks:
        faults.append(_indivisible(train.batch, ranks))
    if mpi is not None and mpi.kind == "none" and ranks is not None and ranks > 1:
        faults.append(Fault("cluster.ranks", str(ranks), "1 with mpi=none", "Type mpi=openmpi, or cluster.ranks=1."))
    if cluster is not None and ranks is not None:
        faults += _place_faults(cluster, ranks)
    if train is not None and train.weights is not None and not os.path.isfile(train.weights):
        faults.append(Fault("train.weights", f"no file {train.weights}", "a file with weights"))
    return faults


def _place_faults(cluster: ClusterConfig, ranks: int) -> list[Fault]:
    """Gangs that no machine could form."""
    faults = []
    gpus, nodes = cluster.gpus_per_trial, cluster.nodes_per_trial
    if gpus > 1 and gpus != round(gpus):
        remedy = f"Type cluster.gpus_per_trial={round(gpus)}."
        faults.append(Fault("cluster.gpus_per_trial", f"{gpus:g}", "a whole number, or a part of one GPU", remedy))
    elif gpus >= 1 and gpus != ranks:
        expected = "as many ranks as GPUs: Jittor takes one GPU a rank"
        remedy = f"Type cluster.ranks={gpus:g}, or leave it out."
        faults.append(Fault("cluster.ranks", f"{ranks} for {gpus:g} GPUs", expected, remedy))
    if 0 < gpus < 1 and ranks > 1:
        expected = "1 with a part of a GPU: NCCL does not let ranks share one"
        faults.append(Fault("cluster.ranks", f"{ranks} for {gpus:g} of a GPU", expected, "Type cluster.ranks=1."))
    if nodes is not None and nodes > ranks:
        remedy = f"Type cluster.nodes_per_trial={ranks}, or cluster.ranks={nodes}."
        faults.append(Fault("cluster.nodes_per_trial", f"{nodes} for {ranks} ranks", "a rank on each machine", remedy))
    if nodes is not None and nodes > 1 and 0 < gpus < 1:
        faults.append(Fault("cluster.nodes_per_trial", f"{nodes}", "1 where the ranks share a GPU"))
    if nodes is not None and nodes > 1 and (cluster.kind == "inline" or cluster.address is None):
        expected = "1 on this machine alone"
        faults.append(Fault("cluster.nodes_per_trial", f"{nodes}", expected, "Type cluster=running."))
    return faults


def _weights_faults(model: Mapping[str, Any]) -> list[Fault]:
    paths = {key: path for key, path in model.items() if is_weights(key) and isinstance(path, str)}
    return [
        Fault(f"model.{key}", f"no file {path}", "a file with weights, or null")
        for key, path in paths.items()
        if not os.path.isfile(path)
    ]


def _indivisible(batch: int, ranks: int) -> Fault:
    fitting = batch - batch % ranks or ranks
    divisor = next(part for part in range(ranks, 0, -1) if batch % part == 0)
    remedy = f"Type train.batch={fitting}, or cluster.ranks={divisor}."
    return Fault("train.batch", f"{batch} does not divide among {ranks} ranks", f"a multiple of {ranks}", remedy)
