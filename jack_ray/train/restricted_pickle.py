"""Tensors from PyTorch's files without PyTorch, and without running what a file asks for.

A pickle may name any function and have it called while it is read. Here a handful of names is known, all harmless;
every other one is refused before anything happens.
"""

import io
import pickle
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any, BinaryIO

import numpy as np

from jack_ray.contract.errors import WeightsError

BFLOAT16 = "bfloat16"
"""numpy has no such type; its values are read as float32, which holds them exactly."""

STORAGES = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "BFloat16Storage": BFLOAT16,
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "|i1",
    "ByteStorage": "|u1",
    "BoolStorage": "|b1",
}
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
"""The first value in a file of PyTorch before 1.6."""

BROKEN = (
    pickle.UnpicklingError,
    zipfile.BadZipFile,
    struct.error,
    EOFError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RecursionError,
    MemoryError,
    NotImplementedError,
)
"""What reading a damaged or forged file can raise."""


@dataclass(frozen=True, slots=True)
class StorageType:
    """A class of PyTorch's storages, by its numpy type."""

    dtype: str


@dataclass(slots=True)
class Storage:
    """A run of numbers that tensors look into; its content may come after the tensors."""

    dtype: str
    length: int
    content: np.ndarray | None = None

    def fill(self, content: bytes) -> None:
        """Take in the raw little-endian bytes."""
        self.content = from_bytes(content, self.dtype)
        if len(self.content) < self.length:
            raise ValueError(f"a storage of {self.length} numbers holds only {len(self.content)}")


@dataclass(frozen=True, slots=True)
class Tensor:
    """A window on a storage; offset and strides in numbers."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def array(self) -> np.ndarray:
        """The tensor's own copy of its numbers. Raises ValueError if it reaches outside its storage."""
        content = self.storage.content
        whole = (self.offset, *self.shape, *self.strides)
        if content is None or len(self.shape) != len(self.strides) or any(type(n) is not int or n < 0 for n in whole):
            raise ValueError("a tensor without a valid shape or storage")
        number = prod(self.shape)
        reach = self.offset + sum((size - 1) * step for size, step in zip(self.shape, self.strides, strict=True))
        # The second condition stops strides of 0, which make a huge tensor of a tiny file.
        if number and (reach >= self.storage.length or number > self.storage.length):
            raise ValueError("a tensor that reaches outside its storage")
        if number == 0:
            return np.zeros(self.shape, content.dtype)
        steps = [step * content.itemsize for step in self.strides]
        return np.array(np.lib.stride_tricks.as_strided(content[self.offset :], self.shape, steps))


def from_bytes(content: bytes, dtype: str) -> np.ndarray:
    """Little-endian numbers as an array; bfloat16 becomes float32."""
    if dtype == BFLOAT16:
        return (np.frombuffer(content, "<u2").astype("<u4") << 16).view("<f4")
    return np.frombuffer(content, dtype)


def _rebuild_tensor(storage: Any, offset: Any, shape: Any, strides: Any, *_about_gradients: Any) -> Tensor:
    if not isinstance(storage, Storage):
        raise pickle.UnpicklingError("a tensor without a storage")
    return Tensor(storage, offset, tuple(shape), tuple(strides))


def _rebuild_parameter(tensor: Any, *_about_gradients: Any) -> Any:
    return tensor


KNOWN: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor"): _rebuild_tensor,  # PyTorch before 0.4
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
}


class ForbiddenError(Exception):
    """The file asks for a name that is not known; it was not looked up."""


class Reader(pickle.Unpickler):
    """An unpickler that can make containers, numbers, texts and tensors, and nothing else."""

    def __init__(self, source: BinaryIO, storage: Callable[[Any], Storage]) -> None:
        super().__init__(source)
        self._storage = storage

    def find_class(self, module: str, name: str) -> Any:
        """The harmless stand-in of a name. Raises ForbiddenError for all but the known ones."""
        if module in ("torch", "torch.storage") and name in STORAGES:
            return StorageType(STORAGES[name])
        if (module, name) not in KNOWN:
            raise ForbiddenError(f"{module}.{name}")
        return KNOWN[module, name]

    def persistent_load(self, identity: Any) -> Storage:
        """The storage that a tensor names."""
        return self._storage(identity)


def read_torch(path: str, opened: BinaryIO) -> Any:
    """What a PyTorch file holds, with `Tensor` in place of tensors.

    Raises WeightsError naming `path`: for a file that is cut short, damaged or no PyTorch file, and for one that asks
    for anything but tensors.
    """
    start = opened.read(4)
    opened.seek(0)
    try:
        return _read_zip(opened) if start == b"PK\x03\x04" else _read_legacy(opened)
    except ForbiddenError as error:
        raise WeightsError(
            f"{path} needs {error} to be opened, and that could run code: refused. Only tensors are read. Where the "
            'file was made, type safetensors.numpy.save_file(arrays, "weights.safetensors") or '
            'torch.save(model.state_dict(), "weights.pth").'
        ) from None
    except BROKEN as error:
        raise WeightsError(
            f"{path} is cut short, damaged or no PyTorch file ({error or type(error).__name__}); expected "
            ".safetensors, or a state dict saved by torch.save. Fetch it again."
        ) from error


def _read_zip(opened: BinaryIO) -> Any:
    with zipfile.ZipFile(opened) as archive:
        names = [name for name in archive.namelist() if name.endswith("/data.pkl") and name.count("/") == 1]
        if len(names) != 1:
            raise ValueError("no data.pkl in it")
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
            raise ValueError("its entries are compressed, which PyTorch never does")
        root = names[0].removesuffix("data.pkl")
        if f"{root}byteorder" in archive.namelist() and archive.read(f"{root}byteorder") != b"little":
            raise ValueError("its numbers are big-endian")
        storages: dict[str, Storage] = {}

        def storage(identity: Any) -> Storage:
            dtype, key, length = _parse_identity(identity, 5)
            if key not in storages:
                storages[key] = Storage(dtype, length)
                storages[key].fill(archive.read(f"{root}data/{key}"))
            return storages[key]

        return Reader(io.BytesIO(archive.read(names[0])), storage).load()


def _read_legacy(opened: BinaryIO) -> Any:
    storages: dict[str, Storage] = {}

    def storage(identity: Any) -> Storage:
        dtype, key, length = _parse_identity(identity, 6)
        if identity[5] is not None:
            raise ValueError("a storage inside a storage, as only PyTorch before 0.4 wrote them")
        return storages.setdefault(key, Storage(dtype, length))

    if Reader(opened, storage).load() != LEGACY_MAGIC:
        raise ValueError("it does not begin as one")
    Reader(opened, storage).load()  # the version of the format: 1001 ever since there are files
    if Reader(opened, storage).load().get("little_endian") is not True:
        raise ValueError("its numbers are big-endian")
    content = Reader(opened, storage).load()
    for key in Reader(opened, storage).load():
        length = struct.unpack("<q", opened.read(8))[0]
        if length != storages[key].length:
            raise ValueError(f"storage {key} has {length} numbers instead of {storages[key].length}")
        storages[key].fill(opened.read(length * _item_bytes(storages[key].dtype)))
    return content


def _item_bytes(dtype: str) -> int:
    return 2 if dtype == BFLOAT16 else np.dtype(dtype).itemsize


def _parse_identity(identity: Any, fields: int) -> tuple[str, str, int]:
    """dtype, key and length of ("storage", type, key, device, length, ...)."""
    if not isinstance(identity, tuple) or len(identity) != fields or identity[0] != "storage":
        raise ValueError("an unknown kind of storage")
    kind, key, length = identity[1], identity[2], identity[4]
    if not isinstance(kind, StorageType) or type(length) is not int or length < 0 or not str(key).isalnum():
        raise ValueError("an unknown kind of storage")
    return kind.dtype, str(key), length
