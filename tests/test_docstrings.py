"""Everything public says what it is for."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

Documented = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def missing(path: str, text: str) -> list[str]:
    """The public modules, classes, functions and methods without a docstring."""
    tree = ast.parse(text)
    found = [] if ast.get_docstring(tree) else [path]
    for name, node in _public(tree):
        if not ast.get_docstring(node):
            found.append(f"{path}:{node.lineno} {name}")
    return found


def _public(tree: ast.Module | ast.ClassDef, prefix: str = "") -> Iterator[tuple[str, Documented]]:
    for node in tree.body:
        if not isinstance(node, Documented) or node.name.startswith("_") or _is_overload(node):
            continue
        yield f"{prefix}{node.name}", node
        if isinstance(node, ast.ClassDef):
            yield from _public(node, f"{prefix}{node.name}.")


def _is_overload(node: Documented) -> bool:
    return any(isinstance(one, ast.Name) and one.id == "overload" for one in node.decorator_list)


def test_everything_public_has_a_docstring() -> None:
    modules = sorted((ROOT / "jack_ray").rglob("*.py"))
    found = [
        name
        for path in modules
        if path.read_text("utf-8").strip()
        for name in missing(str(path.relative_to(ROOT)), path.read_text("utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x = 1", ["m.py"]),
        ('"""M."""\ndef f(): ...', ["m.py:2 f"]),
        ('"""M."""\nclass A:\n    """A."""\n    def g(self): ...\n    def _h(self): ...', ["m.py:4 A.g"]),
        ('"""M."""\ndef f():\n    """F."""', []),
    ],
)
def test_what_lacks_a_docstring_is_named(text: str, told: list[str]) -> None:
    assert missing("m.py", text) == told
