"""A training step and a forward pass of each method beside the same model in PyTorch (pip install -e '.[bench]').

Both sides run on this machine's processor in turns, with the same weights, inputs and threads, each in a process of
its own. What they compute is compared before it is timed. Dropout is off: the two sides draw different masks.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.figures import Figure, ratio
from benchmarks.options import Options
from benchmarks.step_time.serve import Spec
from jack_ray.compose.load import load
from jack_ray.contract.environment import PACKAGE_PARENT, default_jittor_home, interpreter, rank_environment
from jack_ray.spawn import preflight

SAMPLES = {"tsl": 2, "vaanet": 1, "cten": 1, "gait": 16}
"""Of a step: few, as a step of the published batch takes minutes on a few cores."""
SAME = 1e-3
"""How far the two sides' numbers may be apart, relatively."""


def measure(options: Options) -> Iterator[Figure]:
    """Every method, forward and train: step time and, at the end, peak memory."""
    home = default_jittor_home()
    preflight.prepare(home, lambda words, share: None)
    for method in options.choose(SAMPLES):
        with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
            spec = Path(folder) / "spec.json"
            spec.write_text(json.dumps(asdict(_spec(method, options.threads, str(Path(folder) / "weights")))))
            environment = rank_environment(home, options.threads)
            sides = [stack.enter_context(_side(name, spec, environment)) for name in ("ours", "theirs")]
            for work in ("forward", "train"):
                ours, rival = _race(sides, work, options.repeat)
                yield ratio(f"step.{method}.{work}", "step_time", ours["seconds"], rival["seconds"], "s")
                # what others on the machine do disturbs this one less
                yield ratio(f"step.{method}.{work}", "processor_time", ours["computed_s"], rival["computed_s"], "s")
                yield ratio(f"step.{method}.{work}", "peak_memory", ours["peak_mib"], rival["peak_mib"], "MiB")


def _spec(method: str, threads: int, weights: str) -> Spec:
    nodes = load([f"model={method}"])
    model = dict(nodes["model"])
    if "dropout" in model:
        model["dropout"] = 0.0
    data = nodes["data"] | {"root": "/none"}
    return Spec(method, model, nodes["train"], data, SAMPLES[method], threads, weights)


class Side:
    """One of the two processes."""

    def __init__(self, name: str, process: "subprocess.Popen[str]") -> None:
        self.name = name
        self._process = process
        self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"error: the process of {self.name} ended; what it said is above")
        found: dict[str, Any] = json.loads(line)
        return found

    def do(self, work: str) -> dict[str, Any]:
        """Have it take one step."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{work}\n")
        self._process.stdin.flush()
        return self._answer()


@contextmanager
def _side(name: str, spec: Path, environment: dict[str, str]) -> Iterator[Side]:
    python = interpreter() if name == "ours" else sys.executable
    process = subprocess.Popen(
        [python, "-m", f"benchmarks.step_time.{name}", str(spec)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=PACKAGE_PARENT, env=environment,
    )  # fmt: skip
    try:
        yield Side(name, process)
    finally:
        process.kill()
        process.wait()


def _race(sides: list[Side], work: str, repeat: int) -> list[dict[str, Any]]:
    """In turns; the median of each side's times, and its last peak."""
    first = [side.do(work)["value"] for side in sides]
    if abs(first[0] - first[1]) > SAME * abs(first[1]):
        raise SystemExit(f"error: {work}: {first[0]:g} here and {first[1]:g} there; they do not compute the same")
    for side in sides:
        side.do(work)  # the first steps compile, allocate and choose algorithms
    answers = [[side.do(work) for side in sides] for _ in range(repeat)]
    found = []
    for place in range(len(sides)):
        medians = {name: median(answer[place][name] for answer in answers) for name in ("seconds", "computed_s")}
        found.append(medians | {"peak_mib": answers[-1][place]["peak_mib"]})
    return found
