"""Let a paused sweep or trial go on; of a sweep that has ended, say the command, or run it with --run."""

import argparse
import os

from jack_ray.contract.environment import interpreter
from jack_ray.contract.errors import JackRayError
from jack_ray.sweeps import asking
from jack_ray.sweeps.standing import Standing, words_again
from jack_ray.sweeps.wishes import settled


def add_options(parser: argparse.ArgumentParser) -> None:
    """What can be typed."""
    asking.add_options(parser)
    parser.add_argument("--run", action="store_true", dest="is_run", help="type the command of a sweep that has ended")


def run(options: argparse.Namespace) -> int:
    """0 when it goes on, 1 when it was only told or the command was only shown."""
    standing, trial = asking.named(options.runs, options.id, options.trial)
    standing = settled(standing, options.wait)
    if standing.is_alive:
        return asking.ask(standing, "resume", trial, options.wait)
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
