"""python -m benchmarks.step_time.ours SPEC: the steps of jack_ray's model, as its training loop takes them."""

import math
import sys
from typing import Any

import jittor as jt
import numpy as np
from safetensors.numpy import save_file

import jack_ray.train  # noqa: F401  (before Jittor: it pins what Jittor's cache depends on)
from benchmarks.step_time.batches import batches
from benchmarks.step_time.serve import Spec, serve
from jack_ray.contract.trial import Trial
from jack_ray.methods.roles import OneByOne
from jack_ray.methods.shared.batchnorm import drain
from jack_ray.train import optimizer
from jack_ray.train.gradients import add_gradient
from jack_ray.train.method import Parts, typed


def _write_weights(model: Any, path: str) -> None:
    """Where the rival finds them; a function, so that these copies are not kept while memory is measured."""
    save_file({name: np.ascontiguousarray(value.numpy()) for name, value in model.state_dict().items()}, path)


def main() -> None:
    """Build, write the weights for the rival, and serve."""
    spec = Spec.load(sys.argv[1])
    settings = typed(Trial(spec.method, spec.model, spec.data, spec.train, "", 1, spec.threads))
    parts = Parts(spec.method, settings)
    jt.set_global_seed(1)
    model = parts.model()
    jt.sync_all(True)
    _write_weights(model, spec.weights)
    loss, groups = parts.loss(), model.groups()
    parameters = {name: var for group in groups for name, var in group.parameters.items()}
    rule = optimizer.make(settings.train, groups)
    inputs = batches(spec.method, settings.model, spec.samples)

    def forward() -> float:
        model.eval()
        total = 0.0
        with jt.no_grad():
            for batch in inputs:
                outputs = model(batch)
                values = {name: value.numpy() for name, value in outputs.items()}
                total += float(np.abs(values.get("logits", values.get("video_scores"))).sum())
        return total

    def train() -> float:
        model.train()
        gradients: dict[str, Any] = {}
        value = 0.0
        for batch in inputs:
            share, state = 1 / len(inputs), model.state_dict().values()
            for cost, terms in loss(model, batch, OneByOne()):
                add_gradient(gradients, cost, parameters, share, terms=terms.values(), state=state)
                value += float(cost.numpy().reshape(-1)[0]) / len(inputs)
            drain(model)
        squares = [float((gradient * gradient).float64().sum().numpy()[0]) for gradient in gradients.values()]
        assert math.isfinite(math.fsum(squares))
        rule.step(gradients, settings.train.lr)
        return value

    serve(forward, train)


if __name__ == "__main__":
    main()
