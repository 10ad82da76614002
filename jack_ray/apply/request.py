"""What was typed after `jack_ray.test` or `jack_ray.predict` -> a checked order."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import isinf, isnan, nan
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from jack_ray.apply.source import find_checkpoint
from jack_ray.compose import read_command
from jack_ray.compose.load import Nodes, absolute, groups, load
from jack_ray.compose.names import is_group, key_faults
from jack_ray.compose.plan import compose_base
from jack_ray.compose.schema import method_faults
from jack_ray.contract.checkpoint import MODEL, load_about
from jack_ray.contract.errors import ConfigError, Fault
from jack_ray.contract.settings import nearest
from jack_ray.contract.trial import Trial

LEAST_S = 0.1
"""Shortest time that can be typed."""
PLACES = ("site", "tracking")
"""Nodes that say where things are, not what the model is."""
NODES = (*PLACES, "model", "data", "train", "cluster", "mpi", "sweep")
"""What may be chosen by one word."""


@dataclass(frozen=True)
class Trained:
    """The model that was asked for."""

    trial: Trial
    weights: Path
    labels: tuple[str, ...]
    jittor_home: Path
    title: str


def split_words(arguments: Sequence[str], own: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The values of the command's own words, and the words about nodes. Raises ConfigError for all others."""
    values = dict(own)
    rest, faults, seen = [], [], set()
    for word in arguments:
        key, equals, value = word.partition("=")
        if equals and key.isidentifier() and key not in (*own, *NODES):
            faults.append(Fault(key, "no such setting", "a word of --help", nearest(key, list(own))))
        elif not equals or key not in own:
            rest.append(word)
        elif not value or key in seen:
            faults.append(Fault(word, "typed twice" if key in seen else "no value", f"{key}=VALUE once"))
        else:
            values[key] = value
            seen.add(key)
    if faults:
        raise ConfigError(faults)
    return values, rest


def read_words(
    arguments: Sequence[str],
    own: Mapping[str, str],
    nodes: Sequence[str],
    refusal: tuple[str, str],
    find_faults: Callable[[Mapping[str, str]], list[Fault]],
) -> tuple[dict[str, str], Nodes]:
    """The values of the command's own words, and the config with what was typed of some nodes, paths absolute.

    refusal: what is wrong with a setting of another node, and what was expected. find_faults: of the own words.
    Raises ConfigError with every fault.
    """
    values, rest = split_words(arguments, own)
    command = read_command(rest)
    keys = [*(override.key_or_group for override in command.overrides), *command.swept]
    faults = [*find_faults(values), *command.faults]
    faults += [Fault(f"{key}=..", *refusal) for key in keys if key.partition(".")[0] not in nodes]
    faults += [Fault(key, "several values", "one value") for key in command.swept if key.partition(".")[0] in nodes]
    if faults:
        raise ConfigError(faults)
    return values, absolute(load([f"model={groups()['model'][0]}", *rest]))


def find_trained(values: Mapping[str, str], rest: Sequence[str], own: Sequence[str]) -> Trained:
    """The model of `run=` (a run, trial or checkpoint) or of `weights=` with `model=`.

    rest: settings of data, model, train, site or tracking that differ from the trained ones.
    Raises ConfigError with every fault, JackRayError when the run has no checkpoint.
    """
    if bool(values["run"]) == bool(values["weights"]):
        found = "both typed" if values["run"] else "not typed"
        remedy = "Type run=RUN for a trained trial, or weights=FILE model=METHOD for published weights."
        raise ConfigError([Fault("run or weights", found, "one of them", remedy)])
    return _of_run(values["run"], rest, own) if values["run"] else _of_weights(values, rest)


def _of_run(run: str, rest: Sequence[str], own: Sequence[str]) -> Trained:
    command = read_command(list(rest))
    faults = [*command.faults]
    faults += [Fault(key, "several values", "one value") for key in command.swept]
    faults += [
        Fault(f"model={override.value()}", "chosen anew", "the run's own model", "Leave it out.")
        for override in command.overrides
        if override.key_or_group == "model"
    ]
    if faults:
        raise ConfigError(faults)
    of_places = [override for override in command.overrides if override.key_or_group.partition(".")[0] in PLACES]
    places = absolute(load([f"model={groups()['model'][0]}", *(str(override.input_line) for override in of_places)]))
    folder = find_checkpoint(run, Path(places["site"]["runs"]), _absolute_uri(places["tracking"]["uri"]))
    about = load_about(folder)
    nodes = {"model": about.trial.model, "data": about.trial.data, "train": about.trial.train}
    changed = _changed(nodes, [override for override in command.overrides if override not in of_places], own)
    changed = absolute(changed | {"site": places["site"]})
    faults = method_faults(about.trial.method, changed)
    if faults:
        raise ConfigError(faults)
    trial = replace(about.trial, model=changed["model"], data=changed["data"], train=changed["train"], ranks=1)
    title = f"{about.trial.id} {folder.name}"
    return Trained(trial, folder / MODEL, about.labels, Path(places["site"]["jittor"]), title)


def _absolute_uri(uri: str) -> str:
    from jack_ray.upload import absolute_uri

    return absolute_uri(uri)


def _changed(nodes: Nodes, overrides: Sequence[Any], own: Sequence[str]) -> Nodes:
    """The nodes with what was typed laid over. Raises ConfigError for what they do not have."""
    options = [override for override in overrides if is_group(override)]
    values = [override for override in overrides if not is_group(override)]
    faults = [
        Fault(f"{override.key_or_group}={override.value()}", "cannot be chosen anew", "data=OPTION or single settings")
        for override in options
        if override.key_or_group != "data" or override.value() not in groups()["data"]
    ]
    unknown = key_faults([override.key_or_group for override in values if "." in override.key_or_group], nodes)
    bare = [override.key_or_group for override in values if "." not in override.key_or_group]
    faults += unknown + [
        Fault(key, "no such setting", "a word of --help", nearest(key, [*own, *nodes])) for key in bare
    ]
    if faults:
        raise ConfigError(faults)
    changed = {name: dict(node) for name, node in nodes.items()}
    for override in options:
        changed["data"] = load([f"model={groups()['model'][0]}", f"data={override.value()}"])["data"]
    for override in values:
        node, _, key = override.key_or_group.partition(".")
        changed[node][key] = override.value()
    return changed


def _of_weights(values: Mapping[str, str], rest: Sequence[str]) -> Trained:
    path = Path(values["weights"]).expanduser().resolve()
    if not path.is_file():
        raise ConfigError([Fault(f"weights={values['weights']}", "no such file", "a .safetensors, .pth or .pkl file")])
    nodes, _ = compose_base(read_command(list(rest)))
    nodes = absolute(nodes)
    method = str(nodes["model"]["name"])
    trial = Trial(method, nodes["model"], nodes["data"], nodes["train"], "", 1, 1)
    labels = tuple(label.strip() for label in values["labels"].split(",") if label.strip())
    return Trained(trial, path, labels, Path(nodes["site"]["jittor"]), path.name)


def place_faults(values: Mapping[str, str], folder: str, file: str = "") -> list[Fault]:
    """Where results cannot be written, told before anything is computed; makes the folders.

    folder, file: which of the command's words name a folder and a file to write.
    """
    faults = []
    for key in filter(values.get, (folder, file)):
        path = Path(values[key]).expanduser()
        found = "is a folder" if key == file and path.is_dir() else ""
        try:
            place = path.parent if key == file else path
            place.mkdir(parents=True, exist_ok=True)
            with TemporaryFile(dir=place):
                pass
        except OSError as error:
            found = f"cannot be written ({error.strerror})"
        if found:
            faults.append(Fault(f"{key}={values[key]}", found, f"a {'file' if key == file else 'folder'} to write"))
    return faults


def switch_faults(values: Mapping[str, str], *keys: str) -> list[Fault]:
    """Values that are neither true nor false; of `gpu`, unless others are named."""
    return [
        Fault(f"{key}={values[key]}", "neither true nor false", f"{key}=true")
        for key in keys or ("gpu",)
        if values[key] not in ("true", "false")
    ]


def seconds_faults(values: Mapping[str, str], key: str) -> list[Fault]:
    """A time that is no number of seconds, or shorter than `LEAST_S`."""
    try:
        seconds = float(values[key])
    except ValueError:
        seconds = nan
    found = "not a number" if isnan(seconds) else "not long enough" if seconds < LEAST_S else ""
    found = found or ("without an end" if isinf(seconds) else "")
    return [Fault(f"{key}={values[key]}", found, f"seconds, at least {LEAST_S:g}", f"{key}=10")] if found else []


def whole_number(values: Mapping[str, str], key: str) -> int:
    """A value that must be a whole number above 0. Raises ConfigError."""
    text = values[key]
    if not text.isdecimal() or int(text) < 1:
        raise ConfigError([Fault(f"{key}={text}", "not a whole number above 0", f"{key}=8")])
    return int(text)


def about_order(trained: Trained) -> dict[str, Any]:
    """What a written result says of the model."""
    return {"model": trained.title, "weights": str(trained.weights), "trial": asdict(trained.trial)}
