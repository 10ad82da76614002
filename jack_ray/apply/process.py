"""Carries out an order in a process of its own, which may import Jittor."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from jack_ray.contract.order import Order
from jack_ray.spawn.child import answer_of


def carry_out(order: Order, jittor_home: Path, gpu: bool = False) -> dict[str, Any]:
    """The result of an order. Raises NoAnswerError; PreflightError when something is missing on this machine."""
    return answer_of("jack_ray.train.apply", asdict(order), jittor_home, gpu)
