"""One computation in a process of its own that may import Jittor: an order goes in as JSON, an answer comes back."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jack_ray.contract.environment import interpreter, rank_environment
from jack_ray.contract.files import write_json
from jack_ray.contract.order import RESULT
from jack_ray.spawn import preflight


class NoAnswerError(Exception):
    """The process ended without an answer; code 2 when it has told the user why."""

    def __init__(self, code: int) -> None:
        super().__init__(f"the process that computes ended with code {code}")
        self.code = code


def answer_of(module: str, order: Mapping[str, Any], jittor_home: Path, gpu: bool = False) -> dict[str, Any]:
    """What `python -m module ORDER.json` writes beside its order.

    Raises NoAnswerError; PreflightError when something is missing on this machine.
    """
    preflight.prepare(jittor_home, _report, gpu)
    environment = rank_environment(jittor_home, os.cpu_count() or 1, gpu) | {"JACK_RAY_GPU": str(int(gpu))}
    with tempfile.TemporaryDirectory(prefix="jack_ray-") as folder:
        path = Path(folder) / "order.json"
        write_json(path, order)
        code = subprocess.run([interpreter(), "-m", module, str(path)], env=environment, check=False).returncode
        if code:
            raise NoAnswerError(code)
        answer: dict[str, Any] = json.loads((Path(folder) / RESULT).read_text(encoding="utf-8"))
    return answer


def _report(phase: str, share: float) -> None:
    print(f"\r{phase}: {share:.0%}", end="" if share < 1 else "\n", file=sys.stderr, flush=True)
