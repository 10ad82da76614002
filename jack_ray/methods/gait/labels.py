"""The label files of gaits: JSON as this project writes them, arrays, and BPM-GCN's pickles, read without running them.

# N gaits  K classes
"""

import json
import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jack_ray.contract.errors import Fault

SUFFIXES = (".json", ".npy", ".pkl")
MAX_SHOWN = 5

BROKEN = (
    pickle.UnpicklingError, ValueError, TypeError, EOFError, LookupError, AttributeError, RecursionError, MemoryError,
    ImportError,
)  # fmt: skip
"""What a damaged or forged file can raise."""


@dataclass(frozen=True)
class Labels:
    """Names and classes of the gaits of a file, in the file's order."""

    names: tuple[str, ...]
    targets: NDArray[np.float32]
    """(N, K) 0 or 1, classes in the file's order."""


class ForbiddenError(Exception):
    """The file asks for a name that is not known; it was not looked up."""


def find(root: Path, split: str) -> Path | Fault:
    """The label file of a split."""
    paths = [path for suffix in SUFFIXES if (path := root / f"{split}_label{suffix}").exists()]
    if len(paths) == 1:
        return paths[0]
    where, expected = str(root / f"{split}_label"), "one label file: .json, .npy or .pkl"
    if paths:
        names = " and ".join(path.name for path in paths)
        return Fault(where, f"{names}, which may differ", expected, "Move all but one of them away.")
    return Fault(where, "no label file", expected)


def read(path: Path, split: str, classes: Sequence[str]) -> tuple[Labels | None, list[Fault]]:
    """The labels, or every fault of the file. Gaits of an array have no names; they get the split and their row."""
    expected = f"gait labels, 0 to {len(classes) - 1} or rows of {len(classes)} zeros and ones"
    reader: Callable[[Path], tuple[Any, Any]] = {".json": _read_json, ".npy": _read_npy, ".pkl": _read_pickle}[
        path.suffix
    ]
    try:
        names, numbers = reader(path)
        values = np.asarray(numbers)
    except ForbiddenError as error:
        found = f"asks for {error}, which could run code: refused"
        return None, [
            Fault(str(path), found, "a pickled pair of names and numbers", "Save the labels as .npy or .json.")
        ]
    except OSError as error:
        return None, [Fault(str(path), f"unreadable ({error.strerror or error})", expected)]
    except BROKEN as error:
        words = "not labels" if path.suffix == ".json" else "cut short or damaged"
        return None, [Fault(str(path), f"{words} ({error or type(error).__name__})", expected)]
    if (
        values.ndim not in (1, 2)
        or values.dtype.kind not in "iufb"
        or (values.ndim == 2 and values.shape[1:] != (len(classes),))
    ):
        return None, [Fault(str(path), f"labels of shape {values.shape}, type {values.dtype}", expected)]
    given = [f"{split} {row}" for row in range(len(values))] if names is None else [str(name) for name in names]
    faults = [*_name_faults(path, given, len(values)), *_number_faults(path, values, given, classes)]
    return (None, faults) if faults else (Labels(tuple(given), _targets(values, len(classes))), [])


def _targets(values: NDArray[Any], number: int) -> NDArray[np.float32]:
    if values.ndim == 2:
        return values.astype(np.float32)
    return np.eye(number, dtype=np.float32)[values.astype(np.int64)]


def _name_faults(path: Path, names: Sequence[str], number: int) -> list[Fault]:
    if len(names) != number:
        return [Fault(str(path), f"{len(names)} names for {number} labels", "as many names as labels")]
    seen: set[str] = set()
    twice = sorted({name for name in names if name in seen or seen.add(name)})  # type: ignore[func-returns-value]
    if not twice:
        return []
    shown = ", ".join(twice[:MAX_SHOWN]) + (f" and {len(twice) - MAX_SHOWN} more" if len(twice) > MAX_SHOWN else "")
    return [Fault(str(path), f"names that come twice: {shown}", "a name of its own for every gait")]


def _number_faults(path: Path, values: NDArray[Any], names: Sequence[str], classes: Sequence[str]) -> list[Fault]:
    listed = ", ".join(f"{number} {name}" for number, name in enumerate(classes))
    if values.ndim == 2:
        bad = ~np.isin(values, (0, 1)).all(axis=1)
        expected = f"zeros and ones for {', '.join(classes)}"
    else:
        bad = ~np.isin(values, np.arange(len(classes)))
        expected = f"one of {listed} (data.labels)"
    rows = np.flatnonzero(bad)
    faults = []
    for row in rows[:MAX_SHOWN]:
        name = names[row] if row < len(names) else "?"
        remedy = (
            f"And {len(rows) - MAX_SHOWN} more like this."
            if len(rows) > MAX_SHOWN and row == rows[MAX_SHOWN - 1]
            else ""
        )
        faults.append(Fault(f"{path}: row {row} ({name})", f"label {values[row].tolist()}", expected, remedy))
    return faults


def _read_json(path: Path) -> tuple[Any, Any]:
    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict) or not isinstance(content.get("names"), list) or "labels" not in content:
        raise ValueError('no {"names": [...], "labels": [...]}')
    _check_rows(content["labels"])
    return content["names"], content["labels"]


def _check_rows(labels: Any) -> None:
    """Raises ValueError naming the first entry that is no number and no row of them as long as the first one."""
    if not isinstance(labels, list):
        raise ValueError("`labels` is no list")
    for row, label in enumerate(labels):
        values = label if isinstance(label, list) else [label]
        is_alike = isinstance(label, list) == isinstance(labels[0], list)
        if not is_alike or (isinstance(label, list) and len(label) != len(labels[0])):
            raise ValueError(f"row {row} is {str(label)[:40]}, row 0 is {str(labels[0])[:40]}")
        if not all(isinstance(value, int | float) for value in values):
            raise ValueError(f"row {row} is {json.dumps(label)[:40]}, not a number")


def _read_npy(path: Path) -> tuple[None, Any]:
    return None, np.load(path, allow_pickle=False)


def _read_pickle(path: Path) -> tuple[Any, Any]:
    with path.open("rb") as opened:
        content = Reader(opened, encoding="latin1").load()
    if not isinstance(content, tuple | list) or len(content) != 2:
        raise ValueError("no pair of names and labels")
    names, numbers = (part.array() if isinstance(part, Array) else part for part in content)
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise ValueError("the first of the pair is no list of names")
    if not isinstance(numbers, list | tuple | np.ndarray):
        raise ValueError("the second of the pair is no list of labels")
    return names, numbers


class Type:
    """A numpy type that a pickle names; whole numbers only."""

    def __init__(self, name: Any, *_: Any) -> None:
        self.name = str(name)
        self.order = "<"

    def __setstate__(self, state: Any) -> None:
        self.order = ">" if state[1] == ">" else "<"

    def dtype(self) -> np.dtype[Any]:
        """As numpy has it."""
        if self.name.lstrip("<>|=") not in {f"{kind}{size}" for kind in "iu" for size in (1, 2, 4, 8)}:
            raise ValueError(f"numbers of type {self.name}; expected whole numbers")
        return np.dtype(self.order + self.name.lstrip("<>|="))


class Array:
    """An array that a pickle builds."""

    def __init__(self, *_: Any) -> None:
        self.values: NDArray[Any] = np.zeros(0, np.int64)

    def __setstate__(self, state: Any) -> None:
        _, shape, kind, is_fortran, content = state
        if not isinstance(kind, Type) or len(shape) > 2:
            raise ValueError("an array of something else than labels")
        flat = np.frombuffer(_bytes(content), kind.dtype())
        self.values = flat.reshape(shape, order="F" if is_fortran else "C")

    def array(self) -> NDArray[Any]:
        """The numbers."""
        return self.values


def _bytes(content: Any) -> bytes:
    return bytes(content) if isinstance(content, bytes | bytearray) else str(content).encode("latin1")


def _frombuffer(content: Any, kind: Any, shape: Any, order: Any) -> Array:
    array = Array()
    array.__setstate__((1, shape, kind, order == "F", content))
    return array


def _scalar(kind: Any, content: Any) -> int:
    if not isinstance(kind, Type):
        raise ValueError("a number without a type")
    return int(np.frombuffer(_bytes(content), kind.dtype())[0])


def _encode(text: Any, coding: Any = "latin1") -> bytes:
    if coding != "latin1":
        raise ValueError(f"bytes in {coding}")
    return str(text).encode("latin1")


KNOWN: dict[tuple[str, str], Any] = {
    ("numpy", "dtype"): Type,
    ("numpy", "ndarray"): Array,
    ("_codecs", "encode"): _encode,  # how protocol 2 writes bytes
    **{(f"numpy.{core}.multiarray", "scalar"): _scalar for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "_reconstruct"): Array for core in ("core", "_core")},
    **{(f"numpy.{core}.numeric", "_frombuffer"): _frombuffer for core in ("core", "_core")},  # protocol 5
}


class Reader(pickle.Unpickler):
    """An unpickler that can make containers, texts and whole numbers, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        """The harmless stand-in of a name. Raises ForbiddenError for all but the known ones."""
        if (module, name) not in KNOWN:
            raise ForbiddenError(f"{module}.{name}")
        return KNOWN[module, name]
