"""Let a paused sweep or trial go on; of a sweep that has ended, say the command, or run it with --run."""

import argparse
import os

from jack_ray.contract.environment import interpreter
from jack_ray.contract.errors import JackRayError
from jack_ray.sweeps.find import Shelf, default_runs
from jack_ray.sweeps.one_trial import trial_of
from jack_ray.sweeps.standing import Standing, read_standing, words_again
from jack_ray.sweeps.wishes import settled, wish


def add_options(parser: argparse.ArgumentParser) -> None:
    """What can be typed."""
    parser.add_argument("id", help="a sweep, or a trial or run of it")
    parser.add_argument("-t", "--trial", metavar="ID", help="this trial alone")
    parser.add_argument("--run", action="store_true", dest="is_run", help="type the command of a sweep that has ended")
    parser.add_argument("--wait", type=float, default=30, metavar="S", help="seconds to wait until it has happened")


def run(options: argparse.Namespace) -> int:
    """0 when it goes on, 1 when it was only told or the command was only shown."""
    found = Shelf(options.runs or default_runs()).find(options.id)
    standing = settled(read_standing(found.folder), options.wait)
    trial = trial_of(standing, options.trial) if options.trial else found.trial
    if standing.is_alive:
        answer = wish(standing, "resume", trial, options.wait)
        print(answer.words)
        return 0 if answer.is_shown else 1
    if standing.state == "finished":
        print(f"{standing.id} has finished; there is nothing to go on with.")
        return 0
    if options.is_run:
        _launch(standing)
    print(f"{standing.id} has no driver ({standing.state}). Go on with: {standing.again}")
    return 1


def _launch(standing: Standing) -> None:
    """Become the driver, in the folder where the sweep was typed."""
    if not standing.status.typed:
        raise JackRayError(f"nobody knows how {standing.id} was typed: its sweep.json is damaged")
    os.chdir(standing.status.folder)
    python = interpreter()
    os.execv(python, [python, "-m", "jack_ray.launch", *words_again(standing.status.typed)])
