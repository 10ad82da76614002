"""A command -> a plan: everything that can be known before a machine is asked for, checked."""

import importlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

from hydra.core.override_parser.overrides_parser import OverridesParser

from jack_ray.compose.command import Command
from jack_ray.compose.load import Nodes, absolute, as_yaml, groups, load
from jack_ray.compose.names import REQUIRED, is_group, key_faults, option_faults, swept_faults, text
from jack_ray.compose.schema import Typed, num_ranks, typed
from jack_ray.compose.search import goal_of
from jack_ray.contract.errors import ConfigError, DataError, Fault
from jack_ray.contract.files import canonical, digest, file_sha256
from jack_ray.contract.trial import Trial, is_weights
from jack_ray.methods.roles import Inspection


@dataclass
class Plan:
    """A sweep whose base config holds; makes its trials."""

    typed: tuple[str, ...]
    base: Typed
    overrides: tuple[str, ...]
    """The typed overrides with a single value, which every trial shares."""
    swept_options: tuple[str, ...] = ()
    nodes: Nodes | None = None
    """The whole config of the only trial, in place of overrides (compose/from_run.py)."""
    name: str = ""
    """The sweep's id, in place of the hash."""
    _inspections: dict[str, Inspection] = field(default_factory=dict)

    @property
    def sweep_id(self) -> str:
        """`grid-1f0c9d3a52`: hash of the shared numbers and of what is searched, not of how many trials."""
        if self.name:
            return self.name
        left_out = _SIZE_OF_A_SWEEP | _GOAL
        searched = {key: value for key, value in asdict(self.base.sweep).items() if key not in left_out}
        numbers = [self._trial_of(self.base).id, searched, self.goal, self.swept_options]
        return f"{self.base.sweep.strategy}-{digest(numbers)}"

    @property
    def goal(self) -> tuple[str, Literal["max", "min"]]:
        """The number by which trials are compared, `val/macro_F1`, and whether more of it is better."""
        return goal_of(self.base.train, self.base.sweep)

    def trial(self, point: tuple[str, ...]) -> tuple[Trial, str]:
        """The trial of a point, and its config as YAML. Raises ConfigError or DataError with every fault."""
        nodes = self.nodes if self.nodes is not None else absolute(load(self.overrides, point))
        config, faults = typed(nodes)
        if config is None:
            raise ConfigError([_of_point(fault, point) for fault in faults])
        return self._trial_of(config), as_yaml(nodes)

    def _trial_of(self, config: Typed) -> Trial:
        return Trial(
            method=config.method,
            model=asdict(config.model),
            data=asdict(config.data),
            train=asdict(config.train),
            data_identity=self.inspect(config).identity,
            ranks=num_ranks(config.cluster, config.mpi),
            threads=config.cluster.cpus_per_rank,
            weights_digest=_weights_digest(config),
        )

    def check_points(self, points: Sequence[tuple[str, ...]]) -> list[Trial]:
        """The trials of all points. Raises ConfigError with the faults of every point, each told once."""
        trials: list[Trial] = []
        faults: dict[str, Fault] = {}
        for point in points:
            try:
                trials.append(self.trial(point)[0])
            except ConfigError as error:
                faults |= {str(fault): fault for fault in error.faults}
        if faults:
            raise ConfigError(list(faults.values()))
        return trials

    def inspect(self, config: Typed) -> Inspection:
        """Look at the data set's files, once for each data node. Raises DataError with every fault.

        Raises ConfigError when the model does not fit the data's classes.
        """
        key = canonical([config.method, asdict(config.data)])
        if key not in self._inspections:
            files = importlib.import_module(f"jack_ray.methods.{config.method}.files")
            self._inspections[key] = files.inspect(config.data)
        found = self._inspections[key]
        if found.stops(config.train.on_unreadable):
            hint = "Or type train.on_unreadable=skip to go on without these samples." if found.can_skip else ""
            raise DataError(found.faults, hint)
        if found.labels:
            unfit = importlib.import_module(f"jack_ray.methods.{config.method}.config").check_labels(
                config.model, found.labels
            )
            if unfit:
                raise ConfigError(unfit)
        return found


_SIZE_OF_A_SWEEP = frozenset({"num_trials", "max_concurrent", "max_hours", "max_gpu_hours", "priority"})
_GOAL = frozenset({"metric", "mode"})


def _weights_digest(config: Typed) -> str:
    parts = {key: path for key, path in asdict(config.model).items() if is_weights(key) and path is not None}
    of_parts = {key: _sha256(Path(path)) for key, path in parts.items()}
    whole = _sha256(Path(config.train.weights)) if config.train.weights is not None else ""
    return f"{whole}{digest(of_parts)}" if of_parts else whole


@cache
def _sha256(path: Path) -> str:
    return file_sha256(path)


def _of_point(fault: Fault, point: tuple[str, ...]) -> Fault:
    return replace(fault, where=f"{fault.where} [{' '.join(point)}]") if point else fault


def compose_base(command: Command) -> tuple[Nodes, tuple[str, ...]]:
    """The config without swept settings, and the overrides it was made of.

    Raises ConfigError with every word that names nothing and every value that cannot be, all at once.
    """
    chosen = [override for override in command.overrides if is_group(override)]
    options = {override.key_or_group: [str(override.value())] for override in chosen}
    options |= {key: _options(key, value) for key, value in command.swept.items() if key in groups()}
    faults = [*command.faults, *option_faults(options)]
    first = {key: found[0] for key, found in options.items() if found[0] in groups()[key]}
    nodes: Nodes = {}
    if all(group in first for group in REQUIRED):  # what is wrong elsewhere can be told, too
        nodes, found = _compose_values(command, [f"{key}={option}" for key, option in first.items()])
        faults += found
    if faults:
        raise ConfigError(faults)
    return nodes, tuple(text(override) for override in command.overrides)


def _compose_values(command: Command, options: list[str]) -> tuple[Nodes, list[Fault]]:
    """The config of sound options with the typed values that exist, and the faults of the others."""
    values = [override for override in command.overrides if not is_group(override)]
    bare = load(options)
    faults = key_faults(_keys(values), bare)
    missing = {fault.where for fault in faults}
    kept = [text(override) for override in values if override.key_or_group not in missing]
    nodes = load([*options, *kept])
    faults += swept_faults(list(command.swept), nodes)
    faults += swept_faults(list(nodes["sweep"]["over"] or {}), nodes, "sweep.over.")
    return nodes, faults + typed(_with_swept(absolute(nodes), command.swept))[1]


def _keys(overrides: list[Any]) -> list[str]:
    return [override.key_or_group for override in overrides if not override.is_delete()]


def _options(group: str, expression: str) -> list[str]:
    parsed = OverridesParser.create().parse_override(f"{group}={expression}")
    return [str(value) for value in parsed.sweep_iterator()]


def _with_swept(nodes: Nodes, swept: dict[str, str]) -> Nodes:
    """The config with what was swept on the command line added to the sweep; values for one trial become a grid."""
    sweep = nodes["sweep"]
    if not swept:
        return nodes
    strategy = "grid" if sweep.get("strategy") == "none" else sweep.get("strategy")
    return nodes | {"sweep": sweep | {"strategy": strategy, "over": {**sweep.get("over", {}), **swept}}}


def make_plan(command: Command) -> Plan:
    """Check the command and its data. Raises ConfigError or DataError, each with every fault."""
    nodes, overrides = compose_base(command)
    groups_swept = [key for key in command.swept if key in groups()]
    first = [f"{key}={_options(key, command.swept[key])[0]}" for key in groups_swept]
    nodes = absolute(_with_swept(load([*overrides, *first]), command.swept))
    config, faults = typed(nodes)
    if config is None:
        raise ConfigError(faults)
    plan = Plan(command.typed, config, overrides, tuple(groups_swept))
    plan.inspect(config)
    return plan
