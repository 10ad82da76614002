"""How a sweep stands: a table of its trials, live with --watch."""

import argparse
import json
import sys
import time
from dataclasses import asdict
from typing import Any

from rich.console import Console, Group
from rich.live import Live

from jack_ray.sweeps.find import Found, Shelf, default_runs
from jack_ray.sweeps.standing import Standing, core_hours, gpu_hours, read_standing
from jack_ray.sweeps.table import below, console, sweep_table
from jack_ray.sweeps.words import number, plural

LOOK_S = 1.0


def add_options(parser: argparse.ArgumentParser) -> None:
    """What can be typed."""
    parser.add_argument("id", nargs="?", help="a sweep, trial or run; none: the newest sweep")
    parser.add_argument("-w", "--watch", action="store_true", help="until it ends; Ctrl-C leaves the sweep alone")
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(options: argparse.Namespace) -> int:
    """Print it; 0."""
    found = Shelf(options.runs or default_runs()).find(options.id)
    if options.watch:
        watch(found)
    elif options.json:
        print(json.dumps(plain(read_standing(found.folder)), indent=1))
    else:
        show(read_standing(found.folder))
    return 0


def plain(standing: Standing) -> dict[str, Any]:
    """The sweep and its trials as JSON values."""
    trials = [
        asdict(trial) | {"gpu_hours": gpu_hours(trial), "core_hours": core_hours(trial)} for trial in standing.trials
    ]
    return standing.plain() | {"trials": trials}


def show(standing: Standing) -> None:
    """Print the table once."""
    screen = console()
    screen.print(sweep_table(standing))
    for line in below(standing):
        screen.print(line, markup=False, soft_wrap=True)


def watch(found: Found) -> None:
    """The table until the sweep ends; without a terminal a line whenever something changes."""
    standing = read_standing(found.folder)
    if not sys.stdout.isatty():
        _watch_lines(found, standing)
        return
    screen = console()
    with Live(console=screen, auto_refresh=False, transient=True) as live:
        while standing.is_alive:
            live.update(Group(sweep_table(standing, _room(screen)), *below(standing)), refresh=True)
            time.sleep(LOOK_S)
            standing = read_standing(found.folder)
    show(standing)


def _room(screen: Console) -> int:
    return max(3, screen.size.height - 7)


def _watch_lines(found: Found, standing: Standing) -> None:
    said = ""
    while standing.is_alive:
        running = sum(trial.status == "running" for trial in standing.trials)
        best = f", best {number(standing.best.best)}" if standing.best is not None else ""
        done = f"{standing.done} of {plural(standing.status.total, 'trial')} done"
        words = f"{standing.state}, {done}, {running} running{best}"
        if words != said:
            print(f"{time.strftime('%H:%M:%S')} {standing.id}: {words}", flush=True)
            said = words
        time.sleep(LOOK_S)
        standing = read_standing(found.folder)
    show(standing)
