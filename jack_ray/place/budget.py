"""What a sweep may use up; pure."""

from jack_ray.place.loop_settings import Settings


def used_up(settings: Settings, hours: float, gpu_hours: float) -> str:
    """Which budget is used up, in words; empty while none is."""
    for name, used, budget in (
        ("sweep.max_hours", hours, settings.max_hours),
        ("sweep.max_gpu_hours", gpu_hours, settings.max_gpu_hours),
    ):
        if budget is not None and used >= budget:
            return f"{name}={budget:g} is used up"
    return ""
