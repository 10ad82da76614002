"""A long recording as windows without a gap, each of which is answered for as a recording of its own."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from jack_ray.contract.errors import DataError, Fault
from jack_ray.methods.roles import Ask, Sample

Window = tuple[float, float]
"""From one second to another."""


def windows_of(duration_s: float, window_s: float) -> list[Window]:
    """Each of `window_s`, but for the last: a rest shorter than half a window belongs to it, a longer one is it."""
    count = max(1, int(duration_s / window_s + 0.5))
    starts = [number * window_s for number in range(count)]
    return list(zip(starts, [*starts[1:], duration_s], strict=True))


def refuse_long(where: object, duration_s: float, max_s: float) -> None:
    """Raises DataError for a recording that lasts longer than is allowed."""
    if duration_s > max_s:
        remedy = "Cut it, or allow more with max_s=."
        raise DataError([Fault(str(where), f"{duration_s:.0f} s long", f"at most {max_s:g} s (max_s)", remedy)])


def timeline(windows: Sequence[Window], answer: Mapping[str, Any], samples: Iterable[Sample], ask: Ask) -> list[Any]:
    """The classes' probabilities over time: [{start_s, end_s, probabilities}, ..].

    answer: that of the whole, which is the only window's, too; samples are then not looked at.
    """
    found: Iterator[Mapping[str, Any]] = iter([answer]) if len(windows) == 1 else ask(samples)
    return [
        {"start_s": start_s, "end_s": end_s, "probabilities": one["probabilities"]}
        for (start_s, end_s), one in zip(windows, found, strict=True)
    ]
