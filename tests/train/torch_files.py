"""Writes the files that torch.save writes, opcode by opcode, without PyTorch."""

import io
import pickle
import struct
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

MAGIC = 0x1950A86A20F9469CFC6C
TYPES = {"float32": "FloatStorage", "float16": "HalfStorage", "int64": "LongStorage", "uint16": "BFloat16Storage"}
"""uint16 stands for the upper halves of float32: bfloat16."""


@dataclass
class Global:
    """A name that the pickle asks for."""

    module: str
    name: str


@dataclass
class Call:
    """A call that the pickle asks for."""

    function: Global
    arguments: tuple[Any, ...]


@dataclass
class Persistent:
    """A storage, by its identity."""

    identity: tuple[Any, ...]


class Writer:
    """A pickler of protocol 2 with opcodes for names that need not exist here."""

    def __init__(self) -> None:
        self.output = io.BytesIO(b"")
        self.output.write(pickle.PROTO + b"\x02")

    def write(self, value: Any) -> None:
        if isinstance(value, Global):
            self.output.write(pickle.GLOBAL + f"{value.module}\n{value.name}\n".encode())
        elif isinstance(value, Call):
            self.write(value.function)
            self.write(value.arguments)
            self.output.write(pickle.REDUCE)
        elif isinstance(value, Persistent):
            self.write(value.identity)
            self.output.write(pickle.BINPERSID)
        elif isinstance(value, tuple):
            self.output.write(pickle.MARK)
            for item in value:
                self.write(item)
            self.output.write(pickle.TUPLE)
        elif isinstance(value, dict):
            self.output.write(pickle.EMPTY_DICT + pickle.MARK)
            for key, item in value.items():
                self.write(key)
                self.write(item)
            self.output.write(pickle.SETITEMS)
        else:  # a number, a text, None, a list of them: what pickle writes between its header and its full stop
            self.output.write(pickle.dumps(value, 2)[2:-1])

    def done(self) -> bytes:
        return self.output.getvalue() + pickle.STOP


def dumps(value: Any) -> bytes:
    """A pickle of protocol 2."""
    writer = Writer()
    writer.write(value)
    return writer.done()


Identity = Callable[[str, NDArray[Any]], tuple[Any, ...]]


def _identity(key: str, array: NDArray[Any]) -> tuple[Any, ...]:
    return ("storage", Global("torch", TYPES[array.dtype.name]), key, "cpu", array.size)


def _legacy_identity(key: str, array: NDArray[Any]) -> tuple[Any, ...]:
    return (*_identity(key, array), None)


def tensor(key: str, array: NDArray[Any], identity: Identity, strides: tuple[int, ...] | None = None) -> Call:
    """A tensor whose storage is the whole array."""
    steps = strides or tuple(step // array.itemsize for step in array.strides)
    arguments = (Persistent(identity(key, array)), 0, array.shape, steps, False, Call(ORDERED, ()))
    return Call(Global("torch._utils", "_rebuild_tensor_v2"), arguments)


ORDERED = Global("collections", "OrderedDict")


def tensors(arrays: Mapping[str, NDArray[Any]], identity: Identity = _identity) -> dict[str, Any]:
    """A state dict for `save_zip` or `save_legacy`."""
    return {name: tensor(str(key), array, identity) for key, (name, array) in enumerate(arrays.items())}


def save_zip(path: Path, content: Any, arrays: Mapping[str, NDArray[Any]]) -> None:
    """As PyTorch since 1.6."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", dumps(content))
        archive.writestr("archive/byteorder", "little")
        for key, array in enumerate(arrays.values()):
            archive.writestr(f"archive/data/{key}", array.tobytes())
        archive.writestr("archive/version", "3\n")


def save_legacy(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """As PyTorch before 1.6."""
    system = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
    with path.open("wb") as output:
        for value in (MAGIC, 1001, system, tensors(arrays, _legacy_identity), [str(key) for key in range(len(arrays))]):
            output.write(dumps(value))
        for array in arrays.values():
            output.write(struct.pack("<q", array.size) + array.tobytes())
