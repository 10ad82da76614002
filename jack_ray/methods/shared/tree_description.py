"""A class tree in numbers, and as a picture."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, median

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from jack_ray.contract.errors import DataError, JackRayError
from jack_ray.methods.shared.class_annotation import ClassAnnotation, Entry
from jack_ray.methods.shared.class_tree import annotation_of, divide
from jack_ray.methods.shared.clips_config import DataConfig
from jack_ray.methods.shared.frames import pictures_of

SPLITS = ("train", "val", "test")


def describe_tree(data: DataConfig, picture: Path) -> str:
    """Videos by class and split, and durations; draws both. Raises DataError, or JackRayError if it cannot write."""
    annotation = annotation_of(data)
    counts = count(annotation, data)
    seconds = durations(data, list(annotation.entries.values()))
    try:
        _draw(picture, annotation.labels, counts, seconds)
    except OSError as error:
        raise JackRayError(f"Cannot write {picture}: {error.strerror}") from error
    return f"{_table(annotation.labels, counts)}\n\n{_lengths(seconds)}"


def count(annotation: ClassAnnotation, data: DataConfig) -> Counter[tuple[str, str]]:
    """(class, split) -> videos, with the seed 0 for what is held out."""
    names = divide(annotation, data, 0)
    return Counter((annotation.entries[name].label, split) for split, of_split in names.items() for name in of_split)


def durations(data: DataConfig, entries: Sequence[Entry]) -> list[float]:
    """Seconds of each video whose length is known: as annotated, else by its pictures."""
    found = []
    for entry in entries:
        try:
            found.append(entry.duration_s or pictures_of(data, entry).duration_s())
        except DataError:
            continue
    return [seconds for seconds in found if seconds > 0]


def _table(labels: Sequence[str], counts: Counter[tuple[str, str]]) -> str:
    width = max(len(label) for label in (*labels, "class"))
    lines = [f"{'class':{width}}{'train':>8}{'val':>8}{'test':>8}{'all':>8}"]
    for label in labels:
        row = [counts[label, split] for split in SPLITS]
        lines.append(f"{label:{width}}" + "".join(f"{value:8}" for value in (*row, sum(row))))
    totals = [sum(counts[label, split] for label in labels) for split in SPLITS]
    lines.append(f"{'all':{width}}" + "".join(f"{value:8}" for value in (*totals, sum(totals))))
    return "\n".join(lines)


def _lengths(seconds: Sequence[float]) -> str:
    if not seconds:
        return "No duration is known."
    return (
        f"{sum(seconds) / 60:.1f} minutes; a video lasts {min(seconds):.1f} to {max(seconds):.1f} s, "
        f"{mean(seconds):.1f} s in the mean, {median(seconds):.1f} s in the median"
    )


def _draw(picture: Path, labels: Sequence[str], counts: Counter[tuple[str, str]], seconds: Sequence[float]) -> None:
    figure = Figure(figsize=(max(8.0, 0.5 * len(labels) + 5), 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    bars, lengths = figure.subplots(1, 2)
    below = [0] * len(labels)
    for split in SPLITS:
        values = [counts[label, split] for label in labels]
        bars.bar(range(len(labels)), values, bottom=below, label=split)
        below = [sum(pair) for pair in zip(below, values, strict=True)]
    bars.set_xticks(range(len(labels)), labels, rotation=45, ha="right")
    bars.set_ylabel("videos")
    bars.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=len(SPLITS), frameon=False)
    if seconds:
        # from 0: where all last the same, matplotlib's own range is a hair's breadth
        lengths.hist(seconds, bins=min(40, max(10, len(seconds) // 4)), range=(0, max(seconds)), edgecolor="white")
    lengths.set_xlabel("duration (s)")
    lengths.set_ylabel("videos")
    for axes in (bars, lengths):
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    figure.savefig(picture, dpi=120)
