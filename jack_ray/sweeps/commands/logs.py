"""What the ranks printed, with the rank in front of each line; -f goes on until the sweep ends."""

import argparse
import sys
from collections.abc import Iterable

from jack_ray.contract.errors import JackRayError
from jack_ray.sweeps.find import Shelf, default_runs
from jack_ray.sweeps.logs import Stream, log_files
from jack_ray.sweeps.one_trial import trial_of
from jack_ray.sweeps.standing import read_standing


def add_options(parser: argparse.ArgumentParser) -> None:
    """What can be typed."""
    parser.add_argument("id", nargs="?", help="a sweep, trial or run; none: the newest sweep")
    parser.add_argument("-t", "--trial", metavar="ID", help="this trial alone")
    parser.add_argument("-r", "--rank", type=int, metavar="N", help="this rank alone")
    parser.add_argument("-f", "--follow", action="store_true", help="go on, also over attempts and new trials")
    parser.add_argument("-n", "--lines", type=int, metavar="N", help="only the last lines")


def run(options: argparse.Namespace) -> int:
    """Print them; 0."""
    found = Shelf(options.runs or default_runs()).find(options.id)
    standing = read_standing(found.folder)
    trial = trial_of(standing, options.trial) if options.trial else found.trial
    stream = Stream(found.folder, trial, options.rank)
    is_known = options.rank is None or any(log_files(standing.trial_folder(one.id), options.rank)
                                           for one in standing.trials if trial in (None, one.id))  # fmt: skip
    if not is_known and not options.follow:
        raise JackRayError(f"no trial of {standing.id} has a log of rank {options.rank}")
    lines = [*stream.read(), *([] if options.follow else stream.rest())]
    if not lines and not options.follow:
        print("No rank has printed anything.", file=sys.stderr)
    _write(lines if options.lines is None else lines[len(lines) - min(max(options.lines, 0), len(lines)) :])
    if options.follow:
        _write(stream.follow())
    return 0


def _write(lines: Iterable[str]) -> None:
    for line in lines:
        print(line, flush=True)
