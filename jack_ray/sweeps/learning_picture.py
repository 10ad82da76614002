"""How a trial learnt: its loss terms, the number that chooses the best checkpoint, and how large the steps were."""

import math
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from jack_ray.contract.colours import BLACK, BLUE, GREY, SERIES, VERMILION
from jack_ray.contract.files import replacing
from jack_ray.sweeps.plots import thinned
from jack_ray.sweeps.results import Curves, Result
from jack_ray.sweeps.scales import MANY_TIMES
from jack_ray.sweeps.table import settings
from jack_ray.sweeps.words import number

TOTAL, RATE, NORM = "train/total", "train/lr", "train/gradient_norm"
NO_TERMS = (TOTAL, RATE, NORM, "train/epoch")
MAX_TERMS = 7
Dash = str | tuple[int, tuple[int, ...]]
DASHES: tuple[Dash, ...] = (
    "-",
    "--",
    "-.",
    ":",
    (0, (5, 1)),
    (0, (3, 1, 1, 1)),
    (0, (1, 1)),
)
MANY = 150
"""Steps of more are drawn thin, with a mean over neighbours on top."""
MAX_TITLE = 90
SIZE = (9.4, 5.8)
"""inches"""
MARGINS = {"left": 0.098, "right": 0.985, "bottom": 0.092, "top": 0.868, "wspace": 0.27, "hspace": 0.15}
"""Shares of the picture, and of a plot. Two thirds of the time would go into finding out how little is enough."""

Series = Sequence[tuple[int, float]]


def draw(path: Path, result: Result, curves: Curves) -> bool:
    """Write a PNG; False, and none, for a trial without a number at two steps."""
    metric, terms = curves.get(result.metric, []), _terms(curves)
    steps = {name: curves[name] for name in (RATE, NORM) if name in curves}
    if len(curves.get(TOTAL, [])) < 2 and len(metric) < 2:
        return False
    figure = Figure(figsize=SIZE)
    FigureCanvasAgg(figure)
    upper, lower = figure.subplots(2, 2, sharex=True, height_ratios=(2.4, 1), gridspec_kw=MARGINS)
    _draw_losses(upper[0], curves.get(TOTAL, []), terms)
    _draw_metric(upper[1], result, metric)
    for axes, (name, words) in zip(lower, ((RATE, "learning rate"), (NORM, "norm of the gradient")), strict=True):
        _draw_one(axes, steps.get(name, []), words)
    words = f"{result.trial.id} {settings(result.trial.overrides)}".strip()
    state = f"{result.trial.status}, step {result.trial.step} of {result.trial.steps}"
    figure.suptitle(f"{words if len(words) <= MAX_TITLE else words[: MAX_TITLE - 1] + '…'}\n{state}", fontsize=12)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=110)
    return True


def _terms(curves: Curves) -> dict[str, Series]:
    names = [name for name in curves if name.startswith("train/") and name not in NO_TERMS]
    return {name.partition("/")[2]: curves[name] for name in names[:MAX_TERMS]}


def _draw_losses(axes: Axes, total: Series, terms: dict[str, Series]) -> None:
    looks = [(name, series, color, dash) for (name, series), color, dash
             in zip(terms.items(), (color for color in SERIES if color != BLACK), DASHES, strict=False)]  # fmt: skip
    for name, series, color, dash in [*looks, ("total", total, BLACK, "-")]:
        if len(series):
            _plot(axes, series, name, color, dash)
    values = [value for series in (total, *terms.values()) for _, value in series]
    axes.set_title("loss of a step, and its terms", fontsize=11)
    axes.set_ylabel("loss" + (", logarithmic" if _fit(axes, values) else ""))
    if values:
        axes.margins(y=0.2)
        axes.legend(fontsize=9, framealpha=0.85, ncols=2 + (len(looks) > 3), loc="upper right")


def _draw_metric(axes: Axes, result: Result, series: Series) -> None:
    axes.set_title("the number that trials are compared by", fontsize=11)
    axes.set_ylabel(result.metric.replace("/", " "))
    axes.grid(color="#dddddd", linewidth=0.6)
    if not series:
        axes.text(0.5, 0.5, "not evaluated", transform=axes.transAxes, ha="center", color="#555555")
        return
    axes.plot([step for step, _ in series], [value for _, value in series], "o-", color=BLUE, markersize=4)
    choose = max if result.mode == "max" else min
    step, value = choose(series, key=lambda point: point[1])
    axes.plot([step], [value], "*", color=VERMILION, markersize=15, markeredgecolor=BLACK,
              label=f"best {number(value)} at step {step}")  # fmt: skip
    tested = f"test/{result.metric.partition('/')[2]}"
    if tested in result.metrics:
        test = result.metrics[tested]
        axes.axhline(test, color=GREY, linestyle="--", linewidth=1.4, label=f"on the test split {number(test)}")
    axes.legend(fontsize=9, framealpha=0.85)


def _draw_one(axes: Axes, series: Series, words: str) -> None:
    if series:
        _plot(axes, series, words, BLUE)
    has_logarithm = _fit(axes, [value for _, value in series])
    axes.set_ylabel(words + (",\nlogarithmic" if has_logarithm else ""), fontsize=9)
    axes.set_xlabel("step")
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))


def _plot(axes: Axes, series: Series, name: str, color: str, dash: Dash = "-") -> None:
    """A line; of many steps a thin one, and a mean over neighbours on it."""
    steps, values = zip(*thinned(list(series)), strict=True)
    if len(series) > MANY:
        axes.plot(steps, values, color=color, linewidth=0.6, alpha=0.35)
        steps, values = zip(*thinned(_smoothed(series)), strict=True)
    dot, width = "o" if len(series) == 1 else "", 2.2 if color == BLACK else 1.4
    axes.plot(steps, values, marker=dot, linestyle=dash, color=color, linewidth=width, label=name)


def _smoothed(series: Series) -> list[tuple[int, float]]:
    """The mean over a fiftieth of the steps around each."""
    reach = len(series) // 100
    values = [value for _, value in series]
    windows = (values[max(0, place - reach) : place + reach + 1] for place in range(len(values)))
    return [(step, math.fsum(window) / len(window)) for (step, _), window in zip(series, windows, strict=True)]


def _fit(axes: Axes, values: Sequence[float]) -> bool:
    """A logarithmic axis where positive values differ by much; whether it is one."""
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    if values and min(values) == max(values) > 0:
        axes.set_ylim(0, 2 * values[0])
    if not values or min(values) <= 0 or max(values) / min(values) < MANY_TIMES:
        return False
    axes.set_yscale("log")
    return True
