"""Look at every file of a data set, and say everything that is wrong, with file and line."""

import argparse
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jack_ray.compose.load import load
from jack_ray.contract.errors import DataError, Fault
from jack_ray.contract.settings import read
from jack_ray.data.looking.bar import shown
from jack_ray.data.looking.settings import Subject, add_subject, files_of, subject


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `python -m jack_ray.data check`."""
    add_subject(parser)
    parser.add_argument("--deep", action="store_true", help="decode everything, which takes minutes to hours")


def run(options: argparse.Namespace) -> str:
    """What was found to be in order. Raises DataError with every fault, ConfigError for what was typed."""
    found = subject(options.name, options.root, options.settings)
    inspection = files_of(found.method).inspect(found.data)
    if inspection.faults and not options.deep:
        raise DataError(inspection.faults)
    deep = _deep_faults(found) if options.deep else []
    told = {fault.where for fault in inspection.faults}
    faults = [*inspection.faults, *(fault for fault in deep if fault.where not in told)]
    if faults:
        raise DataError(faults)
    counts = ", ".join(f"{name}: {value}" for name, value in inspection.summary.items())
    how = "every file was decoded" if options.deep else "annotations, counts and headers were read; --deep decodes all"
    return f"{options.root} is in order ({how}).\n{counts}"


def _deep_faults(found: Subject) -> list[Fault]:
    """Every fault of what is decoded. A method whose files.py has no `decode` is read by its Data."""
    files = files_of(found.method)
    if not Path(found.data.root).is_dir():
        return []
    decoded = files.decode(found.data) if hasattr(files, "decode") else _read_samples(found)
    return [fault for _, faults in shown(decoded, None, "decoded") for fault in faults]


def _read_samples(found: Subject) -> Iterator[tuple[str, list[Fault]]]:
    data_class = importlib.import_module(f"jack_ray.methods.{found.method}.data").Data
    model = _model_of(found.method)
    for split in ("train", "test"):
        try:
            data = data_class(model, found.data, split, 0)
        except DataError as error:
            yield split, list(error.faults)
            continue
        for index in range(len(data)):
            yield f"{split} {index}", _faults_of(data, index)


def _model_of(method: str) -> Any:
    config = importlib.import_module(f"jack_ray.methods.{method}.config")
    model, _ = read(config.Config, load([f"model={method}"])["model"], "model")
    return model


def _faults_of(data: Any, index: int) -> list[Fault]:
    try:
        data[index]
    except DataError as error:
        return list(error.faults)
    return []
