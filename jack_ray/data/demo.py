"""Generate a small data set in a method's layout; no download."""

import argparse
import importlib
from pathlib import Path

from jack_ray import methods


def methods_with_demo() -> list[str]:
    """The methods whose folder can generate data."""
    return sorted(path.parent.name for path in Path(methods.__path__[0]).glob("*/demo.py"))


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `python -m jack_ray.data demo`: a method, and that method's own."""
    by_method = parser.add_subparsers(dest="method", required=True, metavar="METHOD")
    for name in methods_with_demo():
        module = importlib.import_module(f"jack_ray.methods.{name}.demo")
        summary = str(module.__doc__).splitlines()[0]
        module.add_options(by_method.add_parser(name, help=summary, description=summary))


def run(options: argparse.Namespace) -> str:
    """Generate what was asked for, and say what came of it. Raises JackRayError."""
    told: str = importlib.import_module(f"jack_ray.methods.{options.method}.demo").run(options)
    return told
