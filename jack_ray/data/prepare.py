"""Turn a folder of videos, or a csv or json list of them, into a data set that VAANet and CTEN read."""

import argparse
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from jack_ray.contract.errors import ConfigError, DataError, Fault
from jack_ray.contract.settings import as_typed
from jack_ray.data.looking.bar import shown
from jack_ray.data.preparing import journal, pool
from jack_ray.data.preparing.convert import PARTIAL, Job, Outcome, Wanted
from jack_ray.data.preparing.listing import Listing, read_listing, with_subsets
from jack_ray.data.preparing.report import jobs_of, table, write_annotation, write_report


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `python -m jack_ray.data prepare`."""
    parser.add_argument(
        "source", type=Path, metavar="SOURCE",
        help="SOURCE/<Class>/*.mp4, SOURCE/<split>/<Class>/*.mp4, or a csv or json file with path, label and split",
    )  # fmt: skip
    parser.add_argument("root", type=Path, metavar="ROOT", help="folder to write; new, or one to go on with")
    parser.add_argument(
        "--pictures", choices=("jpg", "none"), default="jpg",
        help="jpg: extract every picture. none: keep the video, for data.source=video (default jpg)",
    )  # fmt: skip
    parser.add_argument("--sound", choices=("mp3", "flac", "wav"), default="mp3", help="sound files (default mp3)")
    parser.add_argument(
        "--silent", choices=("leave-out", "write"), default="leave-out",
        help="a video without a sound track: leave it out, or write silence (default leave-out)",
    )  # fmt: skip
    parser.add_argument("--height", type=int, default=240, help="height of pictures (default 240)")
    parser.add_argument("--quality", type=int, default=92, help="of JPEG, 1 to 100 (default 92)")
    parser.add_argument("--min-frames", type=int, default=16, help="shorter videos are left out (default 16 pictures)")
    parser.add_argument(
        "--test-fraction", type=float, default=0.333,
        help="share of each class to test on, where SOURCE has no splits (default 0.333)",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=1, help="of that draw (default 1)")
    parser.add_argument(
        "--workers", type=int, default=len(os.sched_getaffinity(0)),
        help="videos at the same time, on a Ray of this machine; 1: in this process (default: cores)",
    )  # fmt: skip


def run(options: argparse.Namespace) -> str:
    """Prepare what is left to do, and say what came of all of it. Raises JackRayError."""
    _check(options)
    root = options.root.expanduser().absolute()
    listing = with_subsets(read_listing(options.source.expanduser()), options.test_fraction, options.seed)
    wanted = Wanted(
        options.pictures, options.sound, options.silent, options.height, options.quality, options.min_frames
    )
    journal.open_root(root)
    plan = journal.plan(root, jobs_of(listing, root, wanted))
    outcomes = {**plan.done, **_prepare(root, plan.left, options.workers)}
    write_annotation(root, listing, outcomes)
    write_report(root, listing, outcomes)
    taken = sum(outcome.is_taken for outcome in outcomes.values())
    told = f"{taken} of {len(outcomes)} videos are in {root}" + (
        f" ({len(plan.done)} were prepared before)" if plan.done else ""
    )
    if not taken:
        first = next(iter(outcomes.values()))
        raise DataError(
            [
                Fault(
                    str(options.source),
                    f"no video can be used ({first.detail})",
                    "at least one",
                    table(listing, outcomes),
                )
            ]
        )
    return f"{table(listing, outcomes)}\n\n{told}; report.csv tells of each.\n{_next(options, root, listing, outcomes)}"


def _next(options: argparse.Namespace, root: Path, listing: Listing, outcomes: Mapping[str, Outcome]) -> str:
    """What to type to train on it."""
    words = ["model=vaanet data=class_tree", as_typed("data.root", str(root))]
    if options.pictures == "none":
        words.append("data.source=video")
    words += [f"model.num_classes={len(listing.labels)}", "model.loss=ce"]
    there = {clip.subset for clip in listing.clips if outcomes[clip.name].is_taken}
    missing = "" if "training" in there else "train on"
    missing = missing or ("" if there & {"validation", "test"} else "test on")
    if missing:
        words.append("data.split=0")
    note = f"There is no video to {missing}; data.split=0 draws the splits anew.\n" if missing else ""
    return f"{note}Next: python -m jack_ray.launch {' '.join(words)}"


def _prepare(root: Path, jobs: Sequence[Job], workers: int) -> dict[str, Outcome]:
    if not jobs:
        return {}
    outcomes = {}
    done = pool.here(jobs) if workers == 1 or len(jobs) == 1 else pool.on_ray(jobs, workers)
    for job, outcome in shown(done, len(jobs), "videos"):
        journal.note(root, job, outcome)
        outcomes[job.name] = outcome
    shutil.rmtree(root / PARTIAL, ignore_errors=True)
    return outcomes


def _check(options: argparse.Namespace) -> None:
    bounds = (
        ("--height", options.height, 16, 4320),
        ("--quality", options.quality, 1, 100),
        ("--min-frames", options.min_frames, 1, 10**6),
        ("--workers", options.workers, 1, 1024),
        ("--seed", options.seed, 0, 2**31),
    )
    faults = [
        Fault(option, str(value), f"{least} to {most}")
        for option, value, least, most in bounds
        if not least <= value <= most
    ]
    if not 0 < options.test_fraction < 1:
        faults.append(Fault("--test-fraction", f"{options.test_fraction:g}", "more than 0 and less than 1"))
    if faults:
        raise ConfigError(faults)
