"""End a sweep as Ctrl-C does, or one trial of it; what is trained is kept."""

import argparse

from jack_ray.sweeps.find import Shelf, default_runs
from jack_ray.sweeps.one_trial import trial_of
from jack_ray.sweeps.standing import read_standing
from jack_ray.sweeps.wishes import wish


def add_options(parser: argparse.ArgumentParser) -> None:
    """What can be typed."""
    parser.add_argument("id", help="a sweep, or a trial or run of it")
    parser.add_argument("-t", "--trial", metavar="ID", help="this trial alone")
    parser.add_argument("--wait", type=float, default=30, metavar="S", help="seconds to wait until it has happened")


def run(options: argparse.Namespace) -> int:
    """0 when it has happened, 1 when it was only told."""
    found = Shelf(options.runs or default_runs()).find(options.id)
    standing = read_standing(found.folder)
    trial = trial_of(standing, options.trial) if options.trial else found.trial
    answer = wish(standing, "stop", trial, options.wait)
    print(answer.words)
    return 0 if answer.is_shown else 1
