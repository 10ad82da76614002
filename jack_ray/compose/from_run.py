"""A trial that was trained -> a plan that trains exactly it again."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from jack_ray.compose.command import Command, read_command
from jack_ray.compose.load import Nodes, absolute, flat, groups, load
from jack_ray.compose.plan import Plan, compose_base
from jack_ray.compose.schema import typed
from jack_ray.contract.errors import ConfigError, Fault
from jack_ray.contract.trial import DOES_NOT_CHANGE_NUMBERS, Trial, is_weights
from jack_ray.contract.trial import PLACES as PLACES_OF_DATA

WORD = "from_run="
PLACES = ("site", "tracking", "cluster", "mpi", "retry")
"""Nodes that say where and how a trial runs."""
SHAPE = ("gpus_per_trial", "nodes_per_trial", "placement")
"""Settings of `cluster` that are the trial's, not the machine's."""


def split_words(argv: Sequence[str]) -> tuple[str | None, list[str]]:
    """The run that is to be trained again, if one is named, and the other words. Raises ConfigError."""
    runs = [word.removeprefix(WORD) for word in argv if word.startswith(WORD)]
    if len(runs) > 1 or "" in runs:
        raise ConfigError([Fault("from_run", "typed twice" if len(runs) > 1 else "no value", "one run: from_run=RUN")])
    return (runs[0] if runs else None), [word for word in argv if not word.startswith(WORD)]


def places(words: Sequence[str], method: str | None = None) -> tuple[Command, Nodes]:
    """What was typed beside the run, and the config with it, paths absolute.

    method: that of the trial, once it is known. Raises ConfigError for words that name nothing, and for those that
    would make it another trial.
    """
    command = read_command(list(words))
    keys = [*(override.key_or_group for override in command.overrides), *command.swept]
    faults = [
        Fault(f"{key}=..", "would make it another trial", "only where and how it runs: data.root, site, cluster, ..",
              "To change a number, type the command without from_run.")
        for key in keys
        if not _is_place(key)
    ]  # fmt: skip
    faults += [Fault(key, "several values", "one value") for key in command.swept if _is_place(key)]
    if faults or command.faults:
        raise ConfigError([*command.faults, *faults])
    option = next(name for name in groups()["model"] if method in (None, load([f"model={name}"])["model"]["name"]))
    mine = [
        override for override in command.overrides if override.key_or_group.partition(".")[0] in (*PLACES, "dry_run")
    ]
    chosen = read_command([f"model={option}", *(str(override.input_line) for override in mine)])
    nodes, _ = compose_base(chosen)
    return command, absolute(nodes)


def _is_place(key: str) -> bool:
    node, _, name = key.partition(".")
    if node in PLACES:
        return key != "cluster.ranks" and key != "cluster.cpus_per_rank"
    kept = node == "train" and name in DOES_NOT_CHANGE_NUMBERS
    kept |= node == "data" and name in PLACES_OF_DATA
    return key == "dry_run" or kept or (node == "model" and is_weights(name))


def plan_again(
    trial: Trial, config: Mapping[str, Any], words: Sequence[str], runs: Path, name: str
) -> tuple[Plan, list[str]]:
    """The plan, and the settings that the trial does not know because they are newer.

    config: the composed config that the trial was started with, as far as it is known. words: all that was typed.
    runs: where it is trained. name: the sweep's id. Raises ConfigError when this version cannot have its settings
    or it is a part of a population's training, DataError for its data.
    """
    if trial.origin is not None or trial.until is not None:
        expected = "a trial that begins and ends by itself"
        remedy = "Type the sweep's command with site.runs=FOLDER to train the whole population again."
        raise ConfigError([Fault(trial.id, "a part of a population's training", expected, remedy)])
    command, base = places(split_words(words)[1], trial.method)
    typed_values = {one.key_or_group: one.value() for one in command.overrides if "." in one.key_or_group}
    nodes, newer = dict(base), []
    for node, values in {"model": trial.model, "data": trial.data, "train": trial.train}.items():
        known = base[node] if node != "data" else _data_defaults(trial)
        newer += [f"{node}.{key}" for key in known if key not in values]
        mine = {key.partition(".")[2]: value for key, value in typed_values.items() if key.startswith(f"{node}.")}
        nodes[node] = {key: value for key, value in known.items() if key not in values} | values | mine
    shape = {key: value for key, value in config.get("cluster", {}).items() if key in SHAPE and key in base["cluster"]}
    shape = {key: value for key, value in shape.items() if f"cluster.{key}" not in typed_values}
    nodes["cluster"] = base["cluster"] | shape | {"ranks": trial.ranks, "cpus_per_rank": trial.threads}
    if trial.ranks == 1 and config.get("mpi", {}).get("kind") == "none" and "mpi.kind" not in typed_values:
        nodes["mpi"] = base["mpi"] | {"kind": "none"}
    nodes["site"] = base["site"] | {"runs": str(runs)}
    nodes = absolute(nodes)
    held, faults = typed(nodes)
    if held is None:
        raise ConfigError(faults, "The run was trained by another version of jack_ray: check out its commit.")
    plan = Plan(tuple(words), held, (), nodes=nodes, name=name)
    plan.inspect(held)
    return plan, newer


def _data_defaults(trial: Trial) -> dict[str, Any]:
    """The data option that has the trial's name for its data; where none has, nothing can be newer."""
    for option in groups()["data"]:
        node = load([f"model={groups()['model'][0]}", f"data={option}"])["data"]
        if node.get("name") == trial.data.get("name") and trial.data.keys() <= node.keys():
            return dict(node)
    return {}


def changed_settings(before: Trial, now: Trial) -> list[str]:
    """`train.lr: 0.1 was, 0.2 is` for every number of the trial that is not what it was."""
    found = []
    for node in ("model", "data", "train"):
        old, new = flat(getattr(before, node)), flat(getattr(now, node))
        skipped = DOES_NOT_CHANGE_NUMBERS | PLACES_OF_DATA
        for key in dict.fromkeys([*old, *new]):
            if key not in skipped and not is_weights(key) and _plain(old.get(key)) != _plain(new.get(key)):
                found.append(f"{node}.{key}: {old.get(key)!r} was, {new.get(key)!r} is")
    return found


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def read_yaml(text: str) -> dict[str, Any]:
    """A composed config as it lies beside a trial; empty when it cannot be read."""
    try:
        values = OmegaConf.to_container(OmegaConf.create(text))
    except (OmegaConfBaseException, YAMLError):
        return {}
    return {str(key): value for key, value in values.items()} if isinstance(values, dict) else {}
