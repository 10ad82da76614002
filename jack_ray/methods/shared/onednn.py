"""Convolutions of pictures and volumes by oneDNN, with a bias and a rectifier as part of the same pass.

Jittor's own 3-D convolution is about a hundred times slower on a processor than oneDNN's. Its 2-D one is oneDNN's,
but a bias and a rectifier are passes of their own there, and so are the sums of their way back.
"""
# B batch  I channels in  O channels out  ... two or three axes of space and time

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import jittor as jt
import jittor_utils

from jack_ray.methods.shared import kernels

_HEADER = r"""
#include <dnnl.hpp>
namespace jittor {
typedef dnnl::memory::dims Dims;
typedef dnnl::memory::format_tag Tag;
typedef dnnl::memory::desc Layout;

static inline dnnl::engine& the_engine() { static dnnl::engine one(dnnl::engine::kind::cpu, 0); return one; }
static inline dnnl::stream& the_stream() { static dnnl::stream one(the_engine()); return one; }

typedef dnnl::memory::data_type Type;
// dense as Jittor has it, or (Tag::any) as oneDNN likes it best
static inline Layout layout(const Dims& dims, Tag tag, Type type = Type::f32) { return Layout(dims, type, tag); }
static inline dnnl::memory given(const Dims& dims, void* data) {
  const Tag dense[] = {Tag::a, Tag::a, Tag::ab, Tag::abc, Tag::abcd, Tag::abcde};
  return dnnl::memory(layout(dims, dense[dims.size()]), the_engine(), data);
}
static inline dnnl::memory as_wanted(dnnl::memory from, const Layout& wanted) {
  if (from.get_desc() == wanted) return from;
  dnnl::memory to(wanted, the_engine());
  dnnl::reorder(from, to).execute(the_stream(), from, to);
  return to;
}
static inline dnnl::memory room_for(dnnl::memory result, const Layout& wanted) {
  return result.get_desc() == wanted ? result : dnnl::memory(wanted, the_engine());
}
static inline void hand_back(dnnl::memory computed, dnnl::memory result) {
  if (computed.get_desc() != result.get_desc())
    dnnl::reorder(computed, result).execute(the_stream(), computed, result);
  the_stream().wait();
}
template <class Shape> static inline Dims sizes_of(const Shape& shape) {
  Dims dims;
  for (int axis = 0; axis < (int)shape.size(); axis++) dims.push_back(shape[axis]);
  return dims;
}
struct Convolution {
  Dims volume, kernel, result, stride, padding;
  bool has_bias, rectifies;
  Type read;  // what is multiplied; sums and results are float32
  Layout low(const Dims& dims) const { return layout(dims, Tag::any, read); }
  Layout full(const Dims& dims) const { return layout(dims, Tag::any); }
  Layout bias() const { return has_bias ? layout(Dims{kernel[0]}, Tag::a) : Layout(); }
  dnnl::convolution_forward::primitive_desc plan() const {
    dnnl::primitive_attr attributes;
    dnnl::post_ops then;
    if (rectifies) then.append_eltwise(1.0f, dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
    attributes.set_post_ops(then);
    return dnnl::convolution_forward::primitive_desc(
        dnnl::convolution_forward::desc(
            dnnl::prop_kind::forward_training, dnnl::algorithm::convolution_direct, low(volume), low(kernel), bias(),
            full(result), stride, padding, padding),
        attributes, the_engine());
  }
};
}
"""

_SETUP = r"""
  using namespace jittor;
  const Convolution s{sizes_of(@volume->shape), sizes_of(@kernel->shape), sizes_of(@result->shape), Dims{@strides},
                      Dims{@paddings}, @biased, @rectifies, Type::@read};
  dnnl::memory volume = given(s.volume, @volume_p), kernel = given(s.kernel, @kernel_p),
               result = given(s.result, @result_p);
"""

_FORWARD = r"""
  auto planned = s.plan();
  auto from = as_wanted(volume, planned.src_desc()), with = as_wanted(kernel, planned.weights_desc());
  auto to = room_for(result, planned.dst_desc());
  std::unordered_map<int, dnnl::memory> arguments{
      {DNNL_ARG_SRC, from}, {DNNL_ARG_WEIGHTS, with}, {DNNL_ARG_DST, to}};
  if (s.has_bias) arguments.insert({DNNL_ARG_BIAS, given(Dims{s.kernel[0]}, @bias_p)});
  dnnl::convolution_forward(planned).execute(the_stream(), arguments);
  hand_back(to, result);
"""

_OF_VOLUME = r"""
  dnnl::convolution_backward_data::primitive_desc planned(
      dnnl::convolution_backward_data::desc(
          dnnl::algorithm::convolution_direct, s.full(s.volume), s.low(s.kernel), s.low(s.result), s.stride, s.padding,
          s.padding),
      the_engine(), s.plan());
  auto from = as_wanted(result, planned.diff_dst_desc()), with = as_wanted(kernel, planned.weights_desc());
  auto to = room_for(volume, planned.diff_src_desc());
  dnnl::convolution_backward_data(planned).execute(
      the_stream(), {{DNNL_ARG_DIFF_DST, from}, {DNNL_ARG_WEIGHTS, with}, {DNNL_ARG_DIFF_SRC, to}});
  hand_back(to, volume);
"""

_OF_KERNEL = r"""
  dnnl::convolution_backward_weights::primitive_desc planned(
      dnnl::convolution_backward_weights::desc(
          dnnl::algorithm::convolution_direct, s.low(s.volume), s.full(s.kernel), s.bias(), s.low(s.result), s.stride,
          s.padding, s.padding),
      the_engine(), s.plan());
  auto from = as_wanted(result, planned.diff_dst_desc()), with = as_wanted(volume, planned.src_desc());
  auto to = room_for(kernel, planned.diff_weights_desc());
  std::unordered_map<int, dnnl::memory> arguments{
      {DNNL_ARG_DIFF_DST, from}, {DNNL_ARG_SRC, with}, {DNNL_ARG_DIFF_WEIGHTS, to}};
  if (s.has_bias) arguments.insert({DNNL_ARG_DIFF_BIAS, given(Dims{s.kernel[0]}, @bias_p)});
  dnnl::convolution_backward_weights(planned).execute(the_stream(), arguments);
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
    roles: tuple[str, str, str, str]
    """Which of the inputs and outputs is the volume, the kernel, the result and the bias."""

    def __call__(self, shapes: list[Sequence[int]], inputs: list[jt.Var], about: "_About") -> list[jt.Var]:
        source = _SETUP + self.source
        roles = (*self.roles[:3], self.roles[3] if about.has_bias else "nullptr")
        words = dict(zip(("@volume", "@kernel", "@result", "@bias_p"), roles, strict=True))
        for name, word in (words | about.words()).items():
            source = source.replace(name, word)
        options = dict(_compile_options())
        with jt.flag_scope(compile_options=options):
            types = ["float32"] * len(shapes)
            computed = jt.code(
                [list(shape) for shape in shapes], types, inputs,
                cpu_header=_HEADER, cpu_src=source, data=about.numbers(),
            )  # fmt: skip
            for var in computed:
                var.compile_options = options
        return list(computed)


_forward = _Call(_FORWARD, ("in0", "in1", "out0", "in2_p"))
_gradient_of_volume = _Call(_OF_VOLUME, ("out0", "in0", "in1", ""))
_gradient_of_kernel = _Call(_OF_KERNEL, ("in0", "out0", "in1", "out1_p"))


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
        if result:
            gradient = jt.ternary(result[0] > 0, gradient, jt.zeros_like(gradient))
        about = _About(self._stride, self._padding, self._about.has_bias, False)
        shapes = [kernel.shape, kernel.shape[:1]] if about.has_bias else [kernel.shape]
        of_kernel = _gradient_of_kernel(shapes, [volume, gradient], about)
        (of_volume,) = _gradient_of_volume(
            [volume.shape], [kernel, gradient], _About(self._stride, self._padding, False, False)
        )
        return of_volume, of_kernel[0], of_kernel[1] if about.has_bias else None


def result_sizes(
    volume: Sequence[int], kernel: Sequence[int], stride: Sequence[int], padding: Sequence[int]
) -> list[int]:
    """The axes of the result."""
    axes = zip(volume, kernel, stride, padding, strict=True)
    return [(size + 2 * pad - taps) // step + 1 for size, taps, step, pad in axes]
