"""Hold a method's numbers against its golden files: `python -m jack_ray.train.verify METHOD [FILE ...]`.

Right of the process wall; people type `python -m jack_ray.verify`, which prepares the environment.
"""

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from jack_ray.contract.errors import JackRayError
from jack_ray.methods.shared.recipe import Comparison
from jack_ray.train import optimizer

DIFFERS = 1
CANNOT_COMPARE = 2


def table(comparisons: Sequence[Comparison]) -> str:
    """The comparisons for people, one a line."""
    width = max(len("quantity"), *(len(one.quantity) for one in comparisons))
    lines = [f"{'quantity':<{width}}  worst deviation  tolerance"]
    for one in comparisons:
        verdict = "ok" if one.holds else "FAIL"
        lines.append(f"{one.quantity:<{width}}  {one.deviation:>15.2g}  {one.tolerance:>9.0e}  {verdict}")
    return "\n".join(lines)


def tell(line: str) -> None:
    """Say what is being computed."""
    print(line, file=sys.stderr, flush=True)


def verify(method: str, files: Sequence[Path]) -> bool:
    """Compare file after file and print a table of each; whether everything holds. Raises JackRayError."""
    golden = importlib.import_module(f"jack_ray.methods.{method}.golden")
    failed = 0
    total = 0
    for path in files or sorted(golden.GOLDEN.glob("*.json")):
        comparisons = golden.check_file(path, optimizer.make, tell)
        print(f"\n{path}\n{table(comparisons)}", flush=True)
        failed += sum(not one.holds for one in comparisons)
        total += len(comparisons)
    print(f"\n{total - failed} of {total} quantities agree." + (f" {failed} FAIL." if failed else ""))
    return failed == 0


def main(arguments: Sequence[str]) -> int:
    """0: everything agrees. 1: something does not. 2: a file cannot be compared."""
    try:
        return 0 if verify(arguments[0], [Path(name) for name in arguments[1:]]) else DIFFERS
    except JackRayError as error:
        print(error, file=sys.stderr)
        return CANNOT_COMPARE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
