"""All sweeps, the newest first."""

import argparse
import json

from jack_ray.sweeps.find import Shelf, default_runs
from jack_ray.sweeps.table import console, rich_table, sweep_cells


def add_options(parser: argparse.ArgumentParser) -> None:
    """What can be typed."""
    parser.add_argument("--json", action="store_true", help="as JSON, one object a sweep")


def run(options: argparse.Namespace) -> int:
    """Print them; 0."""
    runs = options.runs or default_runs()
    standings = Shelf(runs).standings
    if options.json:
        print(json.dumps([standing.plain() for standing in standings], indent=1))
    elif standings:
        console().print(rich_table([sweep_cells(standing) for standing in standings]))
    else:
        print(f"No sweep in {runs / 'sweeps'}.")
    return 0
