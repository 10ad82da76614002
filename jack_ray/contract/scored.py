"""`scored.json`: every sample of an evaluated split, its truth and what was answered.

What intervals, tables by class and calibration are computed from (jack_ray/registry). Three layouts, by `kind`:

classes   one class a sample: {"truth": number, "probabilities": [..]}
labels    any number of classes a sample: {"truth": [0, 1, ..], "probabilities": [..]}
segments  {"truth": [[start_s, end_s, label]], "found": [[label, score, start_s, end_s]]}, and "tious" for all

Each is {"kind", "labels", "samples": {name: sample}}.
"""

from collections.abc import Mapping, Sequence
from typing import Any

SCORED = "scored.json"
"""In the folder of a split's pictures."""


def of_classes(labels: Sequence[str], samples: Mapping[str, tuple[int, Sequence[float]]]) -> dict[str, Any]:
    """One class a sample: its number, and the probability of each."""
    rows = {name: {"truth": truth, "probabilities": list(shares)} for name, (truth, shares) in sorted(samples.items())}
    return {"kind": "classes", "labels": list(labels), "samples": rows}


def of_labels(labels: Sequence[str], samples: Mapping[str, tuple[Sequence[int], Sequence[float]]]) -> dict[str, Any]:
    """Several classes a sample: 0 or 1 for each, and the probability of each."""
    rows = {
        name: {"truth": list(truth), "probabilities": list(shares)} for name, (truth, shares) in sorted(samples.items())
    }
    return {"kind": "labels", "labels": list(labels), "samples": rows}


def of_segments(
    labels: Sequence[str],
    tious: Sequence[float],
    samples: Mapping[str, tuple[Sequence[Sequence[Any]], Sequence[Sequence[Any]]]],
) -> dict[str, Any]:
    """True segments (start_s, end_s, label) and found ones (label, score, start_s, end_s) of each video."""
    rows = {
        name: {"truth": [list(one) for one in truth], "found": [list(one) for one in found]}
        for name, (truth, found) in sorted(samples.items())
    }
    return {"kind": "segments", "labels": list(labels), "tious": list(tious), "samples": rows}
