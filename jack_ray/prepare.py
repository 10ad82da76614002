"""Compile Jittor once for this machine: `python -m jack_ray.prepare`. A launch does the same when it is needed."""

import sys
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from jack_ray.contract.environment import default_jittor_home
from jack_ray.contract.errors import JackRayError
from jack_ray.spawn.preflight import is_prepared, prepare


def run(home: Path) -> None:
    """Compile with a progress bar, or with a line every tenth where there is no terminal. Raises PreflightError."""
    if is_prepared(home):
        prepare(home, lambda words, share: None)
        print(f"Jittor is compiled already ({home}).")
        return
    print(f"Compiling Jittor into {home}: minutes, and once on this machine.", flush=True)
    if sys.stdout.isatty():
        _with_bar(home)
    else:
        _with_lines(home)
    print("Jittor is compiled.", flush=True)


def _with_bar(home: Path) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(), transient=True) as progress:
        task = progress.add_task("compiling", total=1.0)
        prepare(home, lambda words, share: progress.update(task, description=words, completed=share))


def _with_lines(home: Path) -> None:
    told = -1

    def tell(words: str, share: float) -> None:
        nonlocal told
        if int(share * 10) > told:
            told = int(share * 10)
            print(f"  {words}: {share:.0%}", flush=True)

    prepare(home, tell)


def main() -> None:
    """Exit code 2 with one message when this machine cannot compile."""
    try:
        run(default_jittor_home())
    except JackRayError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
