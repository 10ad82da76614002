"""Any gaits as BPM-GCN's arrays, with a report of what could not be used."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from jack_ray.contract.errors import ConfigError, DataError, Fault
from jack_ray.contract.settings import as_typed
from jack_ray.methods.gait.features import describe, height
from jack_ray.methods.gait.folder import Named, refuse_foreign, write
from jack_ray.methods.gait.read_gaits import Found, How
from jack_ray.methods.gait.sources import LEAST_FRAMES, OWN_SPLITS
from jack_ray.methods.gait.split import held_out

MARKER = "report.json"
MAX_SHOWN = 10
"""Gaits that were left out; the report lists all."""
PLAUSIBLE_M = (0.5, 3.0)
"""Between head and feet; outside of it the units are hardly metres."""


@dataclass(frozen=True)
class Output:
    """What is written."""

    root: Path
    frames: int = 48
    thin_from: int = 240
    test_fraction: float = 0.1
    seed: int = 0


@dataclass(frozen=True)
class Converted:
    """A gait that could be used."""

    found: Found
    named: Named
    frames: int
    """Before it was fitted."""
    height: float


def convert(found: Sequence[Found], how: How, output: Output) -> str:
    """Read, describe and write gaits; returns the report for people, and writes report.json beside the arrays.

    A gait that cannot be read is told in the report and left out. Raises DataError when none can be read or a split
    is empty, ConfigError for impossible numbers.
    """
    _check(how, output)
    output = replace(output, root=output.root.expanduser().absolute())
    refuse_foreign(output.root, MARKER)
    used: list[Converted] = []
    faults: list[Fault] = []
    for one in found:
        try:
            used.append(_convert(one, how, output))
        except DataError as error:
            faults += error.faults
    if not used:
        raise DataError(faults or [Fault("the input", "no gait", "at least one gait")])
    splits = _split(used, output)
    empty = [split for split in OWN_SPLITS if not splits[split]]
    if empty:
        remedy = "Type --test-fraction 0.1, or give splits in the table's column `split`."
        raise DataError([Fault("the input", f"no gait for {empty[0]}", "gaits for train and test", remedy)])
    report = _report(splits, used, faults, how)
    write(
        output.root, {split: [one.named for one in ones] for split, ones in splits.items()}, how.classes, MARKER, report
    )
    return _told(report, output.root, how)


def _check(how: How, output: Output) -> None:
    faults = []
    if not 0 < output.test_fraction < 1:
        faults.append(Fault("--test-fraction", str(output.test_fraction), "between 0 and 1"))
    if how.every < 1:
        faults.append(Fault("--every", str(how.every), "1 or more"))
    if not (np.isfinite(how.scale) and how.scale > 0):
        faults.append(Fault("--scale", str(how.scale), "more than 0"))
    if output.frames < LEAST_FRAMES or output.thin_from < output.frames:
        found = f"--frames {output.frames} --thin-from {output.thin_from}"
        faults.append(Fault("--frames", found, f"{LEAST_FRAMES} <= frames <= thin-from"))
    if faults:
        raise ConfigError(faults)


def _convert(found: Found, how: How, output: Output) -> Converted:
    joints = found.joints()[:: how.every] * how.scale
    if len(joints) < LEAST_FRAMES:
        raise DataError([Fault(found.name, f"{len(joints)} frames", f"at least {LEAST_FRAMES} frames")])
    tall = height(joints)
    if how.centre:
        joints = joints - joints[:, :1]
    named = Named(found.name, how.classes.index(found.label), describe(joints, output.frames, output.thin_from))
    return Converted(found, named, len(joints), tall)


def _split(used: Sequence[Converted], output: Output) -> dict[str, list[Converted]]:
    """By what the input says; gaits of which it says nothing are drawn, each class in proportion."""
    open_ones = [one for one in used if not one.found.split]
    chosen = held_out([(float(one.named.label),) for one in open_ones], output.test_fraction, output.seed)
    drawn = {one.named.name: place in chosen for place, one in enumerate(open_ones)}
    splits: dict[str, list[Converted]] = {split: [] for split in OWN_SPLITS}
    for one in used:
        split = one.found.split or ("test" if drawn[one.named.name] else "train")
        splits[split].append(one)
    return splits


def _report(
    splits: dict[str, list[Converted]], used: Sequence[Converted], faults: Sequence[Fault], how: How
) -> dict[str, object]:
    counts = {split: Counter(one.found.label for one in ones) for split, ones in splits.items()}
    frames = [one.frames for one in used]
    return {
        "gaits": {split: {label: counts[split][label] for label in how.classes} for split in OWN_SPLITS},
        "frames": {"fewest": min(frames), "median": float(np.median(frames)), "most": max(frames)},
        "height": round(float(np.median([one.height for one in used])), 3),
        "left out": [str(fault) for fault in faults],
    }


def _told(report: dict[str, object], root: Path, how: How) -> str:
    lines = [f"Gaits written to {root}"]
    gaits, frames, left = report["gaits"], report["frames"], report["left out"]
    assert isinstance(gaits, dict)
    assert isinstance(frames, dict)
    assert isinstance(left, list)
    for split, counts in gaits.items():
        shown = ", ".join(f"{number} {label}" for label, number in counts.items())
        lines.append(f"  {split}: {sum(counts.values())} ({shown})")
    lines.append(f"  frames before fitting: {frames['fewest']} to {frames['most']}, median {frames['median']:g}")
    lines.append(f"  from foot to head: {report['height']} (median)")
    if not PLAUSIBLE_M[0] <= float(str(report["height"])) <= PLAUSIBLE_M[1]:
        way = (
            "--scale 0.01 turns centimetres into" if float(str(report["height"])) > 1 else "--scale N multiplies to get"
        )
        lines.append(f"  BPM-GCN's gaits are in metres: {way} metres.")
    if left:
        lines.append(f"{len(left)} left out:")
        lines += [f"  {fault}" for fault in left[:MAX_SHOWN]]
        if len(left) > MAX_SHOWN:
            lines.append(f"  and {len(left) - MAX_SHOWN} more, all in {root / MARKER}")
    words = ["model=gait", as_typed("data.root", str(root)), *_own(how)]
    lines.append(f"Next: python -m jack_ray.launch {' '.join(words)}")
    return "\n".join(lines)


def _own(how: How) -> list[str]:
    """With these a trained model reads other recordings of the kind as they were read here, when it is served, too."""
    words = [f"data.own_scale={how.scale:g}"] if how.scale != 1 else []
    words += [f"data.own_every={how.every}"] if how.every != 1 else []
    return words if how.centre else [*words, "data.own_centre=false"]
