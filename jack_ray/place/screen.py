"""What a sweep looks like while it runs and when it has ended."""

import sys
import time
from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from jack_ray.contract.repeats import spreads
from jack_ray.place.entry import WAITING, Entry, Goal
from jack_ray.place.live_table import OVER, STYLES, View, best_of, live, summary
from jack_ray.place.words import duration, number, settings

PLAIN_WIDTH = 120
"""Columns of a table that goes to a file."""


def ranked(entries: Sequence[Entry], goal: Goal) -> list[Entry]:
    """Best first; trials without a number last."""
    sign = -1.0 if goal.mode == "max" else 1.0
    return sorted(entries, key=lambda entry: (entry.best is None, sign * (entry.best or 0.0), entry.point.number))


def table(entries: Sequence[Entry], goal: Goal, title: str) -> Table:
    """The trials as a table, when they have ended."""
    made = Table(title=title, title_justify="left", title_style="bold", pad_edge=False, box=SIMPLE_HEAD)
    made.add_column("trial", no_wrap=True)
    made.add_column("settings", overflow="fold")
    made.add_column("status", min_width=8)
    made.add_column("step", justify="right", no_wrap=True)
    made.add_column(f"best {goal.metric.replace('/', ' ')}", justify="right")
    tests = sorted({name for entry in entries for name in entry.state.values if name == _test_name(goal)})
    for name in tests:
        made.add_column(name.replace("/", " "), justify="right")
    made.add_column("loss", justify="right")
    made.add_column("time", justify="right", no_wrap=True)
    best = best_of(entries, goal)
    for entry in entries:
        made.add_row(*_row(entry, tests), style="bold" if entry is best else None)
    return made


def _test_name(goal: Goal) -> str:
    return "test/" + goal.metric.partition("/")[2]


def _row(entry: Entry, tests: Sequence[str]) -> list[RenderableType]:
    status = Text(entry.state.status, style=STYLES[entry.state.status])
    cells: list[RenderableType] = [entry.trial.id, escape(settings(entry)) or "-", status]
    cells += [f"{entry.step}/{entry.total_steps}", number(entry.best)]
    cells += [number(entry.state.values.get(name)) for name in tests]
    return [*cells, number(entry.latest.get("train/total")), duration(entry.seconds())]


class Screen:
    """A live table on a terminal, one line a change elsewhere.

    again_s: seconds after which a line about a trial that waits or compiles is said again.
    """

    def __init__(self, goal: Goal, total: int, again_s: float, plain: bool | None = None) -> None:
        self.goal = goal
        self.again_s = again_s
        self.total = total
        self.plain = plain if plain is not None else not sys.stdout.isatty()
        self.console = Console(width=PLAIN_WIDTH if self.plain else None)
        self._live = None if self.plain else Live(console=self.console, refresh_per_second=4, transient=True)
        self._said: dict[str, str] = {}
        self._said_at: dict[str, float] = {}
        self._warned = ""
        if self._live is not None:
            self._live.start()

    def say(self, text: str) -> None:
        """A line that stays."""
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)

    def show(self, entries: Sequence[Entry], warning: str = "") -> None:
        """Draw the trials as they stand."""
        if self._live is None:
            for entry in entries:
                self._say_changes(entry, entries)
            if warning and warning != self._warned:
                self.say(warning)
            self._warned = warning
            return
        size, is_plain = self.console.size, not self.console.encoding.startswith("utf")
        view = View(size.width, size.height, is_plain)
        self._live.update(live(entries, self.goal, self.total, view, warning))

    def _say_changes(self, entry: Entry, entries: Sequence[Entry]) -> None:
        words = entry.phase if entry.handle is not None else entry.state.status
        evaluated = self.goal.metric in entry.latest and f"{self.goal.metric}={number(entry.latest[self.goal.metric])}"
        kind = words.partition(",")[0]
        text = f"{kind} {evaluated or ''}"
        now = time.monotonic()
        is_long = kind.startswith(("compiling", WAITING)) and entry.handle is not None
        is_due = is_long and now - self._said_at.get(entry.trial.id, 0.0) > self.again_s
        if self._said.get(entry.trial.id) == text and not is_due:
            return
        self._said[entry.trial.id] = text
        self._said_at[entry.trial.id] = now
        numbers = f" step {entry.step}/{entry.total_steps} {evaluated}" if evaluated else ""
        left_s = entry.left_s()
        numbers += f", {duration(left_s)} left" if evaluated and left_s else ""
        name = " ".join([entry.trial.id, *([settings(entry)] if entry.point.overrides else [])])
        whole = f"; {summary(entries, self.total)}" if entry.handle is None and entry.state.status in OVER else ""
        self.say(f"{time.strftime('%H:%M:%S')} {name}: {words}{numbers}{whole}")

    def close(self) -> None:
        """Take the live table away."""
        if self._live is not None:
            self._live.stop()
            self._live = None
            self.plain = True

    def spreads(self, entries: Sequence[Entry]) -> None:
        """Mean and standard deviation over the finished trials, of their last numbers."""
        finals = [entry.state.values for entry in entries if entry.state.status == "finished"]
        made = Table(title=f"Mean of {len(finals)} trials", title_justify="left", title_style="bold", box=SIMPLE_HEAD)
        for heading in ("number", "mean", "standard deviation"):
            made.add_column(heading, justify="left" if heading == "number" else "right")
        for name, spread in spreads(finals).items():
            made.add_row(name.replace("/", " "), number(spread.mean), number(spread.deviation))
        if made.row_count:
            self.console.print(made)

    def result(self, entries: Sequence[Entry]) -> None:
        """The final table, best first, and why trials failed."""
        self.close()
        self.console.print(table(ranked(entries, self.goal), self.goal, "Trials, best first"))
        for entry in entries:
            if entry.state.status == "failed":
                logs = entry.folder.log(0).parent
                self.say(f"{entry.trial.id} failed: {entry.state.message}\n    Logs of its ranks: {logs}")
