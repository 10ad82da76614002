"""python -m jack_ray.data demo METHOD ROOT: generate a small data set that a method can learn."""

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from jack_ray import methods
from jack_ray.contract.errors import JackRayError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0, or 2 with one message for a user's mistake."""
    options = _parser().parse_args(arguments)
    try:
        print(importlib.import_module(f"jack_ray.methods.{options.method}.demo").run(options))
    except JackRayError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Interrupted; type the same command to begin anew.", file=sys.stderr)
        return 130
    return 0


def methods_with_demo() -> list[str]:
    """The methods whose folder can generate data."""
    return sorted(path.parent.name for path in Path(methods.__path__[0]).glob("*/demo.py"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m jack_ray.data", description="Data sets for trying things.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    about = "generate a small data set in a method's layout; no download"
    demo = commands.add_parser("demo", help=about, description=about)
    by_method = demo.add_subparsers(dest="method", required=True, metavar="METHOD")
    for name in methods_with_demo():
        module = importlib.import_module(f"jack_ray.methods.{name}.demo")
        summary = str(module.__doc__).splitlines()[0]
        module.add_options(by_method.add_parser(name, help=summary, description=summary))
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
