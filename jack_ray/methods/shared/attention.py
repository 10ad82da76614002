"""How much each place of a sequence matters, learnt from the sequence (VAANet repository, models/visual_stream.py)."""
# B sequences  C channels  T places

from jittor import Var, nn

from jack_ray.methods.shared.batchnorm import BatchNorm
from jack_ray.methods.shared.convolution import SequenceConvolution
from jack_ray.methods.shared.linear import Linear


class Attention(nn.Module):
    """(B, C, T) -> (B, T): one number for each place from its channels, then each from all of them.

    What makes weights of them (a rectifier, a softmax) is the caller's. The number of places is fixed.
    """

    def __init__(self, channels: int, places: int, has_bias: bool = True) -> None:
        self.conv = nn.Sequential(SequenceConvolution((channels, 1), 1, has_bias=False), BatchNorm(1), nn.Tanh())
        self.fc = Linear(places, places, has_bias)

    def execute(self, sequence: Var) -> Var:
        """Weigh."""
        return self.fc(self.conv(sequence).squeeze(1))


def softmax_weights(scores: Var) -> Var:
    """(B, T) -> (B, T): positive weights whose mean over the places is 1."""
    return nn.softmax(scores, 1) * scores.shape[1]
