"""Numbers, times and settings as the screen of a sweep shows them."""

import re

from jack_ray.place.entry import Entry

_LONG_NUMBER = re.compile(r"\d+\.\d{6,}(e[+-]?\d+)?")


def duration(seconds: float | None) -> str:
    """`1:02:03` or `2:03`; a dash for an unknown time."""
    if seconds is None:
        return "-"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def number(value: float | None) -> str:
    """Four significant digits; a dash for none."""
    return "-" if value is None else f"{value:.4g}"


def settings(entry: Entry) -> str:
    """What the trial's point changes, drawn numbers rounded; MLflow and trial.json have them whole."""
    return " ".join(_LONG_NUMBER.sub(lambda found: f"{float(found[0]):.4g}", text) for text in entry.point.overrides)


def short(overrides: str) -> str:
    """Settings without the names of their groups: `lr=0.1 seed=2`."""
    words = (word.partition("=") for word in overrides.split())
    return " ".join(f"{name.rpartition('.')[2]}{mark}{value}" for name, mark, value in words)
