"""Carries out an order in a process of its own, which may import Jittor."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from jack_ray.contract.environment import interpreter, rank_environment
from jack_ray.contract.order import RESULT, Order
from jack_ray.spawn import preflight


class RefusedOrderError(Exception):
    """The process ended without a result; it has said why."""

    def __init__(self, code: int) -> None:
        super().__init__(f"the process ended with code {code}")
        self.code = code


def carry_out(order: Order, jittor_home: Path, gpu: bool = False) -> dict[str, Any]:
    """The result of an order. Raises RefusedOrderError; PreflightError when something is missing on this machine."""
    preflight.prepare(jittor_home, _report)
    environment = rank_environment(jittor_home, os.cpu_count() or 1, gpu) | {"JACK_RAY_GPU": str(int(gpu))}
    with tempfile.TemporaryDirectory(prefix="jack_ray-") as folder:
        path = Path(folder) / "order.json"
        order.save(path)
        command = [interpreter(), "-m", "jack_ray.train.apply", str(path)]
        code = subprocess.run(command, env=environment, check=False).returncode
        if code:
            raise RefusedOrderError(code)
        result: dict[str, Any] = json.loads((Path(folder) / RESULT).read_text(encoding="utf-8"))
    return result


def _report(phase: str, share: float) -> None:
    print(f"\r{phase}: {share:.0%}", end="" if share < 1 else "\n", file=sys.stderr, flush=True)
