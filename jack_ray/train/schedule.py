"""The learning rate of every step."""

from math import cos, pi

from jack_ray.contract.schema import TrainConfig


def rate(config: TrainConfig, updates_made: int) -> float:
    """The learning rate of the update that follows `updates_made` others, 0 to `config.steps` - 1.

    Warm-up rises linearly from lr/warmup_steps and reaches the full rate with its last update. The schedules count as
    PyTorch's do: milestone 10 lowers the rate after 10 updates (MultiStepLR); cosine falls towards 0 over the steps
    after the warm-up (CosineAnnealingLR).
    """
    if updates_made < config.warmup_steps:
        return config.lr * (updates_made + 1) / config.warmup_steps
    if config.schedule == "multistep":
        passed = sum(milestone <= updates_made for milestone in config.milestones)
        return float(config.lr * config.gamma**passed)
    if config.schedule == "cosine":
        share = (updates_made - config.warmup_steps) / (config.steps - config.warmup_steps)
        return config.lr * (1 + cos(pi * share)) / 2
    return config.lr
