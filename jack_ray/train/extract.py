"""Features of videos for TSL-Net: `python -m jack_ray.train.extract ORDER.json`, started by `jack_ray.data features`.

A video whose features and frame rate are there already is passed over. Exit code 0, or 2 with one message.
"""

import json
import os
import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jittor as jt
import numpy as np

from jack_ray.contract.errors import DataError, JackRayError
from jack_ray.contract.files import replacing, write_json
from jack_ray.contract.order import RESULT
from jack_ray.methods.tsl.config import DataConfig
from jack_ray.methods.tsl.extract import Extractor, Features
from jack_ray.methods.tsl.i3d import I3D
from jack_ray.train.weights import load_network

RATES = "fps_dict.json"


def _extractor(order: Mapping[str, Any]) -> Extractor:
    made = Extractor(I3D(), DataConfig(**order["data"]))
    load_network(made.with_weights(Path(order["weights"])))
    return made


def extract(order: Mapping[str, Any]) -> dict[str, Any]:
    """Write the features of every video; those that cannot be read are listed. Raises WeightsError."""
    folder = Path(order["root"]) / "features" / order["split"]
    for kind in ("rgb", "logmfcc"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    extractor: Extractor | None = None
    rates = read_rates(Path(order["root"]) / RATES)
    faults: list[str] = []
    counts = {"extracted": 0, "known": 0}
    for number, (name, video) in enumerate(order["videos"], start=1):
        if name in rates and all((folder / kind / f"{name}.npy").is_file() for kind in ("rgb", "logmfcc")):
            counts["known"] += 1
            continue
        print(f"{number} of {len(order['videos'])}: {name}", file=sys.stderr, flush=True)
        extractor = extractor or _extractor(order)
        try:
            found = extractor.features(Path(video))
        except DataError as error:
            faults += [str(fault) for fault in error.faults]
            continue
        write(folder, name, found)
        rates[name] = found.fps
        write_json(Path(order["root"]) / RATES, rates)
        counts["extracted"] += 1
    return counts | {"faults": faults}


def read_rates(path: Path) -> dict[str, float]:
    """The frame rates that are known so far. Raises JackRayError when the file is damaged."""
    if not path.exists():
        return {}
    try:
        return {str(name): float(rate) for name, rate in json.loads(path.read_text(encoding="utf-8")).items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise JackRayError(f"{path} is no list of frame rates ({error}); move it away and begin anew.") from error


def write(folder: Path, name: str, features: Features) -> None:
    """Write both files, each whole or not at all."""
    for kind, values in (("rgb", features.rgb), ("logmfcc", features.mel)):
        with replacing(folder / kind / f"{name}.npy") as temporary, temporary.open("wb") as opened:
            np.save(opened, values)


def main(arguments: Sequence[str]) -> int:
    """Do what the order says."""
    warnings.filterwarnings("ignore", message="The value of the smallest subnormal")  # Jittor flushes them to zero
    path = Path(arguments[0])
    jt.flags.use_cuda = int(os.environ.get("JACK_RAY_GPU", "0"))
    try:
        result = extract(json.loads(path.read_text(encoding="utf-8")))
    except JackRayError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    write_json(path.parent / RESULT, result)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
