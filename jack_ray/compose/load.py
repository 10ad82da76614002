"""Overrides -> the composed config as plain values. The only place that asks Hydra to compose."""

import copy
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, cast

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from jack_ray.contract.errors import ConfigError, Fault
from jack_ray.contract.trial import is_weights

Nodes = dict[str, Any]


def config_folder() -> Path:
    """`conf/`: inside an installed package, beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "conf"
    return installed if installed.is_dir() else package.parent / "conf"


@cache
def groups() -> dict[str, tuple[str, ...]]:
    """Group -> its options: the folders of `conf/` and the files in them."""
    folders = sorted(path for path in config_folder().iterdir() if path.is_dir())
    return {folder.name: tuple(sorted(path.stem for path in folder.glob("*.yaml"))) for folder in folders}


@contextmanager
def _hydra() -> Iterator[None]:
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(config_folder()), version_base="1.3"):
        yield


@cache
def _composed(overrides: tuple[str, ...]) -> DictConfig:
    with _hydra():
        return compose("config", overrides=list(overrides))


def load(overrides: Sequence[str], point: Sequence[str] = ()) -> Nodes:
    """Compose `conf/config.yaml` with overrides and those of a point; interpolations resolved.

    A point that chooses no option is laid over the composed rest, which takes a tenth of composing it.
    Raises ConfigError with Hydra's words when it does not compose.
    """
    try:
        parsed = [OverridesParser.create().parse_override(word) for word in point]
        if any(override.key_or_group in groups() for override in parsed):
            config = _composed((*overrides, *point))
        else:
            config = copy.deepcopy(_composed(tuple(overrides)))
            for override in parsed:
                OmegaConf.update(config, override.key_or_group, override.value(), merge=True)
        return cast(Nodes, OmegaConf.to_container(config, resolve=True, throw_on_missing=False))
    except (HydraException, OmegaConfBaseException) as error:
        words = " ".join([*overrides, *point])
        raise ConfigError([Fault(words, _words(error), "a config that composes")]) from error


def _words(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:2])


def flat(nodes: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """`{"train": {"lr": 1}}` -> `{"train.lr": 1}`; lists stay values."""
    found: dict[str, Any] = {}
    for key, value in nodes.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            found |= flat(value, f"{name}.")
        else:
            found[name] = value
    return found


def absolute(nodes: Nodes) -> Nodes:
    """The config with every path absolute: `~` is the user's home, relative paths count from this folder."""
    data, site, train, model = nodes["data"], nodes["site"], nodes["train"], nodes["model"]
    return nodes | {
        "model": {key: _absolute(value) if is_weights(key) else value for key, value in model.items()},
        "data": data | {key: _absolute(data.get(key)) for key in ("root", *(data.keys() & {"feature_folder"}))},
        "site": {key: _absolute(value) for key, value in site.items()},
        "train": train | {"weights": _absolute(train.get("weights"))},
    }


def _absolute(value: Any) -> Any:
    return os.path.abspath(os.path.expanduser(value)) if isinstance(value, str) else value


def as_yaml(nodes: Mapping[str, Any]) -> str:
    """The config as a person reads it."""
    return OmegaConf.to_yaml(OmegaConf.create(dict(nodes)))
