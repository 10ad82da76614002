"""The whole pipeline: what was typed -> trials -> machines -> MLflow. `python -m jack_ray.launch --help`."""

import os
import sys
from pathlib import Path

from jack_ray import __version__, compose, expand
from jack_ray.compose import Command, Plan
from jack_ray.compose.from_run import split_words
from jack_ray.compose.help import page
from jack_ray.compose.show import print_config
from jack_ray.contract.errors import JackRayError
from jack_ray.contract.trial import Trial
from jack_ray.expand import Point
from jack_ray.place.dry_run import print_plan
from jack_ray.place.sweep import run_sweep
from jack_ray.reproduce import reproduce


def launch(argv: list[str]) -> int:
    """Run a command line. Raises JackRayError for whatever the user can mend."""
    run, _ = split_words(argv)
    if run is not None:
        return reproduce(run, argv)
    command = compose.read_command(argv)
    if command.help or command.version:
        print(f"jack_ray {__version__}" if command.version else page())
        return 0
    if command.show is not None:
        print_config(command)
        return 0
    plan, points, trials = checked(command)
    if plan.base.dry_run:
        print_plan(plan, points, trials)
        return 0
    return run_sweep(plan)


def checked(command: Command) -> tuple[Plan, list[Point], list[Trial]]:
    """All that can be known of a sweep before it runs. Raises ConfigError or DataError with every fault."""
    plan = compose.make_plan(command)
    points = expand.preview(plan.base.sweep, plan.goal[1], plan.base.more)
    return plan, points, plan.check_points([point.overrides for point in points])


def main() -> None:
    """Errors that the user can mend are told without a traceback, and end with exit code 2."""
    try:
        code = launch(sys.argv[1:])
        sys.stdout.flush()
    except KeyboardInterrupt:  # before the trials are started or after they have ended; between, the loop takes it
        print("Stopped.", file=sys.stderr)
        code = 130
    except BrokenPipeError:  # the reader has seen enough: `--help | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except JackRayError as error:
        print(f"error: {error}", file=sys.stderr)
        code = 2
    except OSError as error:
        if error.filename is None:
            raise
        print(f"error: {Path(str(error.filename))}: {error.strerror}", file=sys.stderr)
        code = 2
    sys.exit(code)


if __name__ == "__main__":
    main()
