"""A rank: python -m benchmarks.growth.meet TURNS: meets the others, passes small things, computes nothing."""

import json
import sys
import time
from collections.abc import Callable
from statistics import median

import jack_ray.train  # noqa: F401  (before Jittor: it pins what Jittor's cache depends on)

SEEN = [({"total": 1.0, "loss_vid": 0.5, "loss_att": 0.5}, 1, None)]
"""What a rank tells the others of a step."""


def main() -> None:
    """Measure; rank 0 prints."""
    import jittor as jt

    from jack_ray.train.ranks import Ranks

    ranks = Ranks()
    ranks.gather(None)
    met = time.time()
    gradient = {"weight": jt.ones((1 << 18,))}
    jt.sync(list(gradient.values()))

    def times(exchange: Callable[[], object]) -> float:
        took = []
        for _ in range(int(sys.argv[1])):
            began = time.perf_counter()
            exchange()
            took.append(time.perf_counter() - began)
        return median(took[1:])

    gather_s = times(lambda: ranks.gather(SEEN))
    sum_s = times(lambda: ranks.sum_gradients(gradient))
    if ranks.is_main:
        print(json.dumps({"met": met, "gather_s": gather_s, "sum_s": sum_s}), flush=True)
    ranks.gather(None)


if __name__ == "__main__":
    main()
