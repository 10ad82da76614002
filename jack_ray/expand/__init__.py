"""Sweep -> points, and which trials are not worth finishing. Uses Hydra's sweep grammar and Optuna."""

from jack_ray.expand.search import Search, open_search, preview
from jack_ray.expand.space import Point

__all__ = ["Point", "Search", "open_search", "preview"]
