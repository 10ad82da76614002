"""What work costs as it grows: ranks 1 to 8, and videos of 100 to 2,000 snippets; trials are in `control_plane`.

Ranks compute nothing here: start_s is from the command until all have met, gather_s passes what a rank tells of a step,
sum_s adds up a gradient of 1 MiB. Eight ranks on fewer cores wait for each other's turn, too. Videos are those of
TSL-Net with its published sizes, one thread, seconds of the processor. value is ours, of the larger, beside rival, of
the smallest; for videos it is divided by how much longer they are: 1 is linear.
"""

import time
from collections.abc import Iterator

from benchmarks import gangs
from benchmarks.figures import Figure, ratio
from benchmarks.options import Options

RANKS = (1, 2, 4, 8)
SNIPPETS = (100, 200, 500, 1000, 2000)
TURNS = 50


def measure(options: Options) -> Iterator[Figure]:
    """Ranks, then videos."""
    if not options.only:
        yield from _ranks()
    for _ in options.choose(("tsl",)):
        yield from _videos()


def _ranks() -> Iterator[Figure]:
    found = {ranks: _meeting(ranks) for ranks in RANKS}
    for ranks in RANKS[1:]:
        smallest = {"start_s": 1, "gather_s": 2, "sum_s": 2}  # one rank has nobody to talk to
        for metric, of in smallest.items() if ranks > 2 else [("start_s", 1)]:
            yield ratio(f"growth.ranks{ranks}", metric, found[ranks][metric], found[of][metric], "s")


def _meeting(ranks: int) -> dict[str, float]:
    gangs.home()
    began = time.time()
    found = gangs.run(ranks, "benchmarks.growth.meet", [str(TURNS)])[0]
    return found | {"start_s": found["met"] - began}


def _videos() -> Iterator[Figure]:
    found = gangs.run(1, "benchmarks.growth.video", [str(snippets) for snippets in SNIPPETS])
    shortest = found[0]
    for longer in found[1:]:
        times = longer["snippets"] / shortest["snippets"]
        for metric, unit in (("step_s", "s"), ("metric_s", "s"), ("peak_mib", "MiB")):
            ours, rival = longer[metric], shortest[metric]
            yield Figure(f"growth.snippets{longer['snippets']}", metric, ours / rival / times, ours, rival, unit)
