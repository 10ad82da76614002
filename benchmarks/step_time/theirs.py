"""python -m benchmarks.step_time.theirs SPEC: the same steps by PyTorch."""

import importlib
import sys
from typing import Any

import torch
from safetensors.torch import load_file

from benchmarks.step_time.batches import batches
from benchmarks.step_time.serve import Spec, plain, serve

SAME_NAMES = ("num_batches_tracked",)
"""What PyTorch's state dict has beside the published names that count."""


def main() -> None:
    """Build, take the same weights, and serve."""
    spec = Spec.load(sys.argv[1])
    torch.set_num_threads(spec.threads)
    config, settings = plain(spec.model), plain(spec.train)
    rival = importlib.import_module(f"benchmarks.torch_models.{spec.method}")
    model = rival.Model(config)
    told = model.load_state_dict(load_file(spec.weights), strict=False)
    assert not told.unexpected_keys, told.unexpected_keys
    assert all(name.endswith(SAME_NAMES) for name in told.missing_keys), told.missing_keys
    groups = model.parameters_to_train()
    common: dict[str, Any] = {"lr": settings.lr, "weight_decay": settings.weight_decay}
    rule: torch.optim.Optimizer
    if settings.optimizer == "adam":
        rule = torch.optim.Adam([{"params": group} for group in groups], betas=tuple(settings.betas), **common)
    else:
        rule = torch.optim.SGD([{"params": group} for group in groups], momentum=settings.momentum, **common)
    everything = [parameter for group in groups for parameter in group]
    inputs = batches(spec.method, config, spec.samples)

    def forward() -> float:
        model.eval()
        total = 0.0
        with torch.no_grad():
            for batch in inputs:
                outputs = model(batch)
                # TSL-Net's scores of the video, CTEN's logits; BPM-GCN averages its streams' logits
                found = (outputs[0] + outputs[1]) / 2 if spec.method == "gait" else outputs
                found = found if isinstance(found, torch.Tensor) else found[0]
                total += float(found.abs().sum())
        return total

    def train() -> float:
        model.train()
        rule.zero_grad(set_to_none=True)
        value = 0.0
        for batch in inputs:
            cost = rival.loss(model, batch, config) / len(inputs)
            cost.backward()
            value += float(cost.detach())
        assert bool(
            torch.isfinite(torch.nn.utils.get_total_norm([one.grad for one in everything if one.grad is not None]))
        )
        rule.step()
        return value

    serve(forward, train)


if __name__ == "__main__":
    main()
