"""A side's process: it answers each line `forward` or `train` with the seconds that took, as JSON."""

import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any


@dataclass(frozen=True)
class Spec:
    """What both sides are told."""

    method: str
    model: dict[str, Any]
    train: dict[str, Any]
    data: dict[str, Any]
    samples: int
    threads: int
    weights: str

    @staticmethod
    def load(path: str) -> "Spec":
        """Read the file that the parent wrote."""
        return Spec(**json.loads(Path(path).read_text()))


def plain(values: dict[str, Any]) -> Any:
    """Settings by attribute."""
    return SimpleNamespace(**values)


def serve(forward: Callable[[], float], train: Callable[[], float]) -> None:
    """Answer until the parent closes the pipe; each answer: seconds (wall, processor), value, memory."""
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        work = {"forward": forward, "train": train}[line.strip()]
        start, computed = time.perf_counter(), time.process_time()
        value = work()
        seconds, computed = time.perf_counter() - start, time.process_time() - computed
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        told = {"seconds": seconds, "computed_s": computed, "value": value, "peak_mib": peak}
        print(json.dumps(told), flush=True)
