"""Parameters that differ against final metrics; --out writes them as csv and as a page with plots."""

import argparse
import json
from pathlib import Path
from typing import Any

from jack_ray.contract.files import write_text
from jack_ray.sweeps.files import as_csv
from jack_ray.sweeps.find import Shelf, default_runs
from jack_ray.sweeps.report import page
from jack_ray.sweeps.results import Result, compared_metrics, differing, parameter, results_of
from jack_ray.sweeps.standing import core_hours, gpu_hours, read_standing
from jack_ray.sweeps.table import Cells, console, rich_table
from jack_ray.sweeps.words import duration, hours, number


def add_options(parser: argparse.ArgumentParser) -> None:
    """What can be typed."""
    parser.add_argument("id", nargs="*", help="sweeps, trials or runs; none: the newest sweep")
    parser.add_argument("-o", "--out", type=Path, metavar="FOLDER", help="write compare.csv and compare.html there")


def run(options: argparse.Namespace) -> int:
    """Print the table; 0."""
    shelf = Shelf(options.runs or default_runs())
    found = [shelf.find(word) for word in options.id or [None]]
    standings = {one.folder: read_standing(one.folder) for one in found}
    by_trial = [result for one in found for result in results_of(standings[one.folder], one.trial)]
    results = best_first({(result.sweep, result.trial.id): result for result in by_trial}.values())
    names, metrics = differing(results), compared_metrics(results)
    rows = [_cells(result, names, metrics, has_sweep=len(standings) > 1) for result in results]
    console().print(rich_table(rows, _title(results), fold=names))
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        write_text(options.out / "compare.csv", as_csv([_row(result, names) for result in results]))
        write_text(options.out / "compare.html", page(results, list(standings.values())))
        print(f"Written: {options.out / 'compare.csv'} and {options.out / 'compare.html'}")
    return 0


def best_first(results: Any) -> list[Result]:
    """By the metric of the sweeps; where sweeps have several, each by its own."""
    return sorted(
        results,
        key=lambda one: (one.metric, one.best is None, -(one.best or 0.0) if one.mode == "max" else one.best or 0.0),
    )


def _title(results: list[Result]) -> str:
    sweeps = dict.fromkeys(result.sweep for result in results)
    return f"{len(results)} trials of {', '.join(sweeps)}, best first"


def _cells(result: Result, names: list[str], metrics: list[str], has_sweep: bool) -> Cells:
    sweep = [("sweep", result.sweep, False)] if has_sweep else []
    trial = result.trial
    return [
        *sweep,
        ("trial", trial.id, False),
        *((name, text_of(parameter(result, name)), False) for name in names),
        ("state", trial.status, False),
        ("best", number(trial.best), True),
        *((metric.replace("/", " "), number(result.metrics.get(metric)), True) for metric in metrics),
        ("time", duration(trial.seconds), True),
        ("GPU-h", hours(gpu_hours(trial)), True),
        ("core-h", hours(core_hours(trial)), True),
    ]


def text_of(value: Any) -> str:
    """A setting as it is shown: drawn numbers rounded, none as a dash."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return "-" if value is None else value if isinstance(value, str) else json.dumps(value)


def _row(result: Result, names: list[str]) -> dict[str, Any]:
    row = result.row()
    settings = {name: parameter(result, name) for name in names}
    first = {name: row.pop(name) for name in ("sweep", "trial", "status")}
    return first | settings | {name: value for name, value in row.items() if name not in settings}
