"""python -m benchmarks all|NAME [--json]: run benchmarks and print a table, or a line of JSON a figure."""

import argparse
import importlib
import os
import sys
from pathlib import Path

from benchmarks.figures import Figure, as_json, as_table
from benchmarks.options import Options


def names() -> list[str]:
    """Modules of this package with a function `measure`."""
    folder = Path(__file__).parent
    files = [*folder.glob("*.py"), *folder.glob("*/__init__.py")]
    found = [path for path in files if "\ndef measure(" in path.read_text(encoding="utf-8")]
    return sorted(path.parent.name if path.name == "__init__.py" else path.stem for path in found)


def main() -> int:
    """Run the command."""
    known = names()
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", choices=["all", *known], help="what to measure")
    parser.add_argument("--json", action="store_true", help="a JSON object a line")
    parser.add_argument("--repeat", type=int, default=Options.repeat, help="turns of which the median counts")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="of each side")
    parser.add_argument("--only", nargs="*", default=[], metavar="METHOD", help="methods; all without it")
    typed = parser.parse_args()
    options = Options(typed.repeat, typed.threads, tuple(typed.only))
    for name in known if typed.name == "all" else [typed.name]:
        module = importlib.import_module(f"benchmarks.{name}")
        figures: list[Figure] = []
        for figure in module.measure(options):
            figures.append(figure)
            if typed.json:
                print(as_json([figure]), flush=True)
            else:
                print(f"{figure.bench} {figure.metric} {figure.value:.3g}", file=sys.stderr, flush=True)
        if not typed.json:
            print(as_table(figures), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
