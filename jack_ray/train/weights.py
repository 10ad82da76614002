"""Published weights: read from .safetensors and PyTorch's files, and put into a model."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jittor as jt
import numpy as np
import safetensors
from jittor import nn
from safetensors import SafetensorError

from jack_ray.contract.errors import WeightsError
from jack_ray.methods.roles import Network, Pretrained
from jack_ray.train.restricted_pickle import BFLOAT16, BROKEN, Tensor, from_bytes, read_torch

SAFETENSORS_TYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BF16": BFLOAT16,
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "|i1",
    "U8": "|u1",
    "BOOL": "|b1",
}
NESTS = ("state_dict", "model")
"""Where training scripts keep the weights inside a larger checkpoint."""

SHOWN = 8
"""Names that a message lists before it only counts."""


@dataclass(frozen=True)
class LoadReport:
    """What became of the tensors of a file and of a model."""

    loaded: tuple[str, ...]
    missing: tuple[str, ...]
    """The model's, which keep their values because the file has no such tensor."""
    unexpected: tuple[str, ...]
    """The file's, which the model has no place for."""

    def __str__(self) -> str:
        lines = [f"{len(self.loaded)} tensors loaded"]
        if self.missing:
            lines.append(f"{len(self.missing)} of the model not in the file: {_listed(self.missing)}")
        if self.unexpected:
            lines.append(f"{len(self.unexpected)} of the file not in the model: {_listed(self.unexpected)}")
        return "\n".join(lines)


def _listed(names: tuple[str, ...]) -> str:
    more = f", and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def read_weights(path: Path) -> dict[str, np.ndarray]:
    """The tensors of a weights file by name; nothing in the file is executed.

    Reads .safetensors and what torch.save writes, now (zip) and before version 1.6; also a state dict that lies
    under "state_dict" or "model" in a checkpoint. `module.`, which DataParallel puts before all names, is taken off.
    Raises WeightsError naming the file.
    """
    if not path.is_file():
        raise WeightsError(f"{path} is no file; expected weights (.safetensors, .pth or .pkl).")
    arrays = _read_safetensors(path) if path.suffix == ".safetensors" else _read_pickled(path)
    if all(name.startswith("module.") for name in arrays):
        arrays = {name.removeprefix("module."): array for name, array in arrays.items()}
    return arrays


def _read_safetensors(path: Path) -> dict[str, np.ndarray]:
    deserialize: Any = safetensors.deserialize  # has no types
    try:
        return {name: _safe_array(about) for name, about in deserialize(path.read_bytes())}
    except (SafetensorError, *BROKEN) as error:
        raise WeightsError(f"{path} is cut short or damaged ({error}); fetch it again.") from error


def _safe_array(about: Mapping[str, Any]) -> np.ndarray:
    if about["dtype"] not in SAFETENSORS_TYPES:
        raise ValueError(f"it holds numbers of the unknown type {about['dtype']}")
    return from_bytes(bytes(about["data"]), SAFETENSORS_TYPES[about["dtype"]]).reshape(about["shape"])


def _read_pickled(path: Path) -> dict[str, np.ndarray]:
    with path.open("rb") as opened:
        content = read_torch(str(path), opened)
    tensors = _find_tensors(content)
    if not tensors:
        keys = _listed(tuple(map(str, content))) if isinstance(content, Mapping) else type(content).__name__
        raise WeightsError(f"{path} holds no tensors by name; it holds: {keys}. Expected a state dict.")
    try:
        return {name: tensor.array() for name, tensor in tensors.items()}
    except BROKEN as error:
        raise WeightsError(f"{path} is damaged: it has {error}. Fetch it again.") from error


def _find_tensors(content: Any) -> dict[str, Tensor]:
    if not isinstance(content, Mapping):
        return {}
    tensors = {str(name): value for name, value in content.items() if isinstance(value, Tensor)}
    nested = (_find_tensors(content[nest]) for nest in NESTS if nest in content)
    return tensors or next((found for found in nested if found), {})


def load_part(model: nn.Module, part: Pretrained) -> LoadReport:
    """Put a part's tensors into a model, under the model's names; `missing` are those that the part lacks.

    Raises WeightsError when the file holds none of them, or one of another shape.
    """
    arrays = read_weights(part.path)
    found = {ours: arrays[theirs] for theirs, ours in part.names.items() if theirs in arrays}
    if not found:
        expected = _listed(tuple(part.names))
        raise WeightsError(f"{part.path} holds: {_listed(tuple(arrays))}. Expected tensors named {expected}.")
    told = load_into(model, found, part.path)
    left = (name for name in arrays if name not in part.names and not name.endswith("num_batches_tracked"))
    return LoadReport(told.loaded, tuple(ours for ours in part.names.values() if ours not in found), tuple(left))


def load_network(network: Network) -> None:
    """Give a network its weights. Raises WeightsError when the file lacks a layer that matters."""
    told = load_into(network.module, read_weights(network.weights), network.weights)
    missing = tuple(name for name in told.missing if not name.startswith(network.unused))
    if missing:
        raise WeightsError(f"{network.weights} holds not all of the network: it lacks {_listed(missing)}.\n{told}")
    network.module.eval()


def load_into(model: nn.Module, weights: Mapping[str, np.ndarray], path: Path | None = None) -> LoadReport:
    """Put tensors into a model by name. Raises WeightsError naming those that have another shape; then none is put.

    path: where they are from, for that message.
    PyTorch's `num_batches_tracked` counters, of which Jittor has none, are passed over without a word.
    """
    own: dict[str, jt.Var] = model.state_dict()
    shared = [name for name in weights if name in own]
    wrong = [name for name in sorted(shared) if tuple(own[name].shape) != weights[name].shape]
    if wrong:
        lines = [f"  {name}: file {list(weights[name].shape)}, model {list(own[name].shape)}" for name in wrong[:SHOWN]]
        lines += [f"  and {len(wrong) - SHOWN} more"] if len(wrong) > SHOWN else []
        head = f"{path}: {len(wrong)} of {len(shared)} tensors have another shape than the model's:"
        raise WeightsError("\n".join([head.removeprefix("None: "), *lines]))
    for name in shared:
        own[name].update(jt.array(np.ascontiguousarray(weights[name], np.float32)).cast(own[name].dtype))
    jt.sync([own[name] for name in shared])
    unexpected = (name for name in weights if name not in own and not name.endswith("num_batches_tracked"))
    return LoadReport(tuple(shared), tuple(name for name in own if name not in weights), tuple(unexpected))
