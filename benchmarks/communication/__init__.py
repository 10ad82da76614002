"""What it costs that ranks share a batch: adding their gradients up, and what a second rank brings.

allreduce_bandwidth: `Ranks.sum_gradients` with the gradients of each method's own preset, beside a plain Allreduce of
mpi4py with one buffer that stands ready: no copies, nothing to take apart. The metrics `with_*` are what sum_gradients
might do instead, against the same rival. scaling: samples per second of two ranks with one thread each beside one rank
with one thread, on the same batch, from the small presets on their demo data.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks import gangs
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
INSTEAD = {"flat": "with_one_copied_buffer", "buckets": "with_buckets", "shared": "with_shared_memory"}


def trial_of(method: str) -> Trial:
    """A trial of the method's own preset that is never trained; random weights stand for pretrained ones."""
    nodes = load([f"model={method}"])
    return Trial(method, nodes["model"], nodes["data"] | {"root": "/none"}, nodes["train"], "", RANKS, 1)


def measure(options: Options) -> Iterator[Figure]:
    """Every method's gradients; then the small presets on one and on two ranks."""
    for method in options.choose(METHODS):
        found = gangs.run(RANKS, "benchmarks.communication.exchange", [method, str(2 * options.repeat)])[0]
        rates = {way: found["bytes"] / seconds / 1e9 for way, seconds in found["seconds"].items()}
        yield ratio(f"allreduce.{method}", "allreduce_bandwidth", rates["ours"], rates["ready"], "GB/s")
        for way, metric in INSTEAD.items():
            yield ratio(f"allreduce.{method}", metric, rates[way], rates["ready"], "GB/s")
    for method in options.choose(SMALL):
        yield _scaling(method, options.repeat)


def _scaling(method: str, repeat: int) -> Figure:
    rates: dict[int, list[float]] = {1: [], RANKS: []}
    with tempfile.TemporaryDirectory() as folder:
        data = gangs.demo_data(method, Path(folder))
        words = [f"model={SMALL[method]}", f"data.root={data}", f"train.steps={STEPS}", "train.log_every=1"]
        words += [f"train.{name}={STEPS}" for name in ("evaluate_every", "checkpoint_every")]
        batch = float(load(words)["train"]["batch"])
        for turn in range(min(repeat, 3)):
            for ranks, found in rates.items():
                done = gangs.train(Path(folder) / f"runs{turn}", words, ranks)
                found.append(batch / median(done.steps_s(SKIP)))
    return ratio(f"scaling.{method}", "scaling", median(rates[RANKS]), median(rates[1]), "samples/s")
