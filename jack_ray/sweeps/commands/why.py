"""Why trials wait or failed: what is known of it, the last lines of their logs, and where all of it is."""

import argparse

from jack_ray.sweeps.find import Shelf, default_runs
from jack_ray.sweeps.one_trial import trial_of
from jack_ray.sweeps.reasons import reasons
from jack_ray.sweeps.standing import read_standing


def add_options(parser: argparse.ArgumentParser) -> None:
    """What can be typed."""
    parser.add_argument("id", nargs="?", help="a sweep, trial or run; none: the newest sweep")
    parser.add_argument("-t", "--trial", metavar="ID", help="this trial alone")
    parser.add_argument("-n", "--lines", type=int, default=8, metavar="N", help="lines of a log (default: 8)")


def run(options: argparse.Namespace) -> int:
    """Print the reasons; 0."""
    found = Shelf(options.runs or default_runs()).find(options.id)
    standing = read_standing(found.folder)
    trial = trial_of(standing, options.trial) if options.trial else found.trial
    print("\n".join(reasons(standing, trial, max(1, options.lines))))
    return 0
