"""python -m jack_ray.data COMMAND: data sets for training. Each file of this folder is a command."""

import argparse
import ast
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from jack_ray.contract.errors import JackRayError

FOLDER = Path(__file__).parent


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; 0, or 2 with one message for a user's mistake."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    options = _parser(words[0] if words else "").parse_args(words)
    try:
        print(importlib.import_module(f"jack_ray.data.{options.command}").run(options), flush=True)
    except JackRayError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Interrupted; type the same command to begin anew, or to go on where it can.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader has seen enough: `describe | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        if error.filename is None:
            raise
        print(f"error: {error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    return 0


def commands() -> list[str]:
    """The files of this folder."""
    return sorted(path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("_"))


def _parser(typed: str | None = None) -> argparse.ArgumentParser:
    """The parser of the typed command alone, since some take seconds to import; None: of all of them."""
    about = "Data sets: generate, prepare, check, describe."
    parser = argparse.ArgumentParser(prog="python -m jack_ray.data", description=about)
    by_command = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in commands():
        text = (FOLDER / f"{name}.py").read_text(encoding="utf-8")
        summary = (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0]
        command = by_command.add_parser(name, help=summary, description=summary)
        if typed in (name, None):
            importlib.import_module(f"jack_ray.data.{name}").add_options(command)
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
