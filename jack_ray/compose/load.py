"""Overrides -> the composed config as plain values. The only place that asks Hydra to compose."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, cast

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from jack_ray.contract.errors import ConfigError, Fault

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


def load(overrides: Sequence[str]) -> Nodes:
    """Compose `conf/config.yaml` with overrides; interpolations resolved.

    Raises ConfigError with Hydra's words when it does not compose.
    """
    try:
        with _hydra():
            config = compose("config", overrides=list(overrides))
        return cast(Nodes, OmegaConf.to_container(config, resolve=True, throw_on_missing=False))
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError([Fault(" ".join(overrides), _words(error), "a config that composes")]) from error


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
    data, site, train = nodes["data"], nodes["site"], nodes["train"]
    return nodes | {
        "data": data | {"root": _absolute(data.get("root"))},
        "site": {key: _absolute(value) for key, value in site.items()},
        "train": train | {"weights": _absolute(train.get("weights"))},
    }


def _absolute(value: Any) -> Any:
    return os.path.abspath(os.path.expanduser(value)) if isinstance(value, str) else value


def as_yaml(nodes: Mapping[str, Any]) -> str:
    """The config as a person reads it."""
    return OmegaConf.to_yaml(OmegaConf.create(dict(nodes)))
