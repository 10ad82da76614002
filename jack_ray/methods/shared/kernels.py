"""Whether a processor computes with the package's own kernels (`train.kernels`), and how precisely they multiply."""

from pathlib import Path
from typing import Literal

import jittor as jt

from jack_ray.contract.errors import TrainError

Kernels = Literal["auto", "plain"]
Precision = Literal["float32", "bfloat16"]

PROCESSOR = Path("/proc/cpuinfo")
CAN_HALVE = ("amx_bf16", "avx512_bf16")
"""What a processor that multiplies bfloat16 says of itself."""


class _Choice:
    """Of this process; Jittor's settings, such as the device, are the process's, too."""

    is_plain = False
    halves = False


def choose(kernels: Kernels, precision: Precision = "float32") -> None:
    """From now on. auto: our kernels on a processor. plain: none of them, much slower, to hold them against.

    precision: in which convolutions multiply. Raises TrainError when that cannot be had.
    """
    if precision == "bfloat16":
        _check_halves(kernels)
    _Choice.is_plain = kernels == "plain"
    _Choice.halves = precision == "bfloat16"


def _check_halves(kernels: Kernels) -> None:
    if kernels == "plain" or jt.flags.use_cuda:
        raise TrainError("train.precision=bfloat16 is for jack_ray's own kernels on a processor: train.kernels=auto.")
    flags = PROCESSOR.read_text(encoding="utf-8").split() if PROCESSOR.is_file() else []
    if not set(CAN_HALVE) & set(flags):
        raise TrainError(
            f"train.precision=bfloat16 needs a processor with {' or '.join(CAN_HALVE)} (see {PROCESSOR}); "
            "type train.precision=float32."
        )


def are_used() -> bool:
    """Whether to compute with our kernels: they are for processors, a GPU has cuDNN and cuBLAS."""
    return not (_Choice.is_plain or jt.flags.use_cuda)


def halves() -> bool:
    """Whether convolutions multiply numbers of 16 bits, 8 of them for digits (bfloat16); sums have 32."""
    return _Choice.halves
