import shlex
from dataclasses import dataclass
from typing import Any, Literal

import pytest

from jack_ray.contract.settings import as_typed, nearest, read, setting, type_name


@dataclass(frozen=True)
class Inner:
    depth: int = setting("how deep", ge=1)


@dataclass(frozen=True)
class Example:
    lr: float = setting("learning rate", gt=0)
    steps: int = setting("steps", unit="steps", ge=1, le=100)
    kind: Literal["adam", "sgd"] = setting("rule")
    betas: tuple[float, float] = setting("decays", ge=0, lt=1)
    milestones: tuple[int, ...] = setting("steps", ge=1)
    clip: float | None = setting("norm", gt=0)
    is_fast: bool = setting("speed")
    name: str = setting("a name")
    over: dict[str, str] = setting("a mapping")  # noqa: RUF009
    inner: Inner = setting("a node")  # noqa: RUF009


GOOD: dict[str, Any] = {
    "lr": 0.1,
    "steps": 5,
    "kind": "adam",
    "betas": [0.9, 0.999],
    "milestones": [1, 2, 3],
    "clip": None,
    "is_fast": False,
    "name": "x",
    "over": {"a": "1,2"},
    "inner": {"depth": 2},
}


def faults_of(**changes: Any) -> list[str]:
    typed, faults = read(Example, GOOD | changes, "train")
    assert (typed is None) == bool(faults)
    return [str(fault) for fault in faults]


def test_values_that_fit_become_the_typed_node() -> None:
    typed, faults = read(Example, GOOD, "train")
    assert faults == []
    assert typed is not None
    assert typed.betas == (0.9, 0.999)
    assert typed.milestones == (1, 2, 3)
    assert typed.inner == Inner(2)


def test_a_whole_number_is_taken_where_a_number_is_expected_and_becomes_one() -> None:
    typed, _ = read(Example, GOOD | {"lr": 1, "clip": 2}, "train")
    assert typed is not None
    assert (typed.lr, type(typed.lr)) == (1.0, float)
    assert (typed.clip, type(typed.clip)) == (2.0, float)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"lr": "abc"}, "train.lr: 'abc' is text; expected a number"),
        ({"lr": None}, "train.lr: None is null; expected a number"),
        ({"lr": True}, "train.lr: True is true or false; expected a number"),
        ({"lr": 0.0}, "train.lr: 0.0; expected a number > 0"),
        ({"lr": float("nan")}, "train.lr: nan; expected a number > 0"),
        ({"steps": 1.5}, "train.steps: 1.5 is a number; expected a whole number"),
        ({"steps": True}, "train.steps: True is true or false; expected a whole number"),
        ({"steps": 101}, "train.steps: 101; expected a whole number >= 1 and <= 100"),
        ({"kind": "adamw"}, "train.kind: 'adamw' is text; expected one of adam, sgd"),
        ({"betas": [0.9]}, "train.betas: [0.9] is a list; expected a list of numbers"),
        ({"betas": [0.9, 1.0]}, "train.betas: [0.9, 1.0]; expected a list of numbers >= 0 and < 1"),
        ({"betas": 0.9}, "train.betas: 0.9 is a number; expected a list of numbers"),
        ({"milestones": [1, "x"]}, "train.milestones: [1, 'x'] is a list; expected a list of whole numbers"),
        ({"milestones": [3, 0]}, "train.milestones: [3, 0]; expected a list of whole numbers >= 1"),
        ({"clip": 0}, "train.clip: 0; expected a number > 0, or null"),
        ({"clip": "x"}, "train.clip: 'x' is text; expected a number, or null"),
        ({"is_fast": "yes"}, "train.is_fast: 'yes' is text; expected true or false"),
        ({"is_fast": 1}, "train.is_fast: 1 is a whole number; expected true or false"),
        ({"name": 3}, "train.name: 3 is a whole number; expected text"),
        ({"name": "???"}, "train.name: no value; expected text\n    Type train.name=..."),
        ({"over": ["a"]}, "train.over: ['a'] is a list; expected a mapping"),
        ({"over": {"a": 1}}, "train.over: {'a': 1} is a mapping; expected a mapping"),
        ({"inner": {"depth": 0}}, "train.inner.depth: 0; expected a whole number >= 1"),
        ({"inner": {"deep": 1, "depth": 1}}, "train.inner.deep: no such setting; expected a setting of train.inner"),
        ({"inner": 3}, "train.inner: 3 is a whole number; expected a mapping"),
        ({"step": 5}, "train.step: no such setting; expected a setting of train\n    Did you mean steps?"),
    ],
)
def test_each_kind_of_fault_is_told_with_what_was_expected(change: dict[str, Any], told: str) -> None:
    found = faults_of(**change)
    assert len(found) == 1
    assert found[0].startswith(told)


def test_a_number_without_bounds_may_not_be_nan() -> None:
    @dataclass(frozen=True)
    class Free:
        x: float = setting("anything")

    _, faults = read(Free, {"x": float("nan")}, "model")
    assert [str(fault) for fault in faults] == ["model.x: not a number (nan); expected a number"]


def test_a_missing_setting_is_told_with_its_meaning() -> None:
    values = {key: value for key, value in GOOD.items() if key != "steps"}
    _, faults = read(Example, values, "train")
    assert str(faults[0]) == "train.steps: missing; expected a whole number\n    steps"


def test_all_faults_are_told_at_once() -> None:
    assert len(faults_of(lr="x", steps=0, kind="y", typo=1)) == 4


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (float, "a number"),
        (Literal["a", 1], "one of a, 1"),
        (float | None, "a number, or null"),
        (tuple[int, ...], "a list of whole numbers"),
        (dict[str, str], "a mapping"),
        (Inner, "a mapping"),
    ],
)
def test_types_are_told_as_a_user_says_them(annotation: Any, words: str) -> None:
    assert type_name(annotation) == words


def test_a_near_name_is_offered_and_a_far_one_gets_the_list() -> None:
    assert nearest("lrr", ["lr", "steps"]) == "Did you mean lr? There are: lr, steps."
    assert nearest("zzzz", ["lr", "steps"]) == "There are: lr, steps."


def test_a_long_list_is_left_out_beside_a_near_name() -> None:
    many = [f"setting{number}" for number in range(20)]
    assert nearest("setting1x", many) == "Did you mean setting1?"


@pytest.mark.parametrize("value", ["/data/tree", "/my data/(1)", '/it\'s, "so"', "/ünï=x"])
def test_any_value_is_read_as_it_was_told_to_be_typed(value: str) -> None:
    from hydra.core.override_parser.overrides_parser import OverridesParser

    (word,) = shlex.split(as_typed("data.root", value))
    assert OverridesParser.create().parse_override(word).value() == value
