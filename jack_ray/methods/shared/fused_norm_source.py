"""What is compiled to normalise: the body of a loop over channels, put together from these parts; @names stand open."""

HEADER = r"""
#include <algorithm>
#include <cmath>
#include <vector>
namespace jittor {
// Short sums in float, of which the processor takes 16 at once, added up in double: as exact as double throughout.
static const long PIECE = 512;
struct Shape { long N, C, L; long at(long n, long c) const { return (n * C + c) * L; } };

static inline void find_moments(
    const float* images, Shape s, long c, long from, long to, float& mean, float& variance) {
  double total = 0, squares = 0;
  for (long n = from; n < to; n++) {
    const float* x = images + s.at(n, c);
    for (long start = 0; start < s.L; start += PIECE) {
      float part = 0;
      for (long i = start, end = std::min(s.L, start + PIECE); i < end; i++) part += x[i];
      total += part;
    }
  }
  mean = total / ((to - from) * s.L);
  const float middle = mean;
  for (long n = from; n < to; n++) {
    const float* x = images + s.at(n, c);
    for (long start = 0; start < s.L; start += PIECE) {
      float part = 0;
      for (long i = start, end = std::min(s.L, start + PIECE); i < end; i++) part += (x[i] - middle) * (x[i] - middle);
      squares += part;
    }
  }
  variance = squares / ((to - from) * s.L);
}
}
"""

NORMALISE = r"""
    const float scale = in1_p[c] / std::sqrt(variance + eps), shift = in2_p[c];
    for (long n = from; n < to; n++) {
      const float* x = in0_p + s.at(n, c);
      const float* also = @short + s.at(n, c);
      float* y = out0_p + s.at(n, c);
      for (long i = 0; i < s.L; i++) {
        const float value = (x[i] - mean) * scale + shift@add;
        y[i] = @value;
      }
    }
"""

WAY_BACK = r"""
    const float inverse = 1 / std::sqrt(variance + eps);
    const float scale = in2_p[c] * inverse, shift = in3_p[c];
"""

SUMS = r"""
    double of_bias = 0, of_weight = 0;
    for (long n = from; n < to; n++) {
      const float *x = in0_p + s.at(n, c), *g = in1_p + s.at(n, c), *y = @result + s.at(n, c);
      for (long start = 0; start < s.L; start += PIECE) {
        float plain = 0, weighted = 0;
        for (long i = start, end = std::min(s.L, start + PIECE); i < end; i++) {
          const float centred = x[i] - mean;
          const float passed = @passed;
          plain += passed;
          weighted += passed * centred;
        }
        of_bias += plain;
        of_weight += weighted;
      }
    }
    of_weight *= inverse;
"""

GRADIENT = r"""
    const float slope = -scale * inverse * all_of_weight / count, level = -scale * all_of_bias / count;
    for (long n = from; n < to; n++) {
      const float *x = in0_p + s.at(n, c), *g = in1_p + s.at(n, c), *y = @result + s.at(n, c);
      float *back = out0_p + s.at(n, c), *aside = @aside + s.at(n, c);
      for (long i = 0; i < s.L; i++) {
        const float centred = x[i] - mean;
        const float passed = @passed;
        back[i] = passed * scale + centred * slope + level;
        @keep
      }
    }
"""

# In front of what returns only the largest number of each square.
SQUARES = """
    const long side = data["side"], W = in0_shape3, w = W / side, num = in0_shape2 / side * w;
"""

NORMALISE_AND_POOL = (
    SQUARES
    + r"""
    const float scale = in1_p[c] / std::sqrt(variance + eps), shift = in2_p[c];
    std::vector<float> normalised(s.L);
    for (long n = from; n < to; n++) {
      const float* x = in0_p + s.at(n, c);
      float* y = normalised.data();
      for (long i = 0; i < s.L; i++) y[i] = (x[i] - mean) * scale + shift;
      for (long k = 0; k < num; k++) {
        const long corner = (k / w * W + k % w) * side;
        long place = corner;
        float largest = y[corner];
        for (long i = 0; i < side; i++)
          for (long at = corner + i * W; at < corner + i * W + side; at++)
            if (y[at] > largest) largest = y[place = at];
        out0_p[(n * s.C + c) * num + k] = largest;
        out2_p[(n * s.C + c) * num + k] = place;
      }
    }
"""
)

POOLED_SUMS = (
    SQUARES
    + r"""
    double of_bias = 0, of_weight = 0;
    for (long n = from; n < to; n++) {
      const float *x = in0_p + s.at(n, c), *g = in1_p + (n * s.C + c) * num;
      const int* place = in6_p + (n * s.C + c) * num;
      for (long k = 0; k < num; k++) of_bias += g[k], of_weight += g[k] * (x[place[k]] - mean);
    }
    of_weight *= inverse;
"""
)

POOLED_GRADIENT = r"""
    const float slope = -scale * inverse * all_of_weight / count, level = -scale * all_of_bias / count;
    for (long n = from; n < to; n++) {
      const float *x = in0_p + s.at(n, c), *g = in1_p + (n * s.C + c) * num;
      const int* place = in6_p + (n * s.C + c) * num;
      float* back = out0_p + s.at(n, c);
      for (long i = 0; i < s.L; i++) back[i] = (x[i] - mean) * slope + level;
      for (long k = 0; k < num; k++) back[place[k]] += g[k] * scale;
    }
"""

FIND = "    float mean, variance;\n    find_moments(in0_p, s, c, from, to, mean, variance);\n"
TELL = "    @told[2 * p * s.C + c] = mean;\n    @told[(2 * p + 1) * s.C + c] = variance;\n"
TELL_SUMS = "    @told[c] = (p ? @told[c] : 0) + of_weight;\n    @told[s.C + c] = (p ? @told[s.C + c] : 0) + of_bias;\n"
OF_ALL = "    const float all_of_weight = of_weight, all_of_bias = of_bias;\n"
GIVEN = "    const float mean = @moments[2 * p * s.C + c], variance = @moments[(2 * p + 1) * s.C + c];\n"
