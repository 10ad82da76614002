"""Sweeps of affective-computing methods in Jittor, scheduled by Ray, compared in MLflow.

In Python: `jack_ray.sweep("model=tsl", "sweep=lr")`, `jack_ray.open_sweep(id)`, `jack_ray.list_sweeps()`. Importing
this loads nothing else; those names load what they need.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jack_ray.api import Sweep, list_sweeps, open_sweep, sweep

__version__ = "0.1.0"
__all__ = ["Sweep", "__version__", "list_sweeps", "open_sweep", "sweep"]


def __getattr__(name: str) -> Any:
    if name in ("Sweep", "list_sweeps", "open_sweep", "sweep"):
        import importlib

        return getattr(importlib.import_module("jack_ray.api"), name)
    raise AttributeError(f"module 'jack_ray' has no attribute {name!r}")
