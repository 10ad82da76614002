"""Look at every file of a data set, and say everything that is wrong, with file and line."""

import argparse
import importlib
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jack_ray.compose.load import load
from jack_ray.contract.errors import DataError, Fault
from jack_ray.contract.files import write_text
from jack_ray.contract.settings import read
from jack_ray.data.looking.bar import shown
from jack_ray.data.looking.settings import Subject, add_subject, files_of, subject


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `python -m jack_ray.data check`."""
    add_subject(parser)
    parser.add_argument("--list", type=Path, metavar="FILE", help="write every fault into a file, where there are many")
    parser.add_argument("--deep", action="store_true", help="decode everything, which takes minutes to hours")


def run(options: argparse.Namespace) -> str:
    """What was found to be in order. Raises DataError with every fault, ConfigError for what was typed."""
    found = subject(options.name, options.root, options.settings)
    inspection = files_of(found.method).inspect(found.data)
    deep = _deep_faults(found, bool(inspection.identity)) if options.deep else []
    told = {fault.where for fault in inspection.faults}
    faults = [*inspection.faults, *(fault for fault in deep if fault.where not in told)]
    if faults:
        raise _told(faults, options.list)
    counts = ", ".join(f"{name}: {value}" for name, value in inspection.summary.items())
    how = "every file was decoded" if options.deep else "annotations, counts and headers were read; --deep decodes all"
    return f"{options.root} is in order ({how}).\n{counts}"


def _told(faults: Sequence[Fault], path: Path | None) -> DataError:
    """The faults: a few of each kind as a message, all of them in a file."""
    error = DataError(faults)
    if path is None:
        is_whole = len(error.shown()) == len(faults)
        return error if is_whole else DataError(faults, "For all of them add --list FILE.")
    try:
        write_text(path.expanduser(), "".join(f"{fault}\n" for fault in faults))
    except OSError as failure:
        return DataError(faults, f"--list {path} cannot be written: {failure.strerror}.")
    return DataError(faults, f"All of them: {path}")


def _deep_faults(found: Subject, is_whole: bool) -> list[Fault]:
    """Every fault of what is decoded. A method whose files.py has no `decode` is read by its Data, if it can be."""
    files = files_of(found.method)
    if not Path(found.data.root).is_dir():
        return []
    if not hasattr(files, "decode") and not is_whole:
        return []
    decoded = files.decode(found.data) if hasattr(files, "decode") else _read_samples(found)
    with _quiet_decoders():
        return [fault for _, faults in shown(decoded, None, "decoded") for fault in faults]


@contextmanager
def _quiet_decoders() -> Iterator[None]:
    """Keep off the terminal what decoders write themselves: libmpg123 tells of every broken header, with no name."""
    sys.stderr.flush()
    kept = os.dup(2)
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(silent)
        os.close(kept)


def _read_samples(found: Subject) -> Iterator[tuple[str, list[Fault]]]:
    data_class = importlib.import_module(f"jack_ray.methods.{found.method}.data").Data
    model = _model_of(found.method)
    for split in ("train", "val", "test"):
        try:
            data = data_class(model, found.data, split, 0)
        except DataError as error:
            # without samples to hold out there is no val, which is no fault of a file
            yield split, [] if split == "val" else list(error.faults)
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
