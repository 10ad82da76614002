"""What goes into a model: the code that answers, no more, and all that it imports."""

import sys
from pathlib import Path

import pytest

from jack_ray.registry import package
from jack_ray.registry.notes import notes_of
from tests.test_layers import BEYOND_THE_WALL, reach, sources

WHEELS = {"PIL": "pillow", "jittor_utils": "jittor"}
METHODS = sorted(path.parent.name for path in Path(package.__file__).parents[1].glob("methods/*/predict.py"))


def answering() -> list[str]:
    """The modules that answering starts from: loaders and, by name, the methods' parts."""
    named = [f"methods.{method}.{part}" for method in METHODS for part in ("predict", "model", "config")]
    return ["served.model", "train.serve", *named]


def test_every_library_that_answering_imports_is_required() -> None:
    known = sources()
    for module in answering():
        libraries = set(reach(module, known)) - set(sys.stdlib_module_names)
        assert {WHEELS.get(name, name) for name in libraries} <= set(package.NEEDED), module


def test_what_answers_knows_neither_ray_nor_hydra() -> None:
    known = sources()
    for module in answering():
        assert (BEYOND_THE_WALL - {"mlflow"}).isdisjoint(reach(module, known)), module


def test_requirements_are_pinned_and_all_are_dependencies_of_jack_ray() -> None:
    lines = package.requirements()
    assert [line.partition("==")[0] for line in lines] == list(package.NEEDED)
    assert all(line.partition("==")[2] for line in lines)


def test_the_copy_of_the_code_holds_what_answers_and_no_golden_numbers(tmp_path: Path) -> None:
    copy = package.copy_code(tmp_path)
    assert sorted(path.name for path in copy.iterdir()) == sorted(["__init__.py", *package.PARTS])
    names = {path.name for path in copy.rglob("*")}
    assert "golden" not in names
    assert "__pycache__" not in names
    assert {"serve.py", "model.py", "notes.toml"} <= names


@pytest.mark.parametrize("method", METHODS)
def test_every_method_says_where_it_comes_from(method: str) -> None:
    notes = notes_of(method)
    assert notes.source.startswith("https://")
    assert notes.limits
    assert notes.data
    assert not Path(notes.input_example).is_absolute()
