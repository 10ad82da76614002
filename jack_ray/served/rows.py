"""Paths -> rows of answers; a path that is not allowed or cannot be read spoils no other."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jack_ray.contract.errors import DataError
from jack_ray.served.root import confined, input_root

Row = dict[str, Any]

COLUMNS = ("input", "label", "probabilities", "segments", "error")


def columns(finds_segments: bool) -> tuple[str, ...]:
    """The table's columns."""
    return COLUMNS if finds_segments else tuple(name for name in COLUMNS if name != "segments")


def asked(inputs: Sequence[str], ask: Callable[[Sequence[str]], Sequence[Mapping[str, Any]]]) -> list[Row]:
    """A row for each input, in order, under the name that it was asked by.

    ask: answers for paths that are allowed; called in any case, since it also tells whether it can compute.
    """
    root = input_root()
    rows: list[Row] = [{"input": text} for text in inputs]
    allowed: list[Row] = []
    paths: list[str] = []
    for row in rows:
        try:
            paths.append(str(confined(row["input"], root)))
            allowed.append(row)
        except DataError as error:
            row["error"] = error.in_one_line()
    for row, answer in zip(allowed, ask(paths), strict=True):
        row |= {name: value for name, value in answer.items() if name != "input"}
    return rows


def table(rows: Sequence[Row], wanted: Sequence[str]) -> list[list[Any]]:
    """The values of the columns; None where a row has none."""
    return [[row.get(name) for name in wanted] for row in rows]
