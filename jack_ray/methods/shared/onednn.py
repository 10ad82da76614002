"""Convolutions of pictures and volumes by oneDNN, with a bias and a rectifier as part of the same pass.

Jittor's own 3-D convolution is about a hundred times slower on a processor than oneDNN's. Its 2-D one is oneDNN's,
but a bias and a rectifier are passes of their own there, and so are the sums of their way back.
"""
# B batch  I channels in  O channels out  ... two or three axes of space and time

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import jittor as jt
import jittor_utils

from jack_ray.methods.shared import kernels, onednn_source


@cache
def _compile_options() -> Mapping[str, int]:
    """How the compiler finds oneDNN: where Jittor has it."""
    folder = next((Path(jittor_utils.home()) / ".cache" / "jittor" / "mkl").glob("dnnl*"))
    return {f'FLAGS: -I"{folder}/include" -L"{folder}/lib" -Wl,-rpath,"{folder}/lib" -lmkldnn ': 1}


@dataclass(frozen=True)
class _Call:
    """One call of oneDNN."""

    source: str
    roles: tuple[str, str, str, str]
    """Which of the inputs and outputs is the volume, the kernel, the result and the bias."""

    def __call__(self, shapes: list[Sequence[int]], inputs: list[jt.Var], about: "_About") -> list[jt.Var]:
        source = onednn_source.SETUP + self.source
        roles = (*self.roles[:3], self.roles[3] if about.has_bias else "nullptr")
        words = dict(zip(("@volume", "@kernel", "@result", "@bias_p"), roles, strict=True))
        for name, word in (words | about.words()).items():
            source = source.replace(name, word)
        options = dict(_compile_options())
        with jt.flag_scope(compile_options=options):
            types = ["float32"] * len(shapes)
            computed = jt.code(
                [list(shape) for shape in shapes], types, inputs,
                cpu_header=onednn_source.HEADER, cpu_src=source, data=about.numbers(),
            )  # fmt: skip
            for var in computed:
                var.compile_options = options
        return list(computed)


_forward = _Call(onednn_source.FORWARD, ("in0", "in1", "out0", "in2_p"))
_gradient_of_volume = _Call(onednn_source.OF_VOLUME, ("out0", "in0", "in1", ""))
_gradient_of_kernel = _Call(onednn_source.OF_KERNEL, ("in0", "out0", "in1", "out1_p"))


@dataclass(frozen=True)
class _About:
    """What a call is told beside its arrays."""

    stride: Sequence[int]
    padding: Sequence[int]
    has_bias: bool
    rectifies: bool

    def numbers(self) -> dict[str, int]:
        """Not compiled in: another stride must not compile anything anew."""
        axes = range(len(self.stride))
        return {f"stride{axis}": self.stride[axis] for axis in axes} | {
            f"padding{axis}": self.padding[axis] for axis in axes
        }

    def words(self) -> dict[str, str]:
        """What stands for the @names in the source."""
        axes = range(len(self.stride))
        return {
            "@strides": ", ".join(f'(int64)data["stride{axis}"]' for axis in axes),
            "@paddings": ", ".join(f'(int64)data["padding{axis}"]' for axis in axes),
            "@biased": str(self.has_bias).lower(),
            "@rectifies": str(self.rectifies).lower(),
            "@rectified": "in2_p" if self.rectifies else "nullptr",
            "@read": "bf16" if kernels.halves() else "f32",
        }


class Convolution(jt.Function):
    """(B, I, ...) and (O, I, ...), and a bias (O,) or none, -> (B, O, ...): convolved, and rectified if wished."""

    def __init__(self, stride: Sequence[int], padding: Sequence[int], rectifies: bool = False) -> None:
        super().__init__()
        self._stride = stride
        self._padding = padding
        self._rectifies = rectifies

    def execute(self, volume: jt.Var, kernel: jt.Var, bias: jt.Var | None) -> jt.Var:
        """Convolve."""
        self._about = _About(self._stride, self._padding, bias is not None, self._rectifies)
        sizes = result_sizes(volume.shape[2:], kernel.shape[2:], self._stride, self._padding)
        inputs = [volume, kernel] if bias is None else [volume, kernel, bias]
        (result,) = _forward([[volume.shape[0], kernel.shape[0], *sizes]], inputs, self._about)
        # What the rectifier let through is where the result is positive; what it was given need not be kept.
        self._saved = [volume, kernel, result] if self._rectifies else [volume, kernel]
        return result

    def grad(self, gradient: jt.Var) -> tuple[jt.Var | None, ...]:
        """Of volume, kernel and bias."""
        volume, kernel, *result = self._saved
        about = self._about
        shapes = [kernel.shape, kernel.shape[:1]] if about.has_bias else [kernel.shape]
        of_kernel = _gradient_of_kernel(shapes, [volume, gradient, *result], about)
        (of_volume,) = _gradient_of_volume([volume.shape], [kernel, gradient, *result], replace(about, has_bias=False))
        return of_volume, of_kernel[0], of_kernel[1] if about.has_bias else None


def result_sizes(
    volume: Sequence[int], kernel: Sequence[int], stride: Sequence[int], padding: Sequence[int]
) -> list[int]:
    """The axes of the result."""
    axes = zip(volume, kernel, stride, padding, strict=True)
    return [(size + 2 * pad - taps) // step + 1 for size, taps, step, pad in axes]
