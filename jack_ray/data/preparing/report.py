"""What became of every video: the annotation file, and a report for people."""

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jack_ray.contract.files import write_json, write_text
from jack_ray.data.preparing.convert import Job, Outcome
from jack_ray.data.preparing.listing import Listing

COLUMNS = ("id", "label", "subset", "status", "detail", "frames", "duration_s", "sound_s", "path")
MAX_SHOWN = 10


def write_annotation(root: Path, listing: Listing, outcomes: Mapping[str, Outcome]) -> None:
    """annotation.json, with the videos that can be used."""
    database = {
        clip.name: {
            "subset": clip.subset,
            **_duration(outcomes[clip.name]),
            "annotations": {"label": clip.label},
        }
        for clip in listing.clips
        if clip.name in outcomes and outcomes[clip.name].is_taken
    }
    write_json(root / "annotation.json", {"labels": list(listing.labels), "database": database})


def _duration(outcome: Outcome) -> dict[str, float]:
    return {"duration_s": round(outcome.duration_s, 3)} if outcome.duration_s > 0 else {}


def write_report(root: Path, listing: Listing, outcomes: Mapping[str, Outcome]) -> None:
    """report.csv, one line for each video, and report.json with the same and the files that are no videos."""
    rows: list[dict[str, Any]] = [
        {
            "id": clip.name, "label": clip.label, "subset": clip.subset, "status": outcomes[clip.name].status,
            "detail": outcomes[clip.name].detail, "frames": outcomes[clip.name].frames,
            "duration_s": round(outcomes[clip.name].duration_s, 3), "sound_s": round(outcomes[clip.name].sound_s, 3),
            "path": str(clip.path),
        }
        for clip in listing.clips
        if clip.name in outcomes
    ]  # fmt: skip
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(root / "report.csv", text.getvalue())
    counts = Counter(row["status"] for row in rows)
    write_json(root / "report.json", {"counts": dict(counts), "videos": rows, "no videos": list(listing.ignored)})


def table(listing: Listing, outcomes: Mapping[str, Outcome]) -> str:
    """Counts by class and subset, and each video that is not as it should be."""
    subsets = [
        subset for subset in ("training", "validation", "test") if any(c.subset == subset for c in listing.clips)
    ]
    counts = Counter((clip.label, clip.subset) for clip in listing.clips if outcomes[clip.name].is_taken)
    width = max(len(label) for label in (*listing.labels, "class"))
    lines = [f"{'class':{width}}" + "".join(f"{subset:>12}" for subset in subsets)]
    for label in listing.labels:
        lines.append(f"{label:{width}}" + "".join(f"{counts[label, subset]:12}" for subset in subsets))
    odd = [(clip, outcomes[clip.name]) for clip in listing.clips if outcomes[clip.name].status != "ok"]
    if odd:
        told = Counter(outcome.status for _, outcome in odd)
        lines += ["", ", ".join(f"{count} {status}" for status, count in told.items()) + ":"]
        lines += [f"  {outcome.status}: {one_line(clip.path)}: {outcome.detail}" for clip, outcome in odd[:MAX_SHOWN]]
        if len(odd) > MAX_SHOWN:
            lines.append(f"  and {len(odd) - MAX_SHOWN} more, in report.csv")
    if listing.ignored:
        lines.append(
            f"no videos, and left alone: {len(listing.ignored)}, the first: {one_line(Path(listing.ignored[0]))}"
        )
    return "\n".join(lines)


def one_line(path: Path) -> str:
    """A path as text without line breaks and other signs that a terminal obeys."""
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in str(path))


def jobs_of(listing: Listing, root: Path, wanted: Any) -> Sequence[Job]:
    """The work that there is to do."""
    return [Job(str(clip.path.resolve()), str(root), clip.name, clip.label, wanted) for clip in listing.clips]
