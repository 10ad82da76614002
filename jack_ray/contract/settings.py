"""Typed settings: a dataclass says what a config node may hold, `read` holds a mapping against it.

The values themselves live in `conf/`; a schema carries types, ranges, units and sources, and no second
set of defaults. The reference in docs/ is printed from the same schemas.
"""

import dataclasses
import difflib
import re
import shlex
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, cast

from jack_ray.contract.errors import Fault

T = TypeVar("T")

MANY = 12
"""More choices than these are listed only when none of them is close to what was typed."""


@dataclass(frozen=True)
class About:
    """What a schema says of one setting beside its type."""

    meaning: str
    unit: str = ""
    source: str = ""
    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None

    def range(self) -> str:
        """The allowed range in words, empty if every value of the type is allowed."""
        signs = ((">=", self.ge), (">", self.gt), ("<=", self.le), ("<", self.lt))
        return " and ".join(f"{sign} {bound:g}" for sign, bound in signs if bound is not None)

    def holds(self, value: float) -> bool:
        """Whether a number lies in the range."""
        return (
            (self.ge is None or value >= self.ge)
            and (self.gt is None or value > self.gt)
            and (self.le is None or value <= self.le)
            and (self.lt is None or value < self.lt)
        )


def setting(meaning: str, *, unit: str = "", source: str = "", **bounds: float) -> Any:
    """A dataclass field with its meaning, unit, source (paper, file) and range.

    bounds: ge, gt, le, lt (at least, above, at most, below); they hold for every item of a list.
    """
    return dataclasses.field(metadata={"about": About(meaning, unit, source, **bounds)})


def about(field: "dataclasses.Field[Any]") -> About:
    """What the schema says of a field."""
    return cast(About, field.metadata["about"])


def type_name(annotation: Any) -> str:
    """A type as a user would say it: `a number`, `one of adam, sgd`, `a list of numbers, or null`."""
    origin = typing.get_origin(annotation)
    arguments = typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        names = [type_name(part) for part in arguments if part is not type(None)]
        return " or ".join(names) + (", or null" if type(None) in arguments else "")
    if origin is Literal:
        return "one of " + ", ".join(str(part) for part in arguments)
    if origin is tuple:
        return f"a list of {type_name(arguments[0]).removeprefix('a ').removeprefix('an ')}s"
    if origin is dict:
        return "a mapping"
    if dataclasses.is_dataclass(annotation):
        return "a mapping"
    names_of = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
    return names_of.get(annotation, str(annotation))


def nearest(name: str, choices: Sequence[str]) -> str:
    """`Did you mean ...?` for a name that is close to a choice, else the list of choices."""
    close = difflib.get_close_matches(name, choices, n=1, cutoff=0.6)
    listed = "There are: " + ", ".join(sorted(choices)) + "."
    if not close:
        return listed
    return f"Did you mean {close[0]}?" + (f" {listed}" if len(choices) <= MANY else "")


def as_typed(key: str, value: str) -> str:
    """`key=value` as it must be typed in a shell, so that Hydra's grammar reads any value as it is."""
    if re.fullmatch(r"[A-Za-z0-9_./~+@%-]+", value):
        return f"{key}={value}"
    inner = value.replace('"', '\\"')
    return shlex.quote(f'{key}="{inner}"')


_KINDS: dict[type, str] = {
    type(None): "null",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    list: "a list",
    tuple: "a list",
    dict: "a mapping",
}
"""What a value is, in the words of `type_name`."""


class _MismatchError(Exception):
    """The value is not of the type; carried to the fault that names the setting."""


def _convert(value: Any, annotation: Any) -> Any:
    origin = typing.get_origin(annotation)
    arguments = typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        return _convert_union(value, arguments)
    if origin is Literal:
        if value in arguments:
            return value
        raise _MismatchError
    if origin is tuple:
        return _convert_items(value, arguments)
    if origin is dict:
        if not isinstance(value, Mapping):
            raise _MismatchError
        return {str(key): _convert(item, arguments[1]) for key, item in value.items()}
    if annotation is float and type(value) in (int, float):
        return float(value)
    if annotation is Any or type(value) is annotation:
        return value
    raise _MismatchError


def _convert_items(value: Any, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise _MismatchError
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return tuple(_convert(item, arguments[0]) for item in value)
    if len(arguments) != len(value):
        raise _MismatchError
    return tuple(_convert(item, kind) for item, kind in zip(value, arguments, strict=True))


def _convert_union(value: Any, arguments: tuple[Any, ...]) -> Any:
    if value is None and type(None) in arguments:
        return None
    for part in arguments:
        if part is type(None):
            continue
        try:
            return _convert(value, part)
        except _MismatchError:
            continue
    raise _MismatchError


def _numbers(value: Any) -> list[float]:
    if isinstance(value, bool):
        return []
    if isinstance(value, int | float):
        return [float(value)]
    if isinstance(value, tuple):
        return [number for item in value for number in _numbers(item)]
    return []


def _read_field(field: "dataclasses.Field[Any]", annotation: Any, value: Any, where: str) -> tuple[Any, list[Fault]]:
    if value == "???":
        return None, [Fault(where, "no value", type_name(annotation), f"Type {where}=...")]
    try:
        converted = _convert(value, annotation)
    except _MismatchError:
        found = f"{value!r} is {_KINDS.get(type(value), type(value).__name__)}"
        return None, [Fault(where, found, type_name(annotation), about(field).meaning)]
    numbers = _numbers(converted)
    if any(not about(field).holds(number) for number in numbers):
        kind, comma, null = type_name(annotation).partition(", or null")
        return None, [Fault(where, f"{value!r}", f"{kind} {about(field).range()}{comma}{null}")]
    if any(number != number for number in numbers):
        return None, [Fault(where, "not a number (nan)", type_name(annotation))]
    return converted, []


def read(schema: type[T], values: Mapping[str, Any], where: str) -> tuple[T | None, list[Fault]]:
    """Hold `values` against the schema; `where` is the node's name, used in faults.

    Returns the typed object and no fault, or None and every fault: unknown keys, missing keys, wrong types,
    values out of range.
    """
    fields = {field.name: field for field in dataclasses.fields(cast(Any, schema))}
    hints = typing.get_type_hints(schema)
    faults: list[Fault] = []
    for key in values:
        if key not in fields:
            remedy = nearest(str(key), list(fields))
            faults.append(Fault(f"{where}.{key}", "no such setting", f"a setting of {where}", remedy))
    converted: dict[str, Any] = {}
    for name, field in fields.items():
        if name not in values:
            faults.append(Fault(f"{where}.{name}", "missing", type_name(hints[name]), about(field).meaning))
            continue
        if dataclasses.is_dataclass(hints[name]) and isinstance(values[name], Mapping):
            converted[name], found = read(cast(type[Any], hints[name]), values[name], f"{where}.{name}")
        else:
            converted[name], found = _read_field(field, hints[name], values[name], f"{where}.{name}")
        faults.extend(found)
    return (None, faults) if faults else (schema(**converted), [])
