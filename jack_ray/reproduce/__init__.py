"""`python -m jack_ray.launch from_run=RUN`: train a trial again, exactly, and say whether the numbers are the same."""

from jack_ray.reproduce.run import reproduce

__all__ = ["reproduce"]
