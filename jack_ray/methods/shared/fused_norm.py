"""Batch normalisation of one process in one pass of memory, and its gradient, on processors.

Written out, it is a dozen of Jittor's operators and twice PyTorch's time; here a channel is read while it lies in the
processor's cache, and what is kept for the way back is the input alone.
"""
# N images  C channels  L numbers of a channel of one image

from typing import Any

import jittor as jt

_HEADER = r"""
#include <algorithm>
#include <cmath>
// Short sums in float, of which the processor takes 16 at once, added up in double: as exact as double throughout.
static const long PIECE = 512;
static const float LOWEST = -3.4e38f;  // Jittor compiles as if there were no infinity
static inline double sum_of(const float* x, long L) {
  double total = 0;
  for (long start = 0; start < L; start += PIECE) {
    const long end = std::min(L, start + PIECE);
    float part = 0;
    for (long i = start; i < end; i++) part += x[i];
    total += part;
  }
  return total;
}
static inline double squares_of(const float* x, long L, float mean) {
  double total = 0;
  for (long start = 0; start < L; start += PIECE) {
    const long end = std::min(L, start + PIECE);
    float part = 0;
    for (long i = start; i < end; i++) part += (x[i] - mean) * (x[i] - mean);
    total += part;
  }
  return total;
}
"""

_SIZES = r"""
  const long N = in0_shape0, C = in0_shape1, L = in0->num / (N * C);
"""

_FORWARD = r"""
  const double eps = data["eps"];
  const float least = data["rectify"] ? 0.0f : LOWEST;
  #pragma omp parallel for
  for (long c = 0; c < C; c++) {
    double total = 0, squares = 0;
    for (long n = 0; n < N; n++) total += sum_of(in0_p + (n * C + c) * L, L);
    const float mean = total / (N * L);
    for (long n = 0; n < N; n++) squares += squares_of(in0_p + (n * C + c) * L, L, mean);
    const float variance = squares / (N * L);
    const float scale = in1_p[c] / std::sqrt(variance + eps), shift = in2_p[c];
    for (long n = 0; n < N; n++) {
      const float* x = in0_p + (n * C + c) * L;
      float* y = out0_p + (n * C + c) * L;
      for (long i = 0; i < L; i++) {
        const float value = (x[i] - mean) * scale + shift;
        y[i] = value > least ? value : least;
      }
    }
    out1_p[c] = mean;
    out1_p[C + c] = variance;
  }
"""

_BACKWARD = r"""
  // in0 images, in1 the result's gradient, in2 weight, in3 bias, in4 mean and variance
  const double eps = data["eps"];
  const float least = data["rectify"] ? 0.0f : LOWEST;
  #pragma omp parallel for
  for (long c = 0; c < C; c++) {
    const float mean = in4_p[c], inverse = 1 / std::sqrt(in4_p[C + c] + eps);
    const float scale = in2_p[c] * inverse, shift = in3_p[c];
    double of_bias = 0, of_weight = 0;
    for (long n = 0; n < N; n++) {
      const float *x = in0_p + (n * C + c) * L, *g = in1_p + (n * C + c) * L;
      for (long start = 0; start < L; start += PIECE) {
        const long end = std::min(L, start + PIECE);
        float plain = 0, weighted = 0;
        for (long i = start; i < end; i++) {
          const float centred = x[i] - mean;
          const float passed = centred * scale + shift > least ? g[i] : 0.0f;
          plain += passed;
          weighted += passed * centred;
        }
        of_bias += plain;
        of_weight += weighted;
      }
    }
    const float slope = -scale * inverse * inverse * of_weight / (N * L), level = -scale * of_bias / (N * L);
    for (long n = 0; n < N; n++) {
      const float *x = in0_p + (n * C + c) * L, *g = in1_p + (n * C + c) * L;
      float* back = out0_p + (n * C + c) * L;
      for (long i = 0; i < L; i++) {
        const float centred = x[i] - mean;
        const float passed = centred * scale + shift > least ? g[i] : 0.0f;
        back[i] = passed * scale + centred * slope + level;
      }
    }
    out1_p[c] = of_weight * inverse;
    out1_p[C + c] = of_bias;
  }
"""


class FusedNorm(jt.Function):
    """Normalise (N, C, ...) over all but channels, times weight plus bias, and rectify it if wished.

    After the call: `mean` and `variance` (C,), and `count`, the numbers of a channel.
    """

    def __init__(self, eps: float, rectify: bool = False) -> None:
        super().__init__()
        self._data: dict[str, Any] = {"eps": eps, "rectify": float(rectify)}

    def execute(self, images: jt.Var, weight: jt.Var, bias: jt.Var) -> jt.Var:
        """Normalise."""
        channels = images.shape[1]
        normalised, statistics = jt.code(
            [images.shape, [2, channels]], ["float32", "float32"], [images, weight, bias],
            cpu_header=_HEADER, cpu_src=_SIZES + _FORWARD, data=self._data,
        )  # fmt: skip
        self._saved = images, weight, bias, statistics
        self.mean, self.variance = statistics[0], statistics[1]
        self.count = images.numel() // channels * 1.0
        return normalised

    def grad(self, gradient: jt.Var) -> tuple[jt.Var, jt.Var, jt.Var]:
        """Of images, weight and bias (Ioffe and Szegedy 2015, section 3)."""
        images, weight, bias, statistics = self._saved
        of_images, sums = jt.code(
            [images.shape, statistics.shape], ["float32", "float32"], [images, gradient, weight, bias, statistics],
            cpu_header=_HEADER, cpu_src=_SIZES + _BACKWARD, data=self._data,
        )  # fmt: skip
        return of_images, sums[0], sums[1]
