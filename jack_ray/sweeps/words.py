"""Numbers and times as people read them."""

import math
import time


def number(value: float | None) -> str:
    """Four significant digits; a dash for none."""
    return "-" if value is None else f"{value:.4g}"


def duration(seconds: float | None) -> str:
    """`1:02:03` or `2:03`; a dash for an unknown time."""
    if seconds is None or not math.isfinite(seconds):
        return "-"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def hours(value: float) -> str:
    """Hours of a GPU or a core; zero is a dash, since most machines have no GPU."""
    return "-" if value == 0 else f"{value:.2f}" if value >= 0.1 else f"{value:.4f}"


def memory(megabytes: float | None) -> str:
    """`830 MB` or `12.4 GB`; a dash for none."""
    if megabytes is None:
        return "-"
    return f"{megabytes:.0f} MB" if megabytes < 1000 else f"{megabytes / 1000:.1f} GB"


def when(moment: float) -> str:
    """A moment (seconds since 1970) in local time, to the minute."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(moment))


def ago(seconds: float) -> str:
    """`12 s`, `5 min`, `3 h` or `2 days`."""
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"


def plural(count: int, thing: str) -> str:
    """`1 trial`, `3 trials`."""
    return f"{count} {thing}{'' if count == 1 else 's'}"
