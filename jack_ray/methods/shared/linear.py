"""Linear layers as one matrix product; their weights start as PyTorch's, and as Jittor's (tests/test_faq.py)."""
# I features in  O features out

import jittor as jt
from jittor import nn

from jack_ray.methods.shared.convolution import initial_weight


class Linear(nn.Module):
    """(..., I) -> (..., O); weights and biases start as PyTorch's."""

    def __init__(self, inputs: int, outputs: int, has_bias: bool = True) -> None:
        self.weight = initial_weight((outputs, inputs), inputs)
        self.bias = initial_weight((outputs,), inputs) if has_bias else None

    def execute(self, features: jt.Var) -> jt.Var:
        """Multiply and add; as one matrix product, since Jittor's batched one is slow in the way back."""
        outputs, inputs = self.weight.shape
        product = nn.matmul_transpose(features.reshape((-1, inputs)), self.weight)
        result = product if self.bias is None else product + self.bias
        return result.reshape((*features.shape[:-1], outputs))
