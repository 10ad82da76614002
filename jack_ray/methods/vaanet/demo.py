"""A small class tree to try VAANet with: videos whose class shows in colour and sound together."""

import argparse

from jack_ray.methods.shared.demo_tree import add_tree_options, run_tree

LEAST = ("--train", "2", "--test", "1")
"""Options of the least data that every preset takes a step on."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `python -m jack_ray.data demo vaanet`."""
    add_tree_options(parser)


def run(options: argparse.Namespace) -> str:
    """Generate what was asked for, and say what came of it. Raises JackRayError."""
    return run_tree(options, "vaanet")
