"""Trained models put to use: `python -m jack_ray.test` and `python -m jack_ray.predict`. The computing is a rank's."""
