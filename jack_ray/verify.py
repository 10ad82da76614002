"""python -m jack_ray.verify model=tsl: is the method still the published one, to the last digits?"""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jack_ray.contract.environment import default_jittor_home, interpreter, rank_environment
from jack_ray.contract.errors import ConfigError, Fault, JackRayError
from jack_ray.contract.settings import nearest
from jack_ray.spawn import preflight

METHODS = Path(__file__).parent / "methods"

HELP = """\
python -m jack_ray.verify model=METHOD [golden=FILE.json ...]

Compare a method with numbers of its authors' code: outputs, losses, gradients, training steps and evaluation, each
with the tolerance that rounding leaves. Weights and inputs are drawn as the files say; no data set is needed.

  model=METHOD      one of: {methods}
  golden=FILE.json  a golden file; without it all that come with the method

Exit code 0: everything agrees. 1: something does not. 2: it cannot be compared.
TSL-Net needs 5 GB of memory, CTEN 3.3 GB, VAANet 2.1 GB, BPM-GCN 1.1 GB, and each about a minute, once Jittor is
compiled (python -m jack_ray.prepare).
"""


@dataclass(frozen=True)
class Request:
    """What was typed."""

    method: str
    files: tuple[Path, ...]


def methods() -> list[str]:
    """The methods that come with golden files."""
    return sorted({path.parent.parent.name for path in METHODS.glob("*/golden/*.json")})


def parse(arguments: Sequence[str]) -> Request:
    """Read the command line. Raises ConfigError with every fault in it."""
    faults: list[Fault] = []
    typed: dict[str, list[str]] = {"model": [], "golden": []}
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if not equals or not value or key not in typed:
            faults.append(
                Fault(argument, "not understood", "model=METHOD or golden=FILE.json", "Type --help for more.")
            )
        else:
            typed[key].append(value)
    chosen = typed["model"]
    if len(chosen) != 1:
        found = f"typed {len(chosen)} times" if chosen else "not typed"
        faults.append(Fault("model", found, f"one of {', '.join(methods())}", f"Type model={methods()[0]}."))
    faults += [
        Fault(f"model={name}", "has no golden files", "a method that has", nearest(name, methods()))
        for name in chosen
        if name not in methods()
    ]
    files = [Path(name).resolve() for name in typed["golden"]]
    faults += [Fault(f"golden={file}", "no such file", "a golden file (.json)") for file in files if not file.is_file()]
    if faults:
        raise ConfigError(faults)
    return Request(chosen[0], tuple(files))


def run(request: Request) -> int:
    """Compare in a child process, which may import Jittor; its exit code."""
    home = default_jittor_home()
    preflight.prepare(home, _report)
    command = [interpreter(), "-m", "jack_ray.train.verify", request.method, *map(str, request.files)]
    return subprocess.run(command, env=rank_environment(home, os.cpu_count() or 1), check=False).returncode


def _report(phase: str, share: float) -> None:
    print(f"\r{phase}: {share:.0%}", end="" if share < 1 else "\n", file=sys.stderr, flush=True)


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    if not arguments or {"-h", "--help"} & set(arguments):
        print(HELP.format(methods=", ".join(methods())), end="")
        return 0
    try:
        return run(parse(arguments))
    except JackRayError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
