"""From a pile of videos to a class tree: what `python -m jack_ray.data prepare` does."""
