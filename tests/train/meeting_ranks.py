"""A rank of tests/train/test_ranks.py: python -m tests.train.meeting_ranks TRIAL.json."""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from jack_ray.contract.paths import TrialFolder
from jack_ray.contract.trial import load_trial

SHAPES = {"pieces": (1500, 1000), "large": (300, 1000), "matrix": (7, 5), "one": (1,)}


def drawn(rank: int) -> dict[str, NDArray[np.float32]]:
    """Another gradient on each rank."""
    rng = np.random.default_rng(rank)
    return {name: rng.standard_normal(shape).astype(np.float32) for name, shape in SHAPES.items()}


def digest(arrays: dict[str, NDArray[np.float32]]) -> str:
    """Of every bit."""
    return hashlib.sha256(b"".join(arrays[name].tobytes() for name in sorted(arrays))).hexdigest()


def main() -> None:
    """What rank 0 prints: what each rank had before the first step, and the sums that each rank got, twice."""
    # the test itself imports this file and stays without Jittor
    import jittor as jt

    from jack_ray.train.loop import Training
    from jack_ray.train.method import typed
    from jack_ray.train.ranks import Ranks
    from jack_ray.train.report import Report

    path = Path(sys.argv[1])
    trial, ranks = load_trial(path), Ranks()
    folder = TrialFolder(path.parent)
    training = Training(trial, typed(trial), folder, ranks, Report(folder, ranks.rank, 1))
    with training.reader:
        training.begin()
        state = {name: np.array(value.numpy()) for name, value in training.model.state_dict().items()}
    sums = []
    for _ in range(2):
        gradients = {name: jt.array(value) for name, value in drawn(ranks.rank).items()}
        sums.append({name: np.array(value.numpy()) for name, value in ranks.sum_gradients(gradients).items()})
    found = {"weights": digest(state), "sums": [digest(one) for one in sums]}
    everyone = ranks.gather(found)
    if ranks.is_main:
        print(json.dumps({"ranks": everyone}), flush=True)
    ranks.gather(None)


if __name__ == "__main__":
    main()
