"""Writes docs/config.md from the schemas and conf/: `python -m jack_ray.docs`; with `--check` it only compares."""

import argparse
import dataclasses
import importlib
import json
import os
import sys
import typing
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jack_ray.compose.load import config_folder, flat, groups, load
from jack_ray.compose.schema import STAGES, methods
from jack_ray.contract.errors import JackRayError
from jack_ray.contract.files import write_text
from jack_ray.contract.settings import about, type_name

COMMAND = "python -m jack_ray.docs"

_TOP = """\
<!-- Written by `python -m jack_ray.docs` from conf/ and the schemas. Do not edit: change those, and write it anew. -->
# Configuration

A launch is made of the groups below. `GROUP=OPTION` takes the file `conf/GROUP/OPTION.yaml`; `GROUP.NAME=VALUE` sets
one number in it. Values stand in `conf/`, types and meanings in the schemas; both are checked before anything starts,
and all faults are told at once. `python -m jack_ray.launch model=tsl --cfg job` prints what a command comes to.

Several values of a setting make a sweep: `train.lr=1e-5,1e-4`, `train.seed=range(1,4)` (the end is left out),
`train.lr=interval(1e-6,1e-3)` and `train.lr=tag(log,interval(1e-6,1e-3))` for the sweeps that draw points
([search](search.md)). Quote parentheses in a shell.

| switch | value | meaning |
|---|---|---|
| `dry_run` | `false` | print the trials, their places and their commands, and touch nothing |
| `fresh` | `false` | begin finished and interrupted trials anew; the old ones are moved aside |
| `more` | `0` | add so many trials to a sweep that draws its points and has ended ([search](search.md)) |
"""

_NOTES = {
    "model": "The method and its numbers. `model=` is the one choice that must be typed.",
    "data": "The data set. Each method chooses its own unless another is typed.",
    "train": "How the method is trained. Each model chooses its own recipe unless another is typed.",
    "sweep": "Which trials there are.",
    "cluster": "Where trials run.",
    "mpi": "How the ranks of a trial are started and watched.",
    "retry": "What happens to a trial that failed.",
    "tracking": "Where runs are compared.",
    "site": "Where things lie on this machine. `conf/site/local.yaml` is yours: git does not look at it, and\n"
    "`site=local` takes it. The environment variable `JACK_RAY_JITTOR_HOME` replaces the default of `site.jittor`,\n"
    "`JACK_RAY_FEATURES` that of `site.features`.",
}


def text() -> str:
    """The whole page; the same on every machine."""
    with _without("JACK_RAY_JITTOR_HOME"), _without("JACK_RAY_FEATURES"):
        base = load([f"model={groups()['model'][0]}"])
        parts = [_TOP]
        for group, note in _NOTES.items():
            parts.append(f"## {group}\n\n{note}\n\n{_options(group, base)}")
            parts += [f"{title}\n\n{_settings(schema, values)}" for title, schema, values in _schemas(group, base)]
        return "\n".join(parts)


@contextmanager
def _without(variable: str) -> Iterator[None]:
    kept = os.environ.pop(variable, None)
    try:
        yield
    finally:
        if kept is not None:
            os.environ[variable] = kept


def _schemas(group: str, base: Mapping[str, Any]) -> Iterator[tuple[str, Any, Mapping[str, Any]]]:
    """(title, schema, values) of a group; those of model and data are each method's own."""
    if group in STAGES:
        yield f"Settings, with the values of `{_option_of(group, base)}`:", STAGES[group], base[group]
        return
    for method in methods():
        config = importlib.import_module(f"jack_ray.methods.{method}.config")
        schema = config.Config if group == "model" else config.DataConfig
        yield f"Settings of the method `{method}`:", schema, load([f"model={method}"])[group]


def _option_of(group: str, base: Mapping[str, Any]) -> str:
    return next(option for option in _shared_options(group) if not _changes(group, option, base))


def _options(group: str, base: Mapping[str, Any]) -> str:
    lines = ["| option | what it is | what it changes |", "|---|---|---|"]
    for option in _shared_options(group):
        changes = ", ".join(f"`{key}: {shown(value)}`" for key, value in _changes(group, option, base).items())
        lines.append(_row(f"`{group}={option}`", _first_comment(group, option), changes or "-"))
    return "\n".join(lines) + "\n"


def _shared_options(group: str) -> list[str]:
    """The options that every checkout has: `conf/site/local.yaml` belongs to one machine."""
    return [option for option in groups()[group] if (group, option) != ("site", "local")]


def _first_comment(group: str, option: str) -> str:
    """What the file says of itself in its first line."""
    first, _, _ = (config_folder() / group / f"{option}.yaml").read_text(encoding="utf-8").partition("\n")
    return first.removeprefix("#").strip()


def _changes(group: str, option: str, base: Mapping[str, Any]) -> dict[str, Any]:
    """The settings in which an option differs from the base config."""
    typed = [f"model={option}"] if group == "model" else [f"model={groups()['model'][0]}", f"{group}={option}"]
    before = flat(base[group])
    return {key: value for key, value in flat(load(typed)[group]).items() if key not in before or before[key] != value}


def _settings(schema: Any, values: Mapping[str, Any]) -> str:
    hints = typing.get_type_hints(schema)
    lines = ["| setting | value | type | meaning |", "|---|---|---|---|"]
    for field in dataclasses.fields(schema):
        lines.append(
            _row(f"`{field.name}`", f"`{shown(values[field.name])}`", _type(field, hints[field.name]), _meaning(field))
        )
    return "\n".join(lines) + "\n"


def _type(field: "dataclasses.Field[Any]", annotation: Any) -> str:
    name, or_null, _ = type_name(annotation).partition(", or null")
    return " ".join(part for part in (name, about(field).range()) if part) + or_null


def _meaning(field: "dataclasses.Field[Any]") -> str:
    said = about(field)
    unit = f" [{said.unit}]" if said.unit else ""
    source = f" (source: {said.source})" if said.source else ""
    return f"{said.meaning}{unit}{source}"


def shown(value: Any) -> str:
    """A value as it is typed: text bare, everything else as in JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def page_path() -> Path:
    """Where the page lies. Raises JackRayError outside a checkout."""
    folder = config_folder().parent / "docs"
    if not folder.is_dir():
        raise JackRayError(f"There is no folder {folder}: the documentation is part of a checkout, not of the package.")
    return folder / "config.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """0: the page is written, or up to date. 1: `--check` found it stale. 2: there is no docs folder."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if docs/config.md is stale")
    options = parser.parse_args(arguments)
    try:
        path = page_path()
    except JackRayError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if not options.check:
        write_text(path, text())
        return 0
    if path.exists() and path.read_text(encoding="utf-8") == text():
        return 0
    print(f"{path} is stale: conf/ or a schema has changed. Type: {COMMAND}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
