"""Array files of gaits: looked at by their headers, read row by row."""

import tokenize
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from jack_ray.contract.errors import Fault

UNREADABLE = (
    ValueError,
    SyntaxError,
    TypeError,
    EOFError,
    tokenize.TokenError,
    MemoryError,
    RecursionError,
    OverflowError,
)
"""What numpy raises for one or another broken header."""


@dataclass(frozen=True)
class Header:
    """What an array file says of itself."""

    path: Path
    shape: tuple[int, ...]


def look(path: Path, expected: Sequence[int | None]) -> Header | Fault:
    """Check an array file by its header and its size, without reading the numbers.

    expected: the shape, None where any length will do; a last axis of length 1 (one person) may be there or not.
    """
    wanted = f"floating-point numbers of shape ({', '.join('n' if size is None else str(size) for size in expected)})"
    if not path.exists():
        return Fault(str(path), "no such file", wanted)
    try:
        with path.open("rb") as opened:
            version = np.lib.format.read_magic(opened)  # type: ignore[no-untyped-call]
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, _, dtype = read(opened)  # type: ignore[no-untyped-call]
            offset = opened.tell()
    except OSError as error:
        return Fault(str(path), f"unreadable ({error.strerror})", wanted)
    except UNREADABLE:
        return Fault(str(path), f"not a complete npy file ({path.stat().st_size} bytes)", wanted)
    size, needed = path.stat().st_size, offset + prod(shape) * dtype.itemsize
    if dtype.kind != "f":
        return Fault(str(path), f"numbers of type {dtype}", wanted)
    if size != needed:
        found = f"{'cut short' if size < needed else 'too long'}: {size} instead of {needed} bytes"
        return Fault(str(path), found, "as many bytes as its header says", "Copy the file again.")
    plain = tuple(shape[:-1]) if len(shape) == len(expected) + 1 and shape[-1] == 1 else tuple(shape)
    fits = len(plain) == len(expected) and all(
        ours == size or (size is None and ours > 0) for ours, size in zip(plain, expected, strict=True)
    )
    return Header(path, plain) if fits else Fault(str(path), f"shape {tuple(shape)}", wanted)


def rows(header: Header) -> NDArray[np.floating]:
    """The array, read from the disk where it is looked at."""
    opened: NDArray[np.floating] = np.load(header.path, mmap_mode="r", allow_pickle=False)
    return opened.reshape(header.shape)
