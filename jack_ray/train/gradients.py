"""The gradient of a step, batch after batch, in no more memory than one batch takes."""

from collections.abc import Iterable, Mapping

import jittor as jt

from jack_ray.methods.shared.computing import compute


def add_gradient(
    total: dict[str, jt.Var],
    loss: jt.Var,
    parameters: Mapping[str, jt.Var],
    weight: float,
    *,
    terms: Iterable[jt.Var],
    state: Iterable[jt.Var],
) -> None:
    """Add a loss's gradient, times weight, to what `total` holds; compute it, and forget how the loss came about.

    terms: of the loss, which are looked at later. state: of the model, which the pass has moved.
    Jittor keeps everything that leads to an array that lives and could be differentiated: unless the loss and its
    gradient are said to be final before they are computed, nothing on the way is freed before all of it is there.
    """
    terms = list(terms)
    found = jt.grad(loss * weight, list(parameters.values()))
    for var in (loss, *terms, *found):
        var.stop_grad()
    for name, gradient in zip(parameters, found, strict=True):
        total[name] = gradient if name not in total else total[name] + gradient
    del found, gradient
    compute([*total.values(), loss, *terms, *state])
