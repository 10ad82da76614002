"""The feature files of TSL-300: `features/<split>/{rgb,logmfcc}/<name>.npy`.

# T snippets  F spectrogram frames
"""

import hashlib
import os
import tokenize
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from jack_ray.contract.errors import DataError, Fault
from jack_ray.methods.shared.array_cache import cache_of
from jack_ray.methods.tsl.config import Config, DataConfig

Floats = NDArray[np.float32]

SAMPLED_BYTES = 4096
UNREADABLE = (ValueError, SyntaxError, TypeError, EOFError, tokenize.TokenError, MemoryError, RecursionError)
"""What numpy raises for one or another broken header."""


@dataclass(frozen=True)
class Header:
    """What a feature file says of itself."""

    rows: int
    size: int
    """Of the file, in bytes."""


def features_path(root: Path, split: str, kind: str, name: str) -> Path:
    """Where a feature file lies. kind: rgb or logmfcc."""
    return root / "features" / split / kind / f"{name}.npy"


def widths(data: DataConfig) -> dict[str, int]:
    """The number of columns of each kind of feature file."""
    return {"rgb": data.rgb_width, "logmfcc": data.mel_bands}


def num_snippets(rgb_rows: int, mel_rows: int, data: DataConfig) -> int:
    """T, the snippets for which both streams are complete (TSL300 senti_features.py)."""
    return min(rgb_rows, mel_rows // data.mel_frames)


def look(path: Path, width: int) -> Header | Fault:
    """Check a feature file by its header and its size, without reading the numbers."""
    expected = f"an array of floating-point numbers with {width} columns (.npy)"
    try:
        with path.open("rb") as opened:
            version = np.lib.format.read_magic(opened)  # type: ignore[no-untyped-call]
            if version not in ((1, 0), (2, 0)):
                return Fault(str(path), f"version {version[0]}.{version[1]} of the npy format", "version 1.0 or 2.0")
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, _, dtype = read(opened)  # type: ignore[no-untyped-call]
            offset = opened.tell()
        size = path.stat().st_size
    except OSError as error:
        return Fault(str(path), f"unreadable ({error.strerror})", expected)
    except UNREADABLE:
        return Fault(str(path), f"not a complete npy file ({path.stat().st_size} bytes)", expected)
    if dtype.kind != "f":
        return Fault(str(path), f"numbers of type {dtype}", expected)
    if len(shape) != 2 or shape[0] < 0 or shape[1] != width:
        return Fault(str(path), f"shape {shape}", expected)
    needed = offset + shape[0] * shape[1] * dtype.itemsize
    if size != needed:
        found = f"{'cut short' if size < needed else 'too long'}: {size} instead of {needed} bytes"
        return Fault(str(path), found, "as many bytes as its header says", "Copy the file again.")
    return Header(int(shape[0]), size)


def load(path: Path, width: int) -> Floats:
    """Read a feature file as float32 (rows, width). Raises DataError naming the file, and the row of a NaN."""
    header = look(path, width)
    if isinstance(header, Fault):
        raise DataError([header])
    try:
        values = np.load(path, allow_pickle=False).astype(np.float32)
    except (OSError, ValueError) as error:
        raise DataError([Fault(str(path), f"unreadable ({error})", "a complete npy file")]) from error
    bad = np.flatnonzero(~np.isfinite(values).all(axis=1))
    if len(bad):
        column = int(np.flatnonzero(~np.isfinite(values[bad[0]]))[0])
        found = f"{values[bad[0], column]} in row {bad[0]}, column {column} ({len(bad)} of {len(values)} rows)"
        raise DataError([Fault(str(path), found, "finite numbers", "Extract this video's features again.")])
    return np.ascontiguousarray(values)


def load_streams(folder: Path, name: str, model: Config, data: DataConfig) -> tuple[Floats, Floats]:
    """One video's rgb (T, columns) and scaled mel (T, F, bands). folder: holds rgb/ and logmfcc/.

    Raises DataError naming the file that cannot be read, or whose video is too short or too long for the model.
    """
    path = folder / "rgb" / f"{name}.npy"
    rgb = _remembered(path, data.rgb_width, data)
    mel = _remembered(folder / "logmfcc" / f"{name}.npy", data.mel_bands, data)
    return align(rgb, mel, path, model, data)


def _remembered(path: Path, width: int, data: DataConfig) -> Floats:
    """The same as `load`; a file that was read before, and has not changed since, is in memory. Not to be changed."""
    try:
        status = path.stat()
    except OSError:
        return load(path, width)  # which says what is wrong
    known = f"{width} {status.st_mtime_ns} {status.st_size} {path}"
    return cache_of("streams", data.stream_cache_mb).get(known, lambda: load(path, width))


def align(rgb: Floats, mel: Floats, path: Path, model: Config, data: DataConfig) -> tuple[Floats, Floats]:
    """Both streams cut to the snippets that both have: rgb (T, columns) and scaled mel (T, F, bands).

    Raises DataError naming `path` when the video is too short or too long for the model.
    """
    count = num_snippets(len(rgb), len(mel), data)
    if count < max(data.min_snippets, model.top_share):
        found = f"{count} snippets in both streams"
        raise DataError([Fault(str(path), found, f"at least {max(data.min_snippets, model.top_share)}")])
    if count > model.max_snippets:
        raise DataError([Fault(str(path), f"{count} snippets", f"at most model.max_snippets={model.max_snippets}")])
    frames = mel[: count * data.mel_frames].reshape(count, data.mel_frames, data.mel_bands)
    scaled = (frames + np.float32(data.mel_offset)) / np.float32(data.mel_scale)
    return rgb[:count], scaled


def sampled_digest(path: Path) -> str:
    """A digest of a large file's beginning and end, quick for hundreds of files."""
    with path.open("rb") as opened:
        content = opened.read(SAMPLED_BYTES)
        opened.seek(max(SAMPLED_BYTES, os.fstat(opened.fileno()).st_size - SAMPLED_BYTES))
        content += opened.read(SAMPLED_BYTES)
    return hashlib.sha256(content).hexdigest()
