"""python -m jack_ray.sweeps COMMAND: what runs, why not, what came out. Each file of `commands` is a command."""

import argparse
import ast
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from jack_ray.contract.errors import JackRayError

FOLDER = Path(__file__).parent / "commands"

ABOUT = """\
Sweeps, by their id, a trial's id or an MLflow run id; the beginning of an id is enough. Without an id: the newest."""


def commands() -> list[str]:
    """The files of the folder, in the order of a day."""
    known = ["list", "status", "why", "logs", "stop", "pause", "resume", "compare", "export"]
    return [*known, *sorted({path.stem for path in FOLDER.glob("[a-z]*.py")} - set(known))]


class _Parser(argparse.ArgumentParser):
    """Tells a mistake in one line."""

    def error(self, message: str) -> NoReturn:
        """End with code 2."""
        self.exit(2, f"error: {message}; {self.prog} --help tells every option\n")


def parser(typed: str | None = None) -> argparse.ArgumentParser:
    """The parser of the typed command alone; None: of all of them."""
    made = _Parser(prog="python -m jack_ray.sweeps", description=ABOUT)
    by_command = made.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in commands():
        summary = (ast.get_docstring(ast.parse((FOLDER / f"{name}.py").read_text("utf-8"))) or "").partition("\n")[0]
        command = by_command.add_parser(name, help=summary, description=summary, allow_abbrev=False)
        command.add_argument("--runs", type=Path, metavar="FOLDER", help="where sweeps lie (default: site.runs)")
        if typed in (name, None):
            importlib.import_module(f"jack_ray.sweeps.commands.{name}").add_options(command)
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command: its exit code; 2 after one line for a user's mistake, 130 after Ctrl-C."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    options = parser(words[0] if words else "").parse_args(words)
    try:
        code = int(importlib.import_module(f"jack_ray.sweeps.commands.{options.command}").run(options))
        sys.stdout.flush()
    except JackRayError as error:
        print(f"error: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader has seen enough: `list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        print(f"error: {error.filename or 'writing'}: {error.strerror}", file=sys.stderr)
    else:
        return code
    return 2


if __name__ == "__main__":
    raise SystemExit(main())
