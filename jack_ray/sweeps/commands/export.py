"""One row a trial, with settings, metrics, GPU-hours, checkpoint and run id, as .csv, .json or .parquet."""

import argparse
from pathlib import Path

from jack_ray.sweeps.files import as_csv, write_rows
from jack_ray.sweeps.find import Shelf, default_runs
from jack_ray.sweeps.results import results_of
from jack_ray.sweeps.standing import read_standing
from jack_ray.sweeps.words import plural


def add_options(parser: argparse.ArgumentParser) -> None:
    """What can be typed."""
    parser.add_argument("id", nargs="?", help="a sweep, trial or run; none: the newest sweep")
    parser.add_argument("-o", "--out", type=Path, metavar="FILE", help="none: csv on the terminal")


def run(options: argparse.Namespace) -> int:
    """Write them; 0."""
    found = Shelf(options.runs or default_runs()).find(options.id)
    rows = [result.row() for result in results_of(read_standing(found.folder), found.trial)]
    if options.out is None:
        print(as_csv(rows), end="")
    else:
        write_rows(options.out, rows)
        print(f"{plural(len(rows), 'trial')} written: {options.out}")
    return 0
