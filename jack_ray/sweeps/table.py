"""A sweep as a table: on a terminal, in a file, in a notebook."""

import html
import io
import re
import sys
import time
from collections.abc import Iterable, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from jack_ray.contract.status import TrialStatus
from jack_ray.sweeps.standing import Standing
from jack_ray.sweeps.words import ago, duration, hours, memory, number, plural, when

PLAIN_WIDTH = 320
"""Columns of a table that goes to a file."""

_STYLES = {
    "running": "bold", "finished": "green", "stopped": "cyan", "failed": "red", "killed": "yellow", "died": "red",
    "paused": "magenta", "waiting": "dim", "new": "dim",
}  # fmt: skip
_LONG_NUMBER = re.compile(r"\d+\.\d{6,}(e[+-]?\d+)?")
_ORDER = ("running", "paused", "waiting", "finished", "stopped", "failed", "killed")

Cells = list[tuple[str, str, bool]]
"""Heading, text, whether it is a number: one row."""


def console() -> Console:
    """Where tables go: as wide as the terminal, or as a file's lines may be."""
    return Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH, highlight=False, soft_wrap=False)


def settings(overrides: Iterable[str]) -> str:
    """What a trial sets, drawn numbers rounded."""
    return " ".join(_LONG_NUMBER.sub(lambda found: f"{float(found[0]):.4g}", text) for text in overrides)


def state_of(trial: TrialStatus, standing: Standing) -> str:
    """What a trial does, in a word or a few; of a dead driver's trials nothing goes on."""
    if trial.status == "killed" and standing.is_alive and trial.message:
        return trial.message  # paused, or set aside for a more important sweep: it will go on
    if trial.status != "running" or not standing.is_alive:
        return "killed" if trial.status == "running" else trial.status
    return trial.phase or trial.status


def trial_cells(trial: TrialStatus, standing: Standing) -> Cells:
    """One trial of a sweep."""
    metric = standing.status.metric
    gpus = f"{trial.gpus:g}" if trial.gpus else "-"
    epoch = trial.epoch if trial.epoch is not None else trial.latest.get("train/epoch")
    node = trial.nodes[0] if trial.nodes else "-"
    more = f" +{len(trial.nodes) - 1}" if len(trial.nodes) > 1 else ""
    return [
        ("trial", trial.id, False),
        ("settings", settings(trial.overrides) or "-", False),
        ("state", state_of(trial, standing), False),
        ("step", f"{trial.step}/{trial.steps}", True),
        ("epoch", "-" if epoch is None else f"{epoch:g}", True),
        (metric.replace("/", " ") or "metric", number(trial.latest.get(metric)), True),
        ("best", number(trial.best), True),
        ("time", duration(trial.seconds), True),
        ("ETA", duration(trial.left_s if standing.is_alive else None), True),
        ("node", f"{node}{more}", False),
        ("GPU", gpus, True),
        ("memory", memory(trial.memory_mb), True),
    ]


def sweep_cells(standing: Standing) -> Cells:
    """One sweep of the list."""
    best = standing.best
    return [
        ("sweep", standing.id, False),
        ("name", standing.status.name, False),
        ("state", standing.state, False),
        ("trials", f"{standing.done}/{standing.status.total}", True),
        ("metric", standing.status.metric.replace("/", " "), False),
        ("best", number(best.best if best else None), True),
        ("GPU-hours", hours(standing.gpu_hours), True),
        ("core-hours", hours(standing.core_hours), True),
        ("began", when(standing.status.began), False),
    ]


def title(standing: Standing) -> str:
    """The sweep in one line."""
    status = standing.status
    failed = sum(trial.status == "failed" for trial in standing.trials)
    parts = [f"{status.name} ({standing.id}): {standing.state}"]
    parts.append(f"{standing.done} of {plural(status.total, 'trial')} done")
    parts += [f"{failed} failed"] if failed else []
    parts += [f"about {duration(standing.left_s)} left"] if standing.left_s is not None else []
    used = [f"{hours(value)} {unit}" for value, unit in _used(standing) if value]
    parts += [" and ".join(used)] if used else []
    return ", ".join(parts)


def _used(standing: Standing) -> list[tuple[float, str]]:
    return [(standing.gpu_hours, "GPU-hours"), (standing.core_hours, "core-hours")]


def below(standing: Standing) -> list[str]:
    """What stands under the table."""
    status = standing.status
    lines = [status.message] if status.message else []
    if standing.state == "died":
        lines.append(f"Its driver ({status.driver_host}, process {status.driver_pid}) is gone, last heard of "
                     f"{ago(time.time() - status.changed)} ago. Go on with: {standing.again}")  # fmt: skip
    elif standing.state in ("stopped", "killed") and standing.done < status.total:
        lines.append(f"Go on with: {standing.again}")
    return lines


def ordered(standing: Standing) -> list[TrialStatus]:
    """Those that run first, then those to come, then the ended, best first."""
    ranks = {trial.id: place for place, trial in enumerate(standing.ranked)}
    states = {name: place for place, name in enumerate(_ORDER)}
    return sorted(standing.trials, key=lambda trial: (states.get(trial.status, len(states)), ranks[trial.id]))


def rich_table(rows: Sequence[Cells], heading: str = "", fold: Sequence[str] = ("settings", "name", "state")) -> Table:
    """Rows with the same headings as a table; only the columns of `fold` may be broken into several lines."""
    made = Table(
        title=escape(heading) or None, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False
    )
    for name, _, is_number in rows[0] if rows else []:
        justify = "right" if is_number else "left"
        made.add_column(escape(name), justify=justify, no_wrap=name not in fold, overflow="fold")  # type: ignore[arg-type]
    for row in rows:
        state = next((text for name, text, _ in row if name == "state"), "")
        made.add_row(*(escape(text) for _, text, _ in row), style=_STYLES.get(state))
    return made


def sweep_table(standing: Standing, limit: int | None = None) -> Table:
    """The trials of a sweep; limit: how many rows there is room for."""
    trials = ordered(standing)
    rows = [trial_cells(trial, standing) for trial in trials[:limit]]
    more = f" (the first {limit} are shown)" if limit is not None and len(trials) > limit else ""
    return rich_table(rows, title(standing) + more)


def as_text(standing: Standing) -> str:
    """The table as text."""
    written = io.StringIO()
    plain = Console(file=written, width=PLAIN_WIDTH, highlight=False)
    plain.print(sweep_table(standing))
    return "\n".join([written.getvalue().rstrip(), *below(standing)])


def as_html(standing: Standing) -> str:
    """The table as HTML, for notebooks."""
    rows = [trial_cells(trial, standing) for trial in ordered(standing)]
    head = "".join(f"<th>{html.escape(name)}</th>" for name, _, _ in (rows[0] if rows else []))
    body = "".join(f"<tr>{''.join(f'<td>{html.escape(text)}</td>' for _, text, _ in row)}</tr>" for row in rows)
    under = "".join(f"<p>{html.escape(line)}</p>" for line in below(standing))
    return f"<p><b>{html.escape(title(standing))}</b></p><table><tr>{head}</tr>{body}</table>{under}"
