"""The commands that ask a sweep's driver for something: their options, and the asking."""

import argparse
from pathlib import Path

from jack_ray.sweeps.find import Shelf, default_runs
from jack_ray.sweeps.one_trial import trial_of
from jack_ray.sweeps.standing import Standing, read_standing
from jack_ray.sweeps.wishes import Wish, wish


def add_options(parser: argparse.ArgumentParser) -> None:
    """What can be typed after each of them."""
    parser.add_argument("id", help="a sweep, or a trial or run of it")
    parser.add_argument("-t", "--trial", metavar="ID", help="this trial alone")
    parser.add_argument("--wait", type=float, default=30, metavar="S", help="seconds to wait until it has happened")


def named(runs: Path | None, word: str, trial: str | None) -> tuple[Standing, str | None]:
    """The sweep and the one trial of it that were typed; None: the whole sweep. Raises JackRayError for neither."""
    found = Shelf(runs or default_runs()).find(word)
    standing = read_standing(found.folder)
    return standing, trial_of(standing, trial) if trial else found.trial


def ask(standing: Standing, kind: Wish, trial: str | None, wait_s: float) -> int:
    """Ask, wait, and say what came of it: 0 when it has happened, 1 when it was only told."""
    answer = wish(standing, kind, trial, wait_s)
    print(answer.words)
    return 0 if answer.is_shown else 1
