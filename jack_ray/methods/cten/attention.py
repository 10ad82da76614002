"""Segments that learn from segments: of their own stream, and of the other (CTEN paper, sections 3.2 and 3.3)."""
# B videos  S segments  C features  I inner channels  N heads

from math import sqrt

import jittor as jt
from jittor import nn

from jack_ray.methods.shared.batchnorm import BatchNorm
from jack_ray.methods.shared.linear import Linear


class IntraModal(nn.Module):
    """A segment gathers from all segments of its stream: (B, S, C) -> (B, S, C).

    The short cut is scaled by `alpha`, which starts from 0, as in the published code; the paper adds the segment
    itself to the scaled rest.
    """

    def __init__(self, features: int, inner: int) -> None:
        self.alpha = jt.zeros((1,))
        self.theta = Linear(features, inner)
        self.phi = Linear(features, inner)
        self.g = Linear(features, inner)
        self.out = Linear(inner, features)
        self.bn = BatchNorm(features)

    def execute(self, segments: jt.Var) -> jt.Var:
        """Gather."""
        gathered = self.out(attend(self.theta(segments), self.phi(segments), self.g(segments)))
        normalised = self.bn(gathered.reshape((-1, gathered.shape[2]))).reshape(gathered.shape)
        return normalised + self.alpha * segments


class InterModal(nn.Module):
    """The segments of one stream gather from the other stream's, by several heads: (B, S, C) -> (B, S, C)."""

    def __init__(self, features: int, heads: int) -> None:
        self.linear_q = Linear(features, features)
        self.linear_k = Linear(features, features)
        self.linear_v = Linear(features, features)
        self.linear_o = Linear(features, features)
        self._heads = heads

    def execute(self, asking: jt.Var, asked: jt.Var) -> jt.Var:
        """Gather for `asking` from `asked`. All four linear layers are rectified, as in the published code."""
        query, key, value = (
            self._split(nn.relu(layer(segments)))
            for layer, segments in ((self.linear_q, asking), (self.linear_k, asked), (self.linear_v, asked))
        )
        return nn.relu(self.linear_o(self._join(attend(query, key, value))))

    def _split(self, segments: jt.Var) -> jt.Var:
        """(B, S, C) -> (B * N, S, C / N)."""
        batch, number, features = segments.shape
        split = segments.reshape((batch, number, self._heads, features // self._heads))
        return split.transpose(0, 2, 1, 3).reshape((batch * self._heads, number, -1))

    def _join(self, segments: jt.Var) -> jt.Var:
        """(B * N, S, C / N) -> (B, S, C)."""
        _, number, width = segments.shape
        joined = segments.reshape((-1, self._heads, number, width)).transpose(0, 2, 1, 3)
        return joined.reshape((-1, number, self._heads * width))


def attend(query: jt.Var, key: jt.Var, value: jt.Var) -> jt.Var:
    """Each query's mixture of the values, by its likeness to their keys; all (B, S, I)."""
    likeness = nn.bmm_transpose(query, key) / sqrt(query.shape[2])
    return nn.bmm(nn.softmax(likeness, 2), value)
