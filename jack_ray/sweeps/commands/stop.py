"""End a sweep as Ctrl-C does, or one trial of it; what is trained is kept."""

import argparse

from jack_ray.sweeps.asking import add_options, ask, named

__all__ = ["add_options", "run"]


def run(options: argparse.Namespace) -> int:
    """0 when it has happened, 1 when it was only told."""
    standing, trial = named(options.runs, options.id, options.trial)
    return ask(standing, "stop", trial, options.wait)
