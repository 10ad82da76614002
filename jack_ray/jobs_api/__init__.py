"""Job files -> jobs of a Ray cluster, for `python -m jack_ray.submit`."""
