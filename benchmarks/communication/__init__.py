"""What it costs that ranks share a batch: adding their gradients up, and what a second rank brings.

allreduce_bandwidth: `Ranks.sum_gradients` with the gradients of each method's own preset, beside a plain Allreduce of
mpi4py with one buffer that stands ready: no copies, nothing to take apart. The metrics `with_*` are what sum_gradients
might do instead, against the same rival. scaling: samples per second of two ranks with one thread each beside one rank
with one thread, on the same batch, from the small presets on their demo data. Where it may, it does both a second time
between two hosts that are namespaces of this machine (allreduce_hosts, scaling_hosts): over TCP, on the same cores.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import gangs
from benchmarks.communication import hosts
from benchmarks.figures import Figure, ratio
from benchmarks.options import Options
from jack_ray.compose.load import load
from jack_ray.contract.trial import Trial

METHODS = ("vaanet", "cten", "tsl", "gait")
SMALL = {"tsl": "tsl_small", "gait": "gait_smoke"}
"""Of scaling: what trains in seconds."""
STEPS = 25
SKIP = 5
"""First steps that do not count: they compile, read and allocate."""
RANKS = 2
INSTEAD = {
    "tensors": "with_a_message_a_tensor",
    "flat": "with_one_copied_buffer",
    "buckets": "with_buckets",
    "shared": "with_shared_memory",
}


def trial_of(method: str) -> Trial:
    """A trial of the method's own preset that is never trained; random weights stand for pretrained ones."""
    nodes = load([f"model={method}"])
    return Trial(method, nodes["model"], nodes["data"] | {"root": "/none"}, nodes["train"], "", RANKS, 1)


def measure(options: Options) -> Iterator[Figure]:
    """Every method's gradients; then the small presets. On one machine, and between hosts where they can be made."""
    with_hosts = not hosts.why_not()
    for method in options.choose(METHODS):
        words = [method, str(2 * options.repeat)]
        yield from _sums(f"allreduce.{method}", gangs.run(RANKS, "benchmarks.communication.exchange", words)[0])
        if with_hosts:
            found = hosts.run(RANKS, "benchmarks.communication.exchange", words)[0]
            yield from _sums(f"allreduce_hosts.{method}", found)
    for method in options.choose(SMALL):
        yield from _scaling(method, min(options.repeat, 3), with_hosts)


def _sums(bench: str, found: dict[str, Any]) -> Iterator[Figure]:
    rates = {way: found["bytes"] / seconds / 1e9 for way, seconds in found["seconds"].items()}
    yield ratio(bench, "allreduce_bandwidth", rates["ours"], rates["ready"], "GB/s")
    for way, metric in INSTEAD.items():
        if way in rates:
            yield ratio(bench, metric, rates[way], rates["ready"], "GB/s")


def _scaling(method: str, repeat: int, with_hosts: bool) -> Iterator[Figure]:
    rates: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        data = gangs.demo_data(method, Path(folder))
        words = [f"model={SMALL[method]}", f"data.root={data}", f"train.steps={STEPS}", "train.log_every=1"]
        words += [f"train.{name}={STEPS}" for name in ("evaluate_every", "checkpoint_every")]
        batch = float(load(words)["train"]["batch"])
        for turn in range(repeat):
            done = {"alone": gangs.train(Path(folder) / f"alone{turn}", words, 1)}
            done["scaling"] = gangs.train(Path(folder) / f"both{turn}", words, RANKS)
            if with_hosts:
                done["scaling_hosts"] = hosts.train(Path(folder) / f"hosts{turn}", words, RANKS)
            for name, trained in done.items():
                rates.setdefault(name, []).append(batch / median(trained.steps_s(SKIP)))
    for name in ("scaling", "scaling_hosts"):
        if name in rates:
            yield ratio(f"{name}.{method}", "scaling", median(rates[name]), median(rates["alone"]), "samples/s")
