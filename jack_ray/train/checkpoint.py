"""Checkpoints: whole or not there. Weights and optimiser as safetensors, the rest as JSON, hashes beside them.

`checkpoints/step-00000100/` holds model.safetensors, optimizer.safetensors, state.json, about.json (which model this
is) and manifest.json. It is written beside its name and renamed; a folder whose files are not the manifest's is passed
over, and the one before it is used. Randomness needs no entry: every stream is a function of the seed and the step
(train/seeds.py).
"""

import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from jack_ray.contract.checkpoint import ABOUT, MODEL, About
from jack_ray.contract.files import file_sha256, write_json
from jack_ray.contract.paths import TrialFolder

_OPTIMIZER = "optimizer.safetensors"
_STATE = "state.json"
_MANIFEST = "manifest.json"
_FILES = (MODEL, _OPTIMIZER, _STATE, ABOUT)

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Progress:
    """Where a trial stands after `step` optimiser steps."""

    step: int
    seed: int
    best_step: int | None = None
    best_value: float | None = None


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint read back."""

    path: Path
    progress: Progress
    model: Arrays
    optimizer: Arrays


def step_folder(folder: TrialFolder, step: int) -> Path:
    """The folder of a step's checkpoint."""
    return folder.checkpoints / f"step-{step:08d}"


def save(folder: TrialFolder, progress: Progress, model: Arrays, optimizer: Arrays, about: About) -> Path:
    """Write a checkpoint; called on rank 0. Raises OSError when the disk is full, and leaves the older ones."""
    final = step_folder(folder, progress.step)
    temporary = final.with_name(f".{final.name}.{os.getpid()}")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        save_file(_contiguous(model), temporary / MODEL)
        save_file(_contiguous(optimizer), temporary / _OPTIMIZER)
        write_json(temporary / _STATE, asdict(progress))
        write_json(temporary / ABOUT, asdict(about))
        write_json(temporary / _MANIFEST, {name: file_sha256(temporary / name) for name in _FILES})
        for name in _FILES:
            _flush(temporary / name)
        shutil.rmtree(final, ignore_errors=True)
        temporary.rename(final)
        _flush(final.parent)
    except SafetensorError as error:  # it reports a full disk under its own name
        raise OSError(28, f"cannot write {temporary / MODEL}: {error}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return final


def _contiguous(arrays: Arrays) -> Arrays:
    return {name: np.ascontiguousarray(array) for name, array in arrays.items()}


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def point_to_best(folder: TrialFolder, progress: Progress, metric: str) -> None:
    """Say which checkpoint is the best, for people and for MLflow."""
    if progress.best_step is not None:
        value = {"step": progress.best_step, "metric": metric, "value": progress.best_value}
        write_json(folder.best, value)


def prune(folder: TrialFolder, keep: int, best_step: int | None) -> None:
    """Remove all but the last `keep` checkpoints and the best one, and what an interrupted write left."""
    for leftover in folder.checkpoints.glob(".step-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    steps = saved_steps(folder)
    kept = {*steps[-keep:], best_step}
    for step in steps:
        if step not in kept:
            shutil.rmtree(step_folder(folder, step), ignore_errors=True)


def saved_steps(folder: TrialFolder) -> list[int]:
    """The steps with a checkpoint, in order; their content is not looked at."""
    return sorted(int(path.name.removeprefix("step-")) for path in folder.checkpoints.glob("step-[0-9]*"))


def load(folder: TrialFolder, step: int) -> Checkpoint | None:
    """A step's checkpoint; None if it is missing or damaged."""
    path = step_folder(folder, step)
    try:
        manifest = json.loads((path / _MANIFEST).read_text(encoding="utf-8"))
        if any(file_sha256(path / name) != manifest[name] for name in _FILES):
            return None
        progress = Progress(**json.loads((path / _STATE).read_text(encoding="utf-8")))
        return Checkpoint(path, progress, load_file(path / MODEL), load_file(path / _OPTIMIZER))
    except (OSError, ValueError, KeyError, TypeError, SafetensorError):
        return None


def latest(folder: TrialFolder, before: int | None = None) -> Checkpoint | None:
    """The last whole checkpoint, if there is one; damaged ones are passed over."""
    for step in reversed(saved_steps(folder)):
        if before is None or step < before:
            checkpoint = load(folder, step)
            if checkpoint is not None:
                return checkpoint
    return None
