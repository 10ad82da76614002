"""Are the options and settings that were typed there at all? Told with the nearest that are."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from hydra.core.override_parser.types import Override

from jack_ray.compose.load import flat, groups
from jack_ray.contract.errors import Fault
from jack_ray.contract.settings import nearest

Nodes = Mapping[str, Any]

REQUIRED = ("model",)

SWEEPABLE = ("model", "data", "train")
"""The nodes that make a trial another trial."""


GOAL = ("train.select_on", "train.metric", "train.mode")
"""Together they name the number by which trials are compared."""


def option_faults(chosen: Mapping[str, Sequence[str]]) -> list[Fault]:
    """A fault for every group option that does not exist, and for a required group without one."""
    faults = []
    for group, options in chosen.items():
        known = groups()[group]
        for option in options:
            if option not in known:
                remedy = nearest(option, known)
                faults.append(Fault(f"{group}={option}", "no such option", f"a file of conf/{group}/", remedy))
    for group in REQUIRED:
        if group not in chosen:
            listed = ", ".join(groups()[group])
            faults.append(Fault(group, "not chosen", f"one of {listed}", f"Type {group}={groups()[group][0]}"))
    return faults


def is_group(override: Override) -> bool:
    """Whether an override chooses a file of `conf/`."""
    return override.key_or_group in groups()


def text(override: Override) -> str:
    """The override as it was typed."""
    return str(override.input_line)


def key_faults(keys: Sequence[str], nodes: Nodes) -> list[Fault]:
    """A fault for every key that the config does not have."""
    known = [name for name in (*flat(nodes), *nodes) if not name.startswith("sweep.over.")]
    inner = {key.rpartition(".")[0] for key in flat(nodes)}
    faults = []
    for key in keys:
        if key not in known and key not in inner:
            node = key.partition(".")[0]
            close = [name for name in known if name.startswith(f"{node}.")] if node in nodes else list(nodes)
            same_leaf = [name for name in known if name.rpartition(".")[2] == key.rpartition(".")[2]]
            remedy = f"Did you mean {same_leaf[0]}?" if same_leaf else nearest(key, close)
            faults.append(Fault(key, "no such setting", "a setting of the config", remedy))
    return faults


def swept_faults(keys: Sequence[str], nodes: Nodes, prefix: str = "") -> list[Fault]:
    """A fault for every swept key that the config does not have, or whose values would all be the same trial.

    prefix: goes before the key in the fault, for keys that were not typed.
    """
    faults = key_faults([key for key in keys if key not in groups()], nodes)
    expected = "one value; only settings of model, data and train can be swept"
    for key in keys:
        node = key.partition(".")[0]
        if node in nodes and node not in SWEEPABLE:
            faults.append(Fault(key, "several values", expected, "Type a launch for each."))
        if key in GOAL:
            one = "one value: it is what the trials of a sweep are compared by"
            faults.append(Fault(key, "several values", one, "Type a launch for each."))
    return [replace(fault, where=f"{prefix}{fault.where}") for fault in faults]
