"""3-D convolution and pooling.

Jittor's own 3-D convolution is about a hundred times slower on a processor than oneDNN's, which is called here. Time
taps folded into channels of a 2-D convolution take 1.3 to 2.7 times as long as this. On a GPU cuDNN computes it.
"""
# B batch  I channels in  O channels out  D depth (time)  H height  W width

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import prod, sqrt
from pathlib import Path

import jittor as jt
import jittor_utils
from jittor import nn

Triple = tuple[int, int, int]
"""Of time, height and width."""

LOWEST = -3.4e38
"""What lies outside of a volume, for a maximum."""

_HEADER = r"""
#include <dnnl.hpp>
namespace jittor {
typedef dnnl::memory::dims Dims;
typedef dnnl::memory::format_tag Tag;

static inline dnnl::engine& the_engine() { static dnnl::engine one(dnnl::engine::kind::cpu, 0); return one; }
static inline dnnl::stream& the_stream() { static dnnl::stream one(the_engine()); return one; }

// dense as Jittor has it, or (Tag::any) as oneDNN likes it best
static inline dnnl::memory::desc layout(const Dims& dims, Tag tag) {
  return dnnl::memory::desc(dims, dnnl::memory::data_type::f32, tag);
}
static inline dnnl::memory given(const Dims& dims, Tag tag, void* data) {
  return dnnl::memory(layout(dims, tag), the_engine(), data);
}
static inline dnnl::memory as_wanted(dnnl::memory from, const dnnl::memory::desc& wanted) {
  if (from.get_desc() == wanted) return from;
  dnnl::memory to(wanted, the_engine());
  dnnl::reorder(from, to).execute(the_stream(), from, to);
  return to;
}
static inline dnnl::memory room_for(dnnl::memory result, const dnnl::memory::desc& wanted) {
  return result.get_desc() == wanted ? result : dnnl::memory(wanted, the_engine());
}
static inline void hand_back(dnnl::memory computed, dnnl::memory result) {
  if (computed.get_desc() != result.get_desc())
    dnnl::reorder(computed, result).execute(the_stream(), computed, result);
  the_stream().wait();
}
struct Sizes { Dims volume, kernel, result, stride, padding; };
template <class Shape> static inline Dims five(const Shape& shape) {
  return Dims{shape[0], shape[1], shape[2], shape[3], shape[4]};
}
static inline dnnl::convolution_forward::primitive_desc plan(const Sizes& s) {
  return dnnl::convolution_forward::primitive_desc(
      dnnl::convolution_forward::desc(
          dnnl::prop_kind::forward_training, dnnl::algorithm::convolution_direct, layout(s.volume, Tag::any),
          layout(s.kernel, Tag::any), layout(s.result, Tag::any), s.stride, s.padding, s.padding),
      the_engine());
}
}
"""

_SIZES = r"""
  Sizes s{five(@volume->shape), five(@kernel->shape), five(@result->shape),
          Dims{(int64)data["stride0"], (int64)data["stride1"], (int64)data["stride2"]},
          Dims{(int64)data["padding0"], (int64)data["padding1"], (int64)data["padding2"]}};
  dnnl::memory volume = given(s.volume, Tag::ncdhw, @volume_p), kernel = given(s.kernel, Tag::oidhw, @kernel_p),
               result = given(s.result, Tag::ncdhw, @result_p);
"""

_FORWARD = r"""
  auto planned = plan(s);
  auto from = as_wanted(volume, planned.src_desc()), with = as_wanted(kernel, planned.weights_desc());
  auto to = room_for(result, planned.dst_desc());
  dnnl::convolution_forward(planned).execute(
      the_stream(), {{DNNL_ARG_SRC, from}, {DNNL_ARG_WEIGHTS, with}, {DNNL_ARG_DST, to}});
  hand_back(to, result);
"""

_OF_VOLUME = r"""
  dnnl::convolution_backward_data::primitive_desc planned(
      dnnl::convolution_backward_data::desc(
          dnnl::algorithm::convolution_direct, layout(s.volume, Tag::any), layout(s.kernel, Tag::any),
          layout(s.result, Tag::any), s.stride, s.padding, s.padding),
      the_engine(), plan(s));
  auto from = as_wanted(result, planned.diff_dst_desc()), with = as_wanted(kernel, planned.weights_desc());
  auto to = room_for(volume, planned.diff_src_desc());
  dnnl::convolution_backward_data(planned).execute(
      the_stream(), {{DNNL_ARG_DIFF_DST, from}, {DNNL_ARG_WEIGHTS, with}, {DNNL_ARG_DIFF_SRC, to}});
  hand_back(to, volume);
"""

_OF_KERNEL = r"""
  dnnl::convolution_backward_weights::primitive_desc planned(
      dnnl::convolution_backward_weights::desc(
          dnnl::algorithm::convolution_direct, layout(s.volume, Tag::any), layout(s.kernel, Tag::any),
          layout(s.result, Tag::any), s.stride, s.padding, s.padding),
      the_engine(), plan(s));
  auto from = as_wanted(result, planned.diff_dst_desc()), with = as_wanted(volume, planned.src_desc());
  auto to = room_for(kernel, planned.diff_weights_desc());
  dnnl::convolution_backward_weights(planned).execute(
      the_stream(), {{DNNL_ARG_DIFF_DST, from}, {DNNL_ARG_SRC, with}, {DNNL_ARG_DIFF_WEIGHTS, to}});
  hand_back(to, kernel);
"""


@cache
def _compile_options() -> Mapping[str, int]:
    """How the compiler finds oneDNN: where Jittor has it."""
    folder = next((Path(jittor_utils.home()) / ".cache" / "jittor" / "mkl").glob("dnnl*"))
    return {f'FLAGS: -I"{folder}/include" -L"{folder}/lib" -Wl,-rpath,"{folder}/lib" -lmkldnn ': 1}


@dataclass(frozen=True)
class _Call:
    """One call of oneDNN."""

    source: str
    roles: tuple[str, str, str]
    """Which of in0, in1 and out0 is the volume, the kernel and the result."""

    def __call__(self, shape: Sequence[int], inputs: list[jt.Var], numbers: Mapping[str, int]) -> jt.Var:
        sizes = _SIZES
        for name, role in zip(("@volume", "@kernel", "@result"), self.roles, strict=True):
            sizes = sizes.replace(name, role)
        source = f"  using namespace jittor;\n{sizes}{self.source}"
        options = dict(_compile_options())
        with jt.flag_scope(compile_options=options):
            computed = jt.code(list(shape), "float32", inputs, cpu_header=_HEADER, cpu_src=source, data=dict(numbers))
            computed.compile_options = options
        return computed


_forward = _Call(_FORWARD, ("in0", "in1", "out0"))
_gradient_of_volume = _Call(_OF_VOLUME, ("out0", "in0", "in1"))
_gradient_of_kernel = _Call(_OF_KERNEL, ("in0", "out0", "in1"))


class _Convolution(jt.Function):
    def execute(self, volume: jt.Var, kernel: jt.Var, stride: Triple, padding: Triple) -> jt.Var:
        self.saved = volume, kernel
        self.numbers = {f"stride{axis}": value for axis, value in enumerate(stride)}
        self.numbers |= {f"padding{axis}": value for axis, value in enumerate(padding)}
        sizes = _sizes(volume.shape[2:], kernel.shape[2:], stride, padding)
        return _forward([volume.shape[0], kernel.shape[0], *sizes], [volume, kernel], self.numbers)

    def grad(self, gradient: jt.Var) -> tuple[jt.Var | None, ...]:
        volume, kernel = self.saved
        of_volume = _gradient_of_volume(volume.shape, [kernel, gradient], self.numbers)
        of_kernel = _gradient_of_kernel(kernel.shape, [volume, gradient], self.numbers)
        return of_volume, of_kernel, None, None


def _sizes(volume: Sequence[int], kernel: Sequence[int], stride: Triple, padding: Triple) -> list[int]:
    """Depth, height and width of the result."""
    axes = zip(volume, kernel, stride, padding, strict=True)
    return [(size + 2 * pad - taps) // step + 1 for size, taps, step, pad in axes]


def convolve(volume: jt.Var, kernel: jt.Var, stride: Triple = (1, 1, 1), padding: Triple = (0, 0, 0)) -> jt.Var:
    """3-D convolution without bias: (B, I, D, H, W) and (O, I, d, h, w) -> (B, O, D', H', W')."""
    if jt.flags.use_cuda:
        return nn.conv3d(volume, kernel, None, stride, padding)
    return _Convolution.apply(volume, kernel, stride, padding)


class VolumeConvolution(nn.Module):
    """3-D convolution without bias: (B, I, D, H, W) -> (B, O, D', H', W').

    Initial weights are normal, Kaiming's with fan out, as in the published 3-D ResNets.
    """

    def __init__(
        self, channels: tuple[int, int], kernel: Triple, stride: Triple = (1, 1, 1), padding: Triple = (0, 0, 0)
    ) -> None:
        inputs, outputs = channels
        self.weight = jt.init.gauss((outputs, inputs, *kernel), "float32", 0.0, sqrt(2 / (outputs * prod(kernel))))
        self._stride = stride
        self._padding = padding

    def execute(self, volume: jt.Var) -> jt.Var:
        """Convolve."""
        return convolve(volume, self.weight, self._stride, self._padding)


class MaxPool(nn.Module):
    """The largest value of each window, also where the window is as large as the volume, which Jittor's refuses."""

    def __init__(self, kernel: Triple, stride: Triple, padding: Triple) -> None:
        self._kernel = kernel
        self._stride = stride
        self._padding = padding
        self._pool = nn.Pool3d(kernel, stride, op="maximum")

    def execute(self, volume: jt.Var) -> jt.Var:
        """(B, C, D, H, W) -> (B, C, D', H', W')."""
        wanted = _sizes(volume.shape[2:], self._kernel, self._stride, self._padding)
        axes = zip(wanted, self._kernel, self._stride, strict=True)
        # Jittor's needs one more than the kernel; the windows that this adds are cut off again.
        padded = [max((size - 1) * step + taps, taps + 1) for size, taps, step in axes]
        places = ["i0", "i1", *(f"i{axis + 2}-{pad}" for axis, pad in enumerate(self._padding))]
        wide = volume.reindex([*volume.shape[:2], *padded], places, overflow_value=LOWEST)
        depth, height, width = wanted
        return self._pool(wide)[:, :, :depth, :height, :width]
