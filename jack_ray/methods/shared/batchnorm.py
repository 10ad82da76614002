"""Batch normalisation whose running statistics do not depend on how samples are spread over ranks.

Jittor's own layer keeps the biased variance, loses all digits of it where the mean is large, and weighs ranks with
few samples like those with many.

`BatchNorm` is for samples that form one batch: statistics are those of the whole step's batch, over all ranks.

`SampleBatchNorm` is for samples that are batches of their own. A call only notes its statistics. After each sample
the training loop takes the notes (`drain`), and when all ranks have exchanged theirs it lets every rank take in all
of them in the order of the samples (`absorb`).
"""
# B batch  C channels  H height  W width  ... any further axes

from collections.abc import Sequence

import jittor as jt
import numpy as np
from jittor import nn

from jack_ray.methods.shared import kernels
from jack_ray.methods.shared.computing import compute
from jack_ray.methods.shared.fused_norm import FusedNorm, FusedNormInParts


class BatchNorm(nn.Module):
    """Normalises each channel over the batch of all ranks, (B, C, ...); state-dict names as in PyTorch.

    In training every rank must call it, in the same order. `frozen`: as in evaluation, also in training.
    rectifies: a rectifier follows, as part of the same pass through memory.
    """

    def __init__(self, channels: int, eps: float = 1e-5, momentum: float = 0.1, rectifies: bool = False) -> None:
        self.eps = eps
        self.momentum = momentum
        self.rectifies = rectifies
        self.is_train = True
        self.frozen = False
        self.weight = jt.ones((channels,))
        self.bias = jt.zeros((channels,))
        self.running_mean = jt.zeros((channels,)).stop_grad()
        self.running_var = jt.ones((channels,)).stop_grad()

    def execute(self, images: jt.Var, short_cut: jt.Var | None = None) -> jt.Var:
        """Normalise, add the short cut, rectify; in training also move the running statistics."""
        if self.frozen or not self.is_train:
            scale = self.weight / jt.sqrt(self.running_var + self.eps)
            moved = images * _along(scale, images) + _along(self.bias - self.running_mean * scale, images)
            return self._finished(moved, short_cut)
        if kernels.are_used():
            fused = FusedNorm(self.eps, self.rectifies, _over_ranks if _num_ranks() > 1 else None)
            result = fused(images, self.weight, self.bias, short_cut)
            self._follow(fused)
            return result
        normalise = _Normalise(self.eps)
        normalised = normalise(images, self.weight, self.bias)
        self._follow(normalise)
        return self._finished(normalised, short_cut)

    def _finished(self, normalised: jt.Var, short_cut: jt.Var | None) -> jt.Var:
        whole = normalised if short_cut is None else normalised + short_cut
        return nn.relu(whole) if self.rectifies else whole

    def _follow(self, seen: "_Normalise | FusedNorm") -> None:
        unbiased = seen.variance * (seen.count / max(seen.count - 1, 1))
        for running, value in ((self.running_mean, seen.mean), (self.running_var, unbiased)):
            running.update((running + self.momentum * (value - running)).stop_grad())


class _Normalise(jt.Function):
    """One normalisation with the statistics of all ranks, and its gradient (Ioffe and Szegedy 2015, section 3).

    After the call: `mean` and `variance` (C,), and `count`, the numbers of a channel over all ranks.
    """

    def __init__(self, eps: float) -> None:
        super().__init__()
        self.eps = eps

    def execute(self, images: jt.Var, weight: jt.Var, bias: jt.Var) -> jt.Var:
        axes = _all_but_channels(images)
        # In float64: Jittor adds up one number after the other, and in float32 half of the digits would go.
        total = _over_ranks(images.float64().sum(axes))
        self.count = images.numel() // images.shape[1] * 1.0
        if _num_ranks() > 1:
            self.count = float(_over_ranks(jt.array([self.count])).numpy()[0])
        self.mean = (total / self.count).float32()
        # The mean is taken off before squaring: E[x^2] - E[x]^2 loses all digits where the mean is large.
        centred = images - _along(self.mean, images)
        self.variance = (_over_ranks((centred * centred).float64().sum(axes)) / self.count).float32()
        self.deviation = jt.sqrt(self.variance + self.eps)
        self.normalised = centred / _along(self.deviation, images)
        self.weight = weight
        return self.normalised * _along(weight, images) + _along(bias, images)

    def grad(self, gradient: jt.Var) -> tuple[jt.Var, jt.Var, jt.Var]:
        axes = _all_but_channels(gradient)
        of_bias = gradient.float64().sum(axes)
        of_weight = (gradient * self.normalised).float64().sum(axes)
        # The batch's statistics depend on every rank's images, and so does every rank's loss on these.
        means = _over_ranks(jt.stack([of_bias, of_weight])).float32() / self.count
        centred = gradient - _along(means[0], gradient) - self.normalised * _along(means[1], gradient)
        of_images = centred * _along(self.weight / self.deviation, gradient)
        return of_images, of_weight.float32(), of_bias.float32()


def _num_ranks() -> int:
    return int(jt.world_size) if jt.in_mpi else 1


def _over_ranks(values: jt.Var) -> jt.Var:
    """The sum over ranks; waited for, since ranks that order pending messages differently wait for each other."""
    if _num_ranks() == 1:
        return values
    summed = values.mpi_all_reduce("add")
    compute([summed])
    return summed


def _all_but_channels(images: jt.Var) -> tuple[int, ...]:
    return tuple(axis for axis in range(images.ndim) if axis != 1)


def _along(channel: jt.Var, images: jt.Var) -> jt.Var:
    return channel.reshape((1, -1, *(1,) * (images.ndim - 2)))


class SampleBatchNorm(nn.Module):
    """Normalises each channel over a sample's images, (B, C, H, W); state-dict names as in PyTorch.

    In training with the sample's own statistics, which are noted; in evaluation with the running ones.
    pools: the side of the squares of which only the largest number is returned, as part of the same pass.
    """

    def __init__(self, channels: int, eps: float = 1e-5, momentum: float = 0.1, pools: int = 1) -> None:
        self.eps = eps
        self.momentum = momentum
        self.pools = pools
        self.is_train = True
        self.weight = jt.ones((channels,))
        self.bias = jt.zeros((channels,))
        self.running_mean = jt.zeros((channels,)).stop_grad()
        self.running_var = jt.ones((channels,)).stop_grad()
        self._noted: list[jt.Var] = []

    def execute(self, images: jt.Var, counts: Sequence[int] = ()) -> jt.Var:
        """Normalise. counts: the images of each sample; without them all images are of one."""
        if not self.is_train:
            scale = self.weight / jt.sqrt(self.running_var + self.eps)
            return self._pooled(images * _spread(scale) + _spread(self.bias - self.running_mean * scale))
        counts = tuple(counts) or (images.shape[0],)
        if kernels.are_used():
            fused = FusedNormInParts(self.eps, counts, self.pools)
            normalised = fused(images, self.weight, self.bias)
            self._note(fused.moments, counts, images)
            return normalised
        ends = np.cumsum(counts)
        parts = [self._normalised(images[int(end) - count : int(end)]) for end, count in zip(ends, counts, strict=True)]
        self._note(jt.stack([moments for _, moments in parts]), counts, images)
        return self._pooled(jt.concat([part for part, _ in parts], 0))

    def _pooled(self, images: jt.Var) -> jt.Var:
        return images if self.pools == 1 else nn.Pool(self.pools, self.pools)(images)

    def _normalised(self, images: jt.Var) -> tuple[jt.Var, jt.Var]:
        """One sample's images, and their mean and variance (2, C)."""
        mean = _channel_mean(images)
        # The mean is taken off before squaring: E[x^2] - E[x]^2 loses all digits where the mean is large.
        centred = images - _spread(mean)
        variance = _channel_mean(centred * centred)
        scale = self.weight / jt.sqrt(variance + self.eps)
        return centred * _spread(scale) + _spread(self.bias), jt.stack([mean, variance])

    def _note(self, moments: jt.Var, counts: Sequence[int], images: jt.Var) -> None:
        """moments: (P, 2, C) of P samples."""
        pixels = images.numel() // (images.shape[0] * images.shape[1])
        numbers = np.array([pixels * count for count in counts], np.float32)
        unbiased = numbers / np.maximum(numbers - 1, 1)
        factors = np.stack([np.ones_like(unbiased), unbiased], axis=1)
        self._noted.append((moments * jt.array(factors[:, :, None])).stop_grad())

    def take_notes(self) -> list[jt.Var]:
        """The statistics noted since they were last taken, (P, 2, C) of the P samples of each call."""
        noted, self._noted = self._noted, []
        return noted

    def follow(self, calls: Sequence[np.ndarray]) -> None:
        """Move the running statistics by `momentum` towards each call's, one after the other."""
        if not calls:
            return
        running = np.stack([self.running_mean.numpy(), self.running_var.numpy()])
        for call in calls:
            running += np.float32(self.momentum) * (call - running)
        self.running_mean.update(jt.array(running[0]).stop_grad())
        self.running_var.update(jt.array(running[1]).stop_grad())


def _channel_mean(images: jt.Var) -> jt.Var:
    # In float64: Jittor adds up one number after the other, and in float32 half of the digits would go.
    return images.float64().mean((0, 2, 3)).float32()


def _spread(channel: jt.Var) -> jt.Var:
    return channel.reshape((1, -1, 1, 1))


def drain(model: nn.Module) -> list[np.ndarray]:
    """Take the statistics of all samples since the last drain, in their order: each (2, C), mean and variance.

    The variance is the unbiased one. The lists of several calls may be joined before `absorb`. Raises ValueError
    when some layer was called more often than another, as then the order is not known.
    """
    layers = _layers(model)
    notes = [layer.take_notes() for layer in layers]
    try:
        calls = [[noted.numpy() for noted in call] for call in zip(*notes, strict=True)]
        return [moments for call in calls for of_sample in zip(*call, strict=True) for moments in of_sample]
    except ValueError as error:
        raise ValueError("the layers of one model were called a different number of times") from error


def absorb(model: nn.Module, drained: Sequence[np.ndarray]) -> None:
    """Move the running statistics towards what `drain` gave, call after call.

    Raises ValueError when the calls do not spread evenly over the layers: these are not this model's statistics.
    """
    layers = _layers(model)
    if drained and (not layers or len(drained) % len(layers)):
        raise ValueError(f"statistics of {len(drained)} calls do not fit {len(layers)} layers")
    for index, layer in enumerate(layers):
        layer.follow(drained[index :: len(layers)])


def _layers(model: nn.Module) -> list[SampleBatchNorm]:
    return [module for module in model.modules() if isinstance(module, SampleBatchNorm)]
