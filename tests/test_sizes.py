"""How large things may grow: a module 300 lines, a function 40 lines, 6 arguments and 3 levels of indentation."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

MODULE_LINES = 300
FUNCTION_LINES = 40
ARGUMENTS = 6
DEPTH = 3

LONGER = {"jack_ray/train/loop.py:fit": 80}
"""A training loop is read in one piece."""

Function = ast.FunctionDef | ast.AsyncFunctionDef
BLOCKS = (ast.If, ast.For, ast.While, ast.With, ast.Try, ast.Match, ast.AsyncFor, ast.AsyncWith)


def modules() -> list[Path]:
    """Every source file of the package."""
    return sorted((ROOT / "jack_ray").rglob("*.py"))


def functions(text: str) -> Iterator[Function]:
    """Every function and method, nested ones too."""
    return (node for node in ast.walk(ast.parse(text)) if isinstance(node, Function))


def length(function: Function) -> int:
    """Lines from `def` to the end, the docstring counted."""
    return (function.end_lineno or 0) - function.lineno + 1


def num_arguments(function: Function) -> int:
    """Arguments besides self and cls."""
    given = function.args
    named = [argument.arg for argument in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    named += [argument.arg for argument in (given.vararg, given.kwarg) if argument is not None]
    return sum(name not in ("self", "cls") for name in named)


def depth(statements: list[ast.stmt]) -> int:
    """Levels of blocks; `elif` stays on the level of its `if`."""
    return max((_depth_of(statement) for statement in statements), default=0)


def _depth_of(statement: ast.stmt) -> int:
    if not isinstance(statement, BLOCKS):
        return 0
    inner: list[ast.stmt] = []
    chained: list[ast.stmt] = []
    for name in ("body", "finalbody"):
        inner += getattr(statement, name, [])
    for handler in getattr(statement, "handlers", []):
        inner += handler.body
    for case in getattr(statement, "cases", []):
        inner += case.body
    rest = getattr(statement, "orelse", [])
    is_elif = isinstance(statement, ast.If) and len(rest) == 1 and isinstance(rest[0], ast.If)
    (chained if is_elif else inner).extend(rest)
    return max(1 + depth(inner), depth(chained))


def faults(path: str, text: str) -> list[str]:
    """One line for everything in a source file that is too large."""
    found = []
    if (lines := len(text.splitlines())) > MODULE_LINES:
        found.append(f"{path}: {lines} lines")
    for function in functions(text):
        where = f"{path}:{function.name}"
        if (lines := length(function)) > LONGER.get(where, FUNCTION_LINES):
            found.append(f"{where}: {lines} lines")
        if (count := num_arguments(function)) > ARGUMENTS:
            found.append(f"{where}: {count} arguments")
        if (levels := depth(function.body)) > DEPTH:
            found.append(f"{where}: {levels} levels")
    return found


def test_nothing_in_the_package_is_too_large() -> None:
    found = [fault for path in modules() for fault in faults(str(path.relative_to(ROOT)), path.read_text("utf-8"))]
    assert found == []


NESTED = """
def deep(a):
    for x in a:
        if x:
            with x:
                try:
                    pass
                finally:
                    pass
"""
CHAIN = """
def chain(a):
    if a == 1:
        pass
    elif a == 2:
        pass
    elif a == 3:
        pass
    elif a == 4:
        pass
"""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x = 1\n" * 301, "m.py: 301 lines"),
        ("def long():\n" + "    x = 1\n" * 40, "m.py:long: 41 lines"),
        ("class A:\n    def wide(self, a, b, c, d, e, f, *g):\n        pass", "m.py:wide: 7 arguments"),
        (NESTED, "m.py:deep: 4 levels"),
    ],
)
def test_what_is_too_large_is_named(text: str, told: str) -> None:
    assert faults("m.py", text) == [told]


@pytest.mark.parametrize("text", [CHAIN, "def f(self, a, b, c, d, e, f): pass", "def long():\n" + "    x = 1\n" * 39])
def test_what_is_just_small_enough_passes(text: str) -> None:
    assert faults("m.py", text) == []
