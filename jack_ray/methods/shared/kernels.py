"""Whether a processor computes with the package's own kernels (`train.kernels`), or with Jittor's operators alone."""

from typing import Literal

import jittor as jt

Kernels = Literal["auto", "plain"]


class _Choice:
    """Of this process; Jittor's settings, such as the device, are the process's, too."""

    is_plain = False


def choose(kernels: Kernels) -> None:
    """From now on. auto: our kernels on a processor. plain: none of them, much slower, to hold them against."""
    _Choice.is_plain = kernels == "plain"


def are_used() -> bool:
    """Whether to compute with our kernels: they are for processors, a GPU has cuDNN and cuBLAS."""
    return not (_Choice.is_plain or jt.flags.use_cuda)
