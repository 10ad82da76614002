"""The table that stands on a terminal while a sweep runs, as wide as there is room."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from jack_ray.contract.colours import BLUE, GREEN, PURPLE, VERMILION
from jack_ray.contract.pace import Pace
from jack_ray.place.entry import Entry, Goal
from jack_ray.place.words import duration, number, settings, short

STYLES = {
    "running": "bold", "finished": GREEN, "stopped": BLUE, "failed": VERMILION, "killed": PURPLE, "new": "dim",
}  # fmt: skip
"""Colours that are told apart with every kind of colour vision; words and signs say the same."""
SIGNS = {"running": "▶", "waiting": "…", "finished": "✔", "stopped": "■", "failed": "✘", "killed": "‖", "new": "·"}
PLAIN_SIGNS = {
    "running": ">", "waiting": ".", "finished": "+", "stopped": "#", "failed": "x", "killed": "=", "new": ".",
}  # fmt: skip
_ORDER = {"running": 0, "finished": 1, "stopped": 2, "failed": 3, "killed": 4, "new": 5}
OVER = ("finished", "stopped", "failed")
BAR_WIDTH = 12
MAX_STATUS = 22
LEFT_WIDTH, BEST_WIDTH = 7, 8
GAP = 3
"""Columns between two of the table."""


@dataclass(frozen=True)
class View:
    """The terminal."""

    width: int
    height: int
    is_plain: bool = False
    """Whether it shows only ASCII."""


def live(entries: Sequence[Entry], goal: Goal, total: int, view: View, warning: str = "") -> RenderableType:
    """The whole sweep in a line, and its trials below: those that run first, as many as there is room for."""
    shown = sorted(entries, key=lambda entry: (entry.handle is None, _ORDER[entry.state.status]))
    room = max(4, view.height - 7)
    parts: list[RenderableType] = [_head(entries, total, view)]
    if warning:
        parts.append(Text(warning, style=VERMILION))
    parts.append(_table(shown[:room], goal, view, best_of(entries, goal)))
    if len(shown) > room:
        parts.append(Text(f" {len(shown) - room} more trials", style="dim"))
    return Group(*parts)


def best_of(entries: Sequence[Entry], goal: Goal) -> Entry | None:
    """The trial with the best number so far; of equal ones the first."""
    known = [entry for entry in entries if entry.best is not None]
    sign = 1 if goal.mode == "max" else -1
    return max(known, key=lambda entry: sign * (entry.best or 0.0), default=None)


def sweep_left_s(entries: Sequence[Entry], total: int) -> float | None:
    """Seconds until the last trial ends; None while that is unknown."""
    running = [entry for entry in entries if entry.handle is not None and not entry.is_waiting]
    done = sum(entry.state.status in OVER for entry in entries)
    finished_s = [entry.seconds() for entry in entries if entry.state.status == "finished"]
    waiting = max(0, total - done - len(running))
    return Pace([(entry.seconds(), entry.left_s()) for entry in running], finished_s, waiting).left_s


def summary(entries: Sequence[Entry], total: int) -> str:
    """`3 of 8 trials done, 1 failed, about 4:10 left`."""
    done = sum(entry.state.status in OVER for entry in entries)
    failed = sum(entry.state.status == "failed" for entry in entries)
    left_s = sweep_left_s(entries, total)
    parts = [f"{done} of {total} trials done", *([f"{failed} failed"] if failed else [])]
    return ", ".join([*parts, *([f"about {duration(left_s)} left"] if left_s is not None else [])])


def _head(entries: Sequence[Entry], total: int, view: View) -> RenderableType:
    shares = [1.0 if entry.state.status in OVER else _share(entry) for entry in entries]
    share = sum(shares) / max(1, total)
    grid = Table.grid(padding=(0, 2))
    width = min(2 * BAR_WIDTH, view.width // 5)
    bar = ProgressBar(1.0, share, width=width, complete_style=BLUE, finished_style=GREEN)
    grid.add_row(bar, Text(f"{100 * share:.0f}%", style="bold"), Text(summary(entries, total), style="bold"))
    return grid


def _share(entry: Entry) -> float:
    return entry.step / max(1, entry.total_steps)


@dataclass(frozen=True)
class Shown:
    """What there is room for. The fields are given up in their order."""

    groups: bool
    """Whether settings are shown with the names of their groups: train.lr."""
    metric: bool
    """Whether the head of the best number says which number it is."""
    costs: bool
    """Loss and time."""
    bars: bool
    status: bool
    """What goes on, in words; a sign stays."""

    def head(self, goal: Goal) -> str:
        """Of the best number."""
        return f"best {goal.metric.replace('/', ' ')}" if self.metric else "best"

    def settings(self, entry: Entry) -> str:
        """Of a trial."""
        text = settings(entry) or "-"
        return text if self.groups else short(text)


def fitting(entries: Sequence[Entry], goal: Goal, width: int) -> Shown:
    """The most that stands on one line for each trial; the least where nothing does."""
    shown = Shown(False, False, False, False, False)
    for given_up in range(6):
        shown = Shown(*(place >= given_up for place in range(5)))
        widths = [max((2 + len(entry.trial.id) for entry in entries), default=5), LEFT_WIDTH]
        widths += [max((len(shown.settings(entry)) for entry in entries), default=8)]
        widths += [max((len(_step(entry)) for entry in entries), default=4), max(len(shown.head(goal)), BEST_WIDTH)]
        widths += [LEFT_WIDTH, LEFT_WIDTH] if shown.costs else []
        widths += [BAR_WIDTH] if shown.bars else []
        widths += [min(MAX_STATUS, max((len(_words(entry)) for entry in entries), default=6))] if shown.status else []
        if sum(widths) + GAP * len(widths) <= width:
            break
    return shown


def _words(entry: Entry) -> str:
    return (entry.phase if entry.handle is not None else entry.state.status).partition(":")[0]


def _step(entry: Entry) -> str:
    return f"{entry.step}/{entry.total_steps}"


def _table(entries: Sequence[Entry], goal: Goal, view: View, best: Entry | None) -> Table:
    shown = fitting(entries, goal, view.width)
    made = Table(pad_edge=False, box=SIMPLE_HEAD)
    made.add_column("trial", no_wrap=True)
    made.add_column("settings", overflow="fold")
    if shown.status:
        made.add_column("status", no_wrap=True, max_width=MAX_STATUS, overflow="ellipsis")
    if shown.bars:
        made.add_column("", no_wrap=True, width=BAR_WIDTH)
    made.add_column("step", justify="right", no_wrap=True)
    made.add_column(shown.head(goal), justify="right", no_wrap=True)
    if shown.costs:
        made.add_column("loss", justify="right", no_wrap=True)
        made.add_column("time", justify="right", no_wrap=True)
    made.add_column("left", justify="right", no_wrap=True)
    for entry in entries:
        made.add_row(*_row(entry, shown, view.is_plain, entry is best))
    return made


def _row(entry: Entry, shown: Shown, is_plain: bool, is_best: bool) -> list[RenderableType]:
    kind = "waiting" if entry.is_waiting else "running" if entry.handle is not None else entry.state.status
    style = STYLES.get(kind, "dim")
    sign = (PLAIN_SIGNS if is_plain else SIGNS)[kind]
    star = ("*" if is_plain else "★") if is_best else " "
    cells: list[RenderableType] = [Text(f"{sign} {entry.trial.id}", style=style), escape(shown.settings(entry))]
    cells += [Text(_words(entry), style=style)] if shown.status else []
    cells += [_bar(entry)] if shown.bars else []
    cells += [_step(entry), Text(f"{number(entry.best)} {star}", style="bold" if is_best else "")]
    if shown.costs:
        cells += [number(entry.latest.get("train/total")), duration(entry.seconds())]
    return [*cells, duration(entry.left_s())]


def _bar(entry: Entry) -> RenderableType:
    over = STYLES[entry.state.status] if entry.handle is None and entry.state.status in OVER else BLUE
    return ProgressBar(1.0, _share(entry), width=BAR_WIDTH, complete_style=over, finished_style=over)
