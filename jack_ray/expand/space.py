"""Hydra's sweep grammar -> what a search may choose from.

Every expression is parsed by Hydra's own parser, so `sweep.over` means what the same text means after
`--multirun`: https://hydra.cc/docs/1.3/advanced/override_grammar/extended/
"""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import (
    ChoiceSweep,
    FloatRange,
    IntervalSweep,
    Override,
    Quote,
    QuotedString,
    RangeSweep,
    Sweep,
    Transformer,
)
from hydra.errors import HydraException
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from jack_ray.contract.errors import ConfigError, Fault
from jack_ray.contract.files import digest

MAX_VALUES = 10_000
"""Values of one setting; a longer range is a slip of the finger."""

CHOICES = "choice(a,b,c), a,b,c or range(1,4)"
GRAMMAR = f"{CHOICES}, interval(1e-5,1e-3), tag(log, interval(1e-5,1e-3)) or int(interval(1,8))"


@dataclass(frozen=True)
class Point:
    """What one trial of a sweep sets: overrides as they would be typed."""

    number: int
    overrides: tuple[str, ...]
    origin: tuple[int, int] | None = None
    """Number and step of the point whose checkpoint it goes on from; None: it begins."""
    until: int | None = None
    """The step at which it ends; None: with the training."""


@dataclass(frozen=True)
class Axis:
    """One swept setting."""

    key: str
    values: tuple[str, ...] | None
    """Every value as it would be typed; None: any number of an interval."""
    distribution: BaseDistribution
    """What Optuna draws from; a range is drawn as a number, so that the sampler knows its order."""

    def override(self, drawn: Any) -> str:
        """The override that sets a drawn value, `train.lr=1e-05`; a float in its shortest exact form."""
        if self.values is None:
            return f"{self.key}={drawn!r}"
        if isinstance(self.distribution, CategoricalDistribution):
            return f"{self.key}={drawn}"
        # The sampler computes low + k * step in floats: the nearest value is the one that is meant.
        return f"{self.key}={min(self.values, key=lambda text: abs(float(text) - float(drawn)))}"

    def size(self) -> float:
        """How many values there are; infinite for an interval of floats."""
        if isinstance(self.distribution, IntDistribution):
            return (self.distribution.high - self.distribution.low) // self.distribution.step + 1
        return math.inf if self.values is None else len(self.values)


class _UnusableError(Exception):
    """An expression that parses but cannot be swept; carried to the fault that names the setting."""

    def __init__(self, found: str, expected: str, remedy: str = "") -> None:
        self.found, self.expected, self.remedy = found, expected, remedy


def read_space(over: Mapping[str, str], *, every_value: bool, seed: int) -> tuple[Axis, ...]:
    """The axes of `sweep.over`, in its order. Raises ConfigError with every faulty expression.

    every_value: the search will go through all values (grid), so intervals are faults.
    seed: orders `shuffle(..)`, which is the same whenever the sweep is continued.
    """
    parser = OverridesParser.create()
    axes: list[Axis] = []
    faults: list[Fault] = []
    for key, expression in over.items():
        try:
            axes.append(_axis(parser, key, expression, every_value, seed))
        except HydraException as error:
            faults.append(Fault(f"sweep.over.{key}", _first_lines(error), GRAMMAR))
        except _UnusableError as unusable:
            faults.append(Fault(f"sweep.over.{key}", unusable.found, unusable.expected, unusable.remedy))
    if faults:
        raise ConfigError(faults)
    return tuple(axes)


def _first_lines(error: HydraException) -> str:
    lines = [line for line in str(error).splitlines() if line and not line.startswith(("See ", "Error parsing"))]
    return " ".join(lines)


def _axis(parser: OverridesParser, key: str, expression: str, every_value: bool, seed: int) -> Axis:
    override = parser.parse_overrides([f"{key}={expression}"])[0]
    if override.is_delete() or not expression.strip():
        raise _UnusableError(f"{expression!r} sets nothing", GRAMMAR)
    swept = override._value
    if isinstance(swept, IntervalSweep):
        if every_value:
            remedy = "Type sweep.strategy=random (or tpe, asha), or list the values."
            raise _UnusableError(f"{expression} has no end of values", f"{CHOICES} for sweep.strategy=grid", remedy)
        return Axis(key, None, _interval(swept, expression))
    values = _values(swept, expression)
    if isinstance(swept, Sweep) and swept.tags:
        raise _UnusableError(f"{expression} has a tag", f"{GRAMMAR}; only an interval can be tagged")
    if isinstance(swept, ChoiceSweep | RangeSweep) and swept.shuffle:
        random.Random(digest([seed, key], 16)).shuffle(values)
    texts = [_text(parser, value) for value in values]
    if repeated := sorted({text for text in texts if texts.count(text) > 1}):
        raise _UnusableError(f"{expression} names {', '.join(repeated)} more than once", "every value once")
    if isinstance(swept, RangeSweep) and not every_value:
        return Axis(key, tuple(texts), _numbers(sorted(values), swept.step))
    return Axis(key, tuple(texts), CategoricalDistribution(texts))


def _interval(swept: IntervalSweep, expression: str) -> BaseDistribution:
    start, end = cast(float, swept.start), cast(float, swept.end)
    if unknown := sorted(swept.tags - {"log"}):
        raise _UnusableError(f"{expression} has the tag {unknown[0]}", "no tag but log")
    if not (math.isfinite(start) and math.isfinite(end) and start < end):
        raise _UnusableError(f"{expression} is empty or endless", "interval(low,high) with low < high")
    log = "log" in swept.tags
    if log and start <= 0:
        raise _UnusableError(f"{expression} begins at {start:g}", "a logarithmic interval of numbers > 0")
    if isinstance(start, int) and isinstance(end, int):
        return IntDistribution(start, end, log=log)
    return FloatDistribution(start, end, log=log)


def _values(swept: Any, expression: str) -> list[Any]:
    if isinstance(swept, RangeSweep):
        return _range(swept, expression)
    if isinstance(swept, ChoiceSweep):
        return list(swept.list)
    if isinstance(swept, Sweep) or type(swept).__name__ == "Glob":
        raise _UnusableError(f"{expression} depends on the files there are", "the names, as choice(tsl,tsl_small)")
    return [swept]


def _range(swept: RangeSweep, expression: str) -> list[Any]:
    if swept.step == 0:
        raise _UnusableError(f"{expression} never ends", "range(start,stop,step) with a step other than 0")
    numbers = (swept.start, swept.stop, swept.step)
    if all(isinstance(number, int) for number in numbers):
        found: Any = swept.range()
    elif all(math.isfinite(cast(float, number)) for number in numbers):
        # Hydra sums the binary values, and 0.1 + 0.1 + 0.1 becomes 0.30000000000000004.
        found = FloatRange(*(Decimal(repr(number)) for number in numbers))
    else:
        raise _UnusableError(f"{expression} is not finite", "range(start,stop,step) of numbers")
    values = [value for _, value in zip(range(MAX_VALUES + 1), found, strict=False)]
    if not values:
        raise _UnusableError(f"{expression} is empty", "range(start,stop), which leaves stop out")
    if len(values) > MAX_VALUES:
        raise _UnusableError(f"{expression} has more than {MAX_VALUES} values", "fewer values, or an interval")
    return values


def _numbers(values: Sequence[Any], step: Any) -> BaseDistribution:
    if isinstance(values[0], int):
        return IntDistribution(values[0], values[-1], step=abs(step))
    return FloatDistribution(values[0], values[-1], step=abs(step))


def _text(parser: OverridesParser, value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    text = Transformer.str(value)
    if isinstance(value, str) and _read_back(parser, text) != value:
        # str(choice(1,2)) means the text "1", which is a number when it is typed without quotes.
        return QuotedString(value, Quote.single).with_quotes()
    return text


def _read_back(parser: OverridesParser, text: str) -> Any:
    try:
        override: Override = parser.parse_override(f"key={text}")
    except HydraException:
        return None
    return override.value()
