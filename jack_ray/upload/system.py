"""Use of processor and memory: `system.jsonl` -> MLflow's system metrics."""

import json
from pathlib import Path

from jack_ray.upload.describe import metric_name
from jack_ray.upload.store import MetricPoint


def read_system(path: Path, offset: int, line_number: int) -> tuple[list[MetricPoint], int, int]:
    """The samples after a byte offset; the offset and the number of the line to ask for next.

    A line is {"time": seconds, "values": {"system/cpu_utilization_percentage": 97.0, ..}}; its number in the
    file is the step, which stays the same however often the file is read.
    """
    try:
        with path.open("rb") as opened:
            opened.seek(offset)
            content = opened.read()
    except FileNotFoundError:
        return [], offset, line_number
    complete = content[: content.rfind(b"\n") + 1]
    points: list[MetricPoint] = []
    lines = complete.splitlines()
    for number, line in enumerate(lines, start=line_number):
        try:
            sample = json.loads(line)
            values = [(metric_name(name), float(value)) for name, value in sample["values"].items()]
            points += [MetricPoint(name, value, float(sample["time"]), number) for name, value in values]
        except (ValueError, TypeError, KeyError, AttributeError):
            continue  # cut by a full disk or a kill; the next sample comes soon
    return points, offset + len(complete), line_number + len(lines)
