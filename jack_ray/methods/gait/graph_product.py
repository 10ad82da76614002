"""The two products of BPM-GCN's graph convolution, which have a small graph of joints on one side.

Jittor's own batched product is 10 times slower in the way back. On a processor a row of joints is short enough to
stay in a register, so the loops are written out; on a GPU cuBLAS does it.
"""
# B gaits  K graphs  F features of a joint (channels and frames)  V joints

import jittor as jt
from jittor import nn

from jack_ray.methods.shared import kernels

_HEADER = r"""
#include <cstring>
template <int V>
struct Joints {
  // one number of each joint; the processor takes all of them at once
  typedef float Row __attribute__((vector_size(4 * V), aligned(4), may_alias));
  static Row& row(float* at) { return *(Row*)at; }
  static const Row& row(const float* at) { return *(const Row*)at; }
};
template <int V>
static inline void affinity_rows(const float* q, const float* k, float* out, long F) {
  typedef Joints<V> J;
  typename J::Row sum[V];
  for (int u = 0; u < V; u++) sum[u] = typename J::Row{};
  for (long f = 0; f < F; f++) {
    const typename J::Row right = J::row(k + f * V);
    #pragma GCC unroll 32
    for (int u = 0; u < V; u++) sum[u] += right * q[f * V + u];
  }
  for (int u = 0; u < V; u++) J::row(out + u * V) = sum[u];
}
template <int V, int N>
static inline void spread_some(const float* x, const typename Joints<V>::Row* graph, float* out, bool add) {
  typedef Joints<V> J;
  typename J::Row sum[N];
  #pragma GCC unroll 32
  for (int n = 0; n < N; n++) sum[n] = add ? J::row(out + n * V) : typename J::Row{};
  #pragma GCC unroll 32
  for (int u = 0; u < V; u++) {
    #pragma GCC unroll 32
    for (int n = 0; n < N; n++) sum[n] += graph[u] * x[n * V + u];
  }
  #pragma GCC unroll 32
  for (int n = 0; n < N; n++) J::row(out + n * V) = sum[n];
}
template <int V>
static inline void spread_rows(const float* x, const float* graph, float* out, long F, bool add) {
  typename Joints<V>::Row rows[V];
  for (int u = 0; u < V; u++) rows[u] = Joints<V>::row(graph + u * V);
  long f = 0;
  for (; f + 8 <= F; f += 8) spread_some<V, 8>(x + f * V, rows, out + f * V, add);
  for (; f < F; f++) spread_some<V, 1>(x + f * V, rows, out + f * V, add);
}
template <int V>
static inline void turned(const float* graph, float* out) {
  for (int u = 0; u < V; u++)
    for (int v = 0; v < V; v++) out[v * V + u] = graph[u * V + v];
}
"""

_SIZES = r"""
  constexpr int V = @V;
  const long B = (long)data["B"], K = (long)data["K"], F = (long)data["F"];
"""


def _code(shape: list[int], inputs: list[jt.Var], sizes: dict[str, int], source: str) -> jt.Var:
    # Only the joints are compiled in: a batch of another size, or another layer, must not compile anything anew.
    written = _SIZES.replace("@V", str(sizes["V"])) + source
    return jt.code(shape, "float32", inputs, cpu_header=_HEADER, cpu_src=written, data=dict(sizes))


class _Affinity(jt.Function):
    def execute(self, both: jt.Var) -> jt.Var:
        batch, double, features, joints = both.shape
        self.both = both
        self.sizes = {"B": batch, "K": double // 2, "F": features, "V": joints}
        source = r"""
  #pragma omp parallel for collapse(2)
  for (long b = 0; b < B; b++)
    for (long k = 0; k < K; k++) {
      const float* q = in0_p + (b * 2 * K + k) * F * V;
      affinity_rows<V>(q, q + K * F * V, out0_p + (b * K + k) * V * V, F);
    }
"""
        return _code([batch, double // 2, joints, joints], [both], self.sizes, source)

    def grad(self, gradient: jt.Var) -> jt.Var:
        source = r"""
  #pragma omp parallel for collapse(2)
  for (long b = 0; b < B; b++)
    for (long k = 0; k < K; k++) {
      const long at = (b * 2 * K + k) * F * V, other = at + K * F * V;
      const float* g = in1_p + (b * K + k) * V * V;
      float back[V * V];
      turned<V>(g, back);
      spread_rows<V>(in0_p + other, back, out0_p + at, F, false);
      spread_rows<V>(in0_p + at, g, out0_p + other, F, false);
    }
"""
        return _code(list(self.both.shape), [self.both, gradient], self.sizes, source)


class _Spread(jt.Function):
    def execute(self, features: jt.Var, graphs: jt.Var) -> jt.Var:
        self.saved = features, graphs
        batch, number, joints, _ = graphs.shape
        self.sizes = {"B": batch, "K": number, "F": features.shape[1], "V": joints}
        source = r"""
  #pragma omp parallel for collapse(2)
  for (long b = 0; b < B; b++)
    for (long k = 0; k < K; k++)
      spread_rows<V>(in0_p + b * F * V, in1_p + (b * K + k) * V * V, out0_p + (b * K + k) * F * V, F, false);
"""
        return _code([batch, number, features.shape[1], joints], [features, graphs], self.sizes, source)

    def grad(self, gradient: jt.Var) -> tuple[jt.Var, jt.Var]:
        features, graphs = self.saved
        of_features = r"""
  #pragma omp parallel for
  for (long b = 0; b < B; b++)
    for (long k = 0; k < K; k++) {
      float back[V * V];
      turned<V>(in0_p + (b * K + k) * V * V, back);
      spread_rows<V>(in1_p + (b * K + k) * F * V, back, out0_p + b * F * V, F, k > 0);
    }
"""
        of_graphs = r"""
  #pragma omp parallel for collapse(2)
  for (long b = 0; b < B; b++)
    for (long k = 0; k < K; k++)
      affinity_rows<V>(in0_p + b * F * V, in1_p + (b * K + k) * F * V, out0_p + (b * K + k) * V * V, F);
"""
        return (
            _code(list(features.shape), [graphs, gradient], self.sizes, of_features),
            _code(list(graphs.shape), [features, gradient], self.sizes, of_graphs),
        )


def affinity(both: jt.Var) -> jt.Var:
    """How alike the joints are: both (B, 2K, F, V), the first K against the last K; (B, K, V, V)."""
    if kernels.are_used():
        return _Affinity.apply(both)
    batch, double, features, joints = both.shape
    halves = both.reshape((batch, 2, double // 2, features, joints))
    left, right = (halves[:, half].reshape((-1, features, joints)) for half in range(2))
    return nn.bmm(left.transpose(0, 2, 1), right).reshape((batch, double // 2, joints, joints))


def spread(features: jt.Var, graphs: jt.Var) -> jt.Var:
    """Features (B, F, V) handed on along each of the graphs (B, K, V, V), which say from (row) where to (column).

    Returns (B, K, F, V).
    """
    if kernels.are_used():
        return _Spread.apply(features, graphs)
    batch, number, joints, _ = graphs.shape
    wide = graphs.transpose(0, 2, 1, 3).reshape((batch, joints, number * joints))
    product = nn.bmm(features, wide).reshape((batch, features.shape[1], number, joints))
    return product.transpose(0, 2, 1, 3)
