"""python -m jack_ray.data COMMAND: data sets for training. Each file of this folder is a command."""

import argparse
import ast
import errno
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from jack_ray.contract.errors import JackRayError

FOLDER = Path(__file__).parent
AFTER_INTERRUPT = dict.fromkeys(("prepare", "features"), "What is done is kept: type the same command to go on.")


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
        print(f"Interrupted. {AFTER_INTERRUPT.get(options.command, 'Type the same command again.')}", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader has seen enough: `describe | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        if error.filename is None and error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        print(f"error: {error.filename or 'writing'}: {error.strerror}", file=sys.stderr)
        return 2
    return 0


def commands() -> list[str]:
    """The files of this folder."""
    return sorted(path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("_"))


class _Parser(argparse.ArgumentParser):
    """Tells a mistake in one message, without a page of usage before it."""

    def error(self, message: str) -> NoReturn:
        """End with code 2."""
        self.exit(2, f"error: {message}\n    {self.prog} --help tells every option.\n")


def _parser(typed: str | None = None) -> argparse.ArgumentParser:
    """The parser of the typed command alone, since some take seconds to import; None: of all of them."""
    about = "Data sets: generate, prepare, check, describe."
    parser = _Parser(prog="python -m jack_ray.data", description=about)
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
