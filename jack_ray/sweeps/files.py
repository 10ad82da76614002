"""Results as files: csv, json, parquet."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jack_ray.contract.errors import JackRayError
from jack_ray.contract.files import replacing, write_text

Row = Mapping[str, Any]
KINDS = (".csv", ".json", ".parquet")


def columns(rows: Sequence[Row]) -> list[str]:
    """All names, each where it first stands."""
    names: list[str] = []
    for row in rows:
        place = 0
        for name in row:
            if name in names:
                place = names.index(name) + 1
            else:
                names.insert(place, name)
                place += 1
    return names


def as_csv(rows: Sequence[Row]) -> str:
    """The rows as text; an empty cell is unknown."""
    written = io.StringIO(newline="")
    writer = csv.DictWriter(written, columns(rows), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return written.getvalue()


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """Write rows in the format that the file's name ends with. Raises JackRayError for any other."""
    kind = path.suffix.lower()
    if kind not in KINDS:
        raise JackRayError(f"{path} ends with none of {', '.join(KINDS)}")
    if kind == ".csv":
        write_text(path, as_csv(rows))
    elif kind == ".json":
        write_text(path, json.dumps(list(rows), indent=1) + "\n")
    else:
        with replacing(path) as temporary:
            frame(rows).to_parquet(temporary, index=False)


def frame(rows: Sequence[Row]) -> Any:
    """The rows as a pandas DataFrame, the trials' order kept."""
    import pandas as pd  # takes half a second to import

    return pd.DataFrame([dict(row) for row in rows], columns=columns(rows))
