"""Data sets for trying things: `python -m jack_ray.data demo METHOD ROOT` generates one."""
