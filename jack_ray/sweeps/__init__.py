"""The commands of a day with sweeps: what runs, why not, what came out. `python -m jack_ray.sweeps --help`."""
