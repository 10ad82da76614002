"""The loss of one class a sample: cross entropy, or VAANet's polarity-consistent one (VAANet paper, section 3.4)."""
# B samples  K classes

from collections.abc import Sequence

import jittor as jt
import numpy as np
from jittor import nn
from numpy.typing import NDArray

from jack_ray.contract.errors import ConfigError
from jack_ray.methods.shared.clip_network_config import ClipNetworkConfig, lowered, polarity_faults
from jack_ray.methods.shared.computing import computed


class ClassLoss:
    """The mean over a batch's samples, each with its own weight."""

    def __init__(self, config: ClipNetworkConfig) -> None:
        self.config = config

    def __call__(self, logits: jt.Var, labels: NDArray[np.int64], classes: Sequence[str]) -> tuple[jt.Var, jt.Var]:
        """The loss and the plain cross entropy, of logits (B, K), class numbers (B,) and all classes' names.

        Raises ConfigError for a class without a polarity, where polarities count.
        """
        entropies = cross_entropies(logits, labels)
        if self.config.loss == "ce":
            return entropies.mean(), entropies.mean()
        found = computed({"logits": logits})["logits"].argmax(1)
        weights = polarity_weights(found, labels, self._is_positive(classes), self.config.polarity_penalty)
        return (entropies * jt.array(weights)).mean(), entropies.mean()

    def _is_positive(self, classes: Sequence[str]) -> NDArray[np.bool_]:
        faults = polarity_faults(self.config, classes)
        if faults:
            raise ConfigError(faults)
        positive = lowered(self.config.positive)
        return np.array([label.lower() in positive for label in classes])


def cross_entropies(logits: jt.Var, labels: NDArray[np.int64]) -> jt.Var:
    """Each sample's cross entropy, (B,), of logits (B, K) and class numbers (B,)."""
    targets = np.zeros(logits.shape, np.float32)
    targets[np.arange(len(labels)), labels] = 1
    return -(nn.log_softmax(logits, 1) * jt.array(targets)).sum(1)


def polarity_weights(
    found: NDArray[np.int64], labels: NDArray[np.int64], is_positive: NDArray[np.bool_], penalty: float
) -> NDArray[np.float32]:
    """(B,): 1, and `penalty` more where the found class and the true one differ in polarity. is_positive: (K,)."""
    return (1 + penalty * (is_positive[found] != is_positive[labels])).astype(np.float32)
