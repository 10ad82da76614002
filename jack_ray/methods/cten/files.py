"""A look at the files of a class tree, for CTEN."""

from collections.abc import Iterator
from pathlib import Path

from jack_ray.contract.errors import Fault
from jack_ray.methods.roles import Inspection
from jack_ray.methods.shared.clips_config import DataConfig
from jack_ray.methods.shared.tree_decoding import decode_tree
from jack_ray.methods.shared.tree_files import inspect_tree


def inspect(data: DataConfig) -> Inspection:
    """Every fault of the data set's files, or their identity; reads headers and not everything."""
    return inspect_tree(data, "cten")


def decode(data: DataConfig) -> Iterator[tuple[str, list[Fault]]]:
    """Decode everything: each video's name and every fault of its files."""
    return decode_tree(data)


def describe(data: DataConfig, picture: Path) -> str:
    """Counts by class and split, and durations; draws both. Raises JackRayError."""
    from jack_ray.methods.shared.tree_description import describe_tree  # matplotlib is slow to import at a launch

    return describe_tree(data, picture)
