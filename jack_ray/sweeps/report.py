"""The page of a comparison: one HTML file with table, parallel coordinates and curves, which needs nothing else."""

import html
import time
from collections.abc import Sequence
from pathlib import Path

from jack_ray.contract.paths import TrialFolder
from jack_ray.sweeps.plots import Column, Line, curves, parallel
from jack_ray.sweeps.results import Curves, Result, compared_metrics, differing, parameter, read_curves
from jack_ray.sweeps.scales import colours
from jack_ray.sweeps.standing import Standing, core_hours, gpu_hours
from jack_ray.sweeps.table import settings
from jack_ray.sweeps.words import duration, hours, number, plural, when

MAX_DRAWN = 60
"""Trials whose curves are drawn, the best ones; more cannot be told apart, and make a page slow."""
MAX_CURVES = 13
NO_RESULTS = ("train/epoch", "train/lr")
"""Numbers that follow from the settings."""
_FOLDER = Path(__file__).parent


def page(results: Sequence[Result], standings: Sequence[Standing]) -> str:
    """The whole page; results: best first."""
    lines = _lines(results)
    names = differing(results)
    parts = [_head(results, standings), _best(results)]
    if len(results) > 1 and names:
        parts.append("<h2>Settings and result</h2>" + _legend(results) + parallel(lines, _columns(results, names)))
    parts += ["<h2>Trials</h2>", _table(results, lines, names), *_curves(results, lines)]
    style, script = ((_FOLDER / name).read_text("utf-8") for name in ("page.css", "page.js"))
    title = html.escape(", ".join(standing.status.name for standing in standings))
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{style}</style></head>\n'
        f'<body><main>{"".join(parts)}</main><div id="tip"></div><script>{script}</script></body></html>\n'
    )


def _lines(results: Sequence[Result]) -> list[Line]:
    is_more_better = not results or results[0].mode == "max"
    found = colours([result.best for result in results], is_more_better)
    return [
        Line(index, f"{result.trial.id} {settings(result.trial.overrides)}".strip(), found[index])
        for index, result in enumerate(results)
    ]


def _head(results: Sequence[Result], standings: Sequence[Standing]) -> str:
    told = []
    for standing in standings:
        used = [f"{hours(standing.gpu_hours)} GPU-hours"] if standing.gpu_hours else []
        words = [standing.state, f"{standing.done} of {plural(standing.status.total, 'trial')} done",
                 f"began {when(standing.status.began)}", *used, f"{hours(standing.core_hours)} core-hours"]  # fmt: skip
        name = f"<b>{html.escape(standing.status.name)}</b> <code>{html.escape(standing.id)}</code>"
        told.append(f"<li>{name} {html.escape(', '.join(words))}</li>")
    made = time.strftime("%Y-%m-%d %H:%M")
    title = f"{plural(len(results), 'trial')} compared"
    return f'<h1>{title}</h1><ul class="sweeps">{"".join(told)}</ul><p class="made">written {made}</p>'


def _best(results: Sequence[Result]) -> str:
    if not results or results[0].best is None:
        return ""
    best = results[0]
    tests = [name for name in compared_metrics([best]) if name.startswith("test/")]
    cards = [(f"best {best.metric}", number(best.best)), *((name, number(best.metrics[name])) for name in tests)]
    cards += [("trial", best.trial.id), ("settings", settings(best.trial.overrides) or "as configured")]
    shown = "".join(
        f'<div class="{name}"><span>{html.escape(name)}</span><b>{html.escape(text)}</b></div>' for name, text in cards
    )
    return f'<section class="cards">{shown}</section>'


def _legend(results: Sequence[Result]) -> str:
    if len(results) <= len(set(_colours_of(results))) and len(results) <= 8:
        return ""
    numbers = [result.best for result in results if result.best is not None]
    if not numbers:
        return ""
    ends = (min(numbers), max(numbers)) if results[0].mode == "max" else (max(numbers), min(numbers))
    words = html.escape(results[0].metric)
    return f'<p class="scale">{words} {number(ends[0])} <i></i> {number(ends[1])}</p>'


def _colours_of(results: Sequence[Result]) -> list[str]:
    return colours([result.best for result in results], True)


def _columns(results: Sequence[Result], names: Sequence[str]) -> list[Column]:
    columns = [Column(name, [parameter(result, name) for result in results]) for name in names]
    metric = f"best {results[0].metric}"
    return [*columns, Column(metric, [result.best for result in results], is_goal=True)]


def _table(results: Sequence[Result], lines: Sequence[Line], names: Sequence[str]) -> str:
    metrics = compared_metrics(results)
    heads = ["trial", *names, "state", "best", *metrics, "steps", "time", "GPU-h", "core-h"]
    rows = []
    for result, line in zip(results, lines, strict=True):
        trial = result.trial
        cells = [(_plain(parameter(result, name)), parameter(result, name)) for name in names]
        cells += [(trial.status, trial.status), (number(trial.best), trial.best)]
        cells += [(number(result.metrics.get(name)), result.metrics.get(name)) for name in metrics]
        cells += [(f"{trial.step}/{trial.steps}", trial.step), (duration(trial.seconds), trial.seconds)]
        cells += [(hours(value), value) for value in (gpu_hours(trial), core_hours(trial))]
        chip = f'<td data-value="{line.trial}"><i style="background:{line.colour}"></i>{html.escape(trial.id)}</td>'
        rest = "".join(f'<td data-value="{html.escape(str(value))}">{html.escape(text)}</td>' for text, value in cells)
        rows.append(f'<tr data-trial="{line.trial}">{chip}{rest}</tr>')
    head = "".join(f"<th>{html.escape(name)}</th>" for name in heads)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def _plain(value: object) -> str:
    return number(value) if isinstance(value, float) else "-" if value is None else str(value)


def _curves(results: Sequence[Result], lines: Sequence[Line]) -> list[str]:
    drawn = list(zip(results, lines, strict=True))[:MAX_DRAWN]
    read = [read_curves(TrialFolder(Path(result.folder))) for result, _ in drawn]
    names = _curve_names(results, read)
    if not names:
        return []
    few = f" of the best {MAX_DRAWN}" if len(results) > MAX_DRAWN else ""
    parts = [f"<h2>Curves{few}</h2>"]
    for index, name in enumerate(names):
        some = [(line, found[name]) for (_, line), found in zip(drawn, read, strict=True) if name in found]
        parts.append(curves(name, [line for line, _ in some], [series for _, series in some], is_large=index == 0))
    return [parts[0], f'<div class="figures">{"".join(parts[1:])}</div>']


def _curve_names(results: Sequence[Result], read: Sequence[Curves]) -> list[str]:
    """The sweeps' metric first, then the loss, then the others; those with a single point are no curves."""
    goals = dict.fromkeys(result.metric for result in results)
    known = dict.fromkeys(name for found in read for name, series in found.items() if len(series) > 1)
    wanted = dict.fromkeys([*goals, "train/total", *sorted(known, key=lambda name: (name.startswith("train/"), name))])
    return [name for name in wanted if name in known and name not in NO_RESULTS][:MAX_CURVES]
