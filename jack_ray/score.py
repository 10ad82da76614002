"""python -m jack_ray.score tsl PREDICTIONS.json GROUND_TRUTH.json: score found segments against true ones."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jack_ray.contract.errors import DataError, Fault
from jack_ray.methods.tsl.annotations import Video, number, read_json, read_segments
from jack_ray.methods.tsl.metric import Detection, Scores, evaluate
from jack_ray.methods.tsl.points import label_fault, shown

TIOUS = (0.1, 0.15, 0.2, 0.25, 0.3)
"""The published ones (TSL300 test_all.py)."""
WORDS = {"n": "AP negative", "p": "AP positive"}
DESCRIPTION = """\
Score segments that a model found (TSL-300's evaluation, which is ActivityNet's).

PREDICTIONS.json   {"results": {video: [{"label": "p", "score": 0.7, "segment": [12.5, 20.1]}, ...]}}
                   as TSL300's code and a trial's artifacts/ have it; segments in seconds
GROUND_TRUTH.json  {"database": {video: {"subset": "test", "annotations": [{"label": .., "segment": ..}]}}}
                   as TSL-300's gt.json has it

Videos of the ground truth without predictions count as videos where nothing was found.
"""
MEANING = """\
tIoU: overlap (intersection over union) from which a segment counts as found; AVG: mean over the five.
AP: average precision of a class; mAP: mean of both. precision, recall: means over the ranks of the list,
as TSL300 reports them, so recall is not that of the whole list. F2 is computed from these two.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0, or 2 with one message for files that cannot be scored."""
    options = _parser().parse_args(arguments)
    try:
        scores = score(options.predictions, options.ground_truth, options.subset)
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(json.dumps(as_values(scores), indent=1) if options.json else f"{table(scores)}\n\n{MEANING.rstrip()}")
    return 0


def score(predictions: Path, ground_truth: Path, subset: str) -> Scores:
    """Evaluate two files. Raises DataError with every fault in them."""
    videos, faults = read_segments(ground_truth)
    if faults:
        raise DataError(faults)
    chosen = {name: video for name, video in videos.items() if video.subset == subset}
    if not any(video.segments for video in chosen.values()):
        subsets = ", ".join(sorted({video.subset for video in videos.values()})) or "none"
        found = f"no segment in subset {subset}; its subsets are {subsets}"
        raise DataError([Fault(str(ground_truth), found, "true segments to score against", "Type --subset NAME.")])
    found_segments = read_predictions(predictions, ground_truth, videos, subset)
    return evaluate({name: video.segments for name, video in chosen.items()}, found_segments, TIOUS)


def read_predictions(
    path: Path, ground_truth: Path, videos: dict[str, Video], subset: str
) -> dict[str, list[Detection]]:
    """The detections of each video. Raises DataError with every fault of the file."""
    content, faults = read_json(path)
    results = content.get("results") if isinstance(content, dict) else None
    if not faults and not isinstance(results, dict):
        faults = [Fault(str(path), "no mapping `results`", '{"results": {video: [{"label", "score", "segment"}]}}')]
    if faults or results is None:
        raise DataError(faults)
    detections: dict[str, list[Detection]] = {}
    for name, entries in results.items():
        where = f"{path}: video {name}"
        if name not in videos or videos[name].subset != subset:
            found = "not in" if name not in videos else f"of subset {videos[name].subset} in"
            faults.append(Fault(where, f"{found} {ground_truth}", f"videos of its subset {subset}"))
        elif not isinstance(entries, list):
            faults.append(Fault(where, shown(entries), "a list of detections"))
        else:
            read = [_detection(entry, f"{where}: entry {index}") for index, entry in enumerate(entries, start=1)]
            faults += [one for one in read if isinstance(one, Fault)]
            detections[name] = [one for one in read if isinstance(one, Detection)]
    if faults:
        raise DataError(faults)
    return detections


def _detection(entry: Any, where: str) -> Detection | Fault:
    if not isinstance(entry, dict):
        return Fault(where, shown(entry), 'a mapping with "label", "score" and "segment"')
    fault = label_fault(where, entry.get("label"))
    if fault is not None:
        return fault
    strength = number(entry.get("score"))
    if strength is None:
        return Fault(where, f"score {shown(entry.get('score'))}", "a finite number")
    span = entry.get("segment")
    ends = [number(value) for value in span] if isinstance(span, list) else []
    if len(ends) != 2 or ends[0] is None or ends[1] is None:
        return Fault(where, f"segment {shown(span)}", "[start, end] in seconds")
    if ends[1] < ends[0]:
        return Fault(where, f"segment {shown(span)}", "start before end")
    return Detection(entry["label"], strength, ends[0], ends[1])


def rows(scores: Scores) -> list[tuple[str, list[float]]]:
    """What the table shows: a name, and a number for each threshold."""
    by_class = [
        (WORDS[label], scores.average_precision[:, index].tolist())
        for index, label in sorted(enumerate(scores.classes), key=lambda item: item[1])
    ]
    means = [
        ("mAP", scores.mean_average_precision.tolist()),
        ("precision", scores.mean_precision.tolist()),
        ("recall", scores.mean_recall.tolist()),
        ("F2", scores.f2.tolist()),
    ]
    return by_class + means


def table(scores: Scores) -> str:
    """The scores in per cent, for reading."""
    lines = ["in per cent   tIoU" + "".join(f"{tiou:8.2f}" for tiou in scores.tious) + "     AVG"]
    for name, values in rows(scores):
        numbers = [*values, sum(values) / len(values)]
        lines.append(f"{name:<18}" + "".join(f"{100 * value:8.2f}" for value in numbers))
    return "\n".join(lines)


def as_values(scores: Scores) -> dict[str, dict[str, float]]:
    """The scores between 0 and 1, by name and threshold, for programs."""
    values = {}
    for name, numbers in rows(scores):
        by_threshold = {f"{tiou:.2f}": value for tiou, value in zip(scores.tious, numbers, strict=True)}
        values[name] = by_threshold | {"AVG": sum(numbers) / len(numbers)}
    return values


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m jack_ray.score",
        description=DESCRIPTION,
        epilog=MEANING,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("method", choices=["tsl"], help="whose evaluation")
    parser.add_argument("predictions", type=Path, metavar="PREDICTIONS.json")
    parser.add_argument("ground_truth", type=Path, metavar="GROUND_TRUTH.json")
    parser.add_argument("--subset", default="test", help="the videos to score (default test)")
    parser.add_argument("--json", action="store_true", help="print JSON, numbers between 0 and 1")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
