"""Each file is a command of `python -m jack_ray.sweeps`: `add_options` and `run`."""
