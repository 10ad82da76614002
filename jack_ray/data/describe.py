"""Count a data set's examples by class and split, tell their durations, and draw both."""

import argparse
from pathlib import Path

from jack_ray.contract.errors import DataError, JackRayError
from jack_ray.data.looking.settings import add_subject, files_of, subject


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `python -m jack_ray.data describe`."""
    add_subject(parser)
    parser.add_argument(
        "--picture", type=Path, metavar="FILE", help="where to draw (.png, .pdf, .svg; default ROOT/describe.png)"
    )


def run(options: argparse.Namespace) -> str:
    """The counts, and where the picture is. Raises DataError when the data set is not in order."""
    found = subject(options.name, options.root, options.settings)
    files = files_of(found.method)
    inspection = files.inspect(found.data)
    if inspection.faults:
        raise DataError(inspection.faults)
    if not hasattr(files, "describe"):
        return "\n".join(f"{name}: {value}" for name, value in inspection.summary.items())
    picture = (options.picture or options.root / "describe.png").expanduser()
    if picture.suffix not in (".png", ".pdf", ".svg"):
        raise JackRayError(f"--picture {picture}: expected a name that ends in .png, .pdf or .svg")
    if not picture.parent.is_dir():
        raise JackRayError(f"--picture {picture}: there is no folder {picture.parent}")
    told: str = files.describe(found.data, picture)
    return f"{told}\n\nDrawn: {picture}"
