"""How far it is: a bar on a terminal, a line every tenth (or hundred) elsewhere."""

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

T = TypeVar("T")


def shown(items: Iterable[T], total: int | None, words: str) -> Iterator[T]:
    """The items, each counted when it comes. total: how many there will be; None if nobody knows."""
    return _with_bar(items, total, words) if sys.stdout.isatty() else _with_lines(items, total, words)


def _with_bar(items: Iterable[T], total: int | None, words: str) -> Iterator[T]:
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn()
    )  # fmt: skip
    with Progress(*columns, console=Console(), transient=True) as progress:
        task = progress.add_task(words, total=total)
        for item in items:
            progress.advance(task)
            yield item


def _with_lines(items: Iterable[T], total: int | None, words: str) -> Iterator[T]:
    told = 0
    for number, item in enumerate(items, start=1):
        tenths = number // 100 if total is None else number * 10 // max(1, total)
        if tenths > told:
            told = tenths
            print(f"  {words}: {number}" + ("" if total is None else f" of {total}"), flush=True)
        yield item
