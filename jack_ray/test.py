"""python -m jack_ray.test run=RUN: score a trained model on a data set."""

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, cast

from jack_ray.apply.process import carry_out
from jack_ray.apply.request import (
    Trained,
    about_order,
    find_trained,
    place_faults,
    split_words,
    switch_faults,
    whole_number,
)
from jack_ray.apply.run import run
from jack_ray.contract.errors import ConfigError, DataError, Fault, JackRayError
from jack_ray.contract.files import write_json
from jack_ray.contract.order import Order
from jack_ray.contract.schema import TrainConfig
from jack_ray.contract.settings import read

HELP = """\
python -m jack_ray.test run=RUN [data.root=FOLDER] [split=test] [output=FOLDER]

Score a trained model on every sample of a split. Nothing is random: the same command gives the same numbers.

  run=RUN          an MLflow run id, a trial's id (tsl-1f0c9d3a52), or the folder of a trial or of a checkpoint;
                   of a trial the best checkpoint, of a sweep's run the best trial
  weights=FILE     instead of run: published weights (.pth, .pkl, .safetensors), with model=OPTION
  split=SPLIT      test (default), val or train
  output=FOLDER    write numbers.json, pictures and lists of predictions there
  batch=8          samples at once
  gpu=true         compute on a GPU
  data.root=..     and any other setting of data, model or train: instead of what the model was trained with
  tracking.uri=..  where run ids are looked up (default: mlflow.db in this folder); site.runs=.. where trials lie

Exit code 0: scored. 2: it cannot be; the message says why.
"""

OWN = {"run": "", "weights": "", "labels": "", "split": "test", "output": "", "batch": "8", "gpu": "false"}


def main(arguments: Sequence[str]) -> int:
    """Score and print. Raises JackRayError."""
    values, rest = split_words(arguments, OWN)
    if values["split"] not in ("train", "val", "test"):
        raise ConfigError([Fault(f"split={values['split']}", "no such split", "train, val or test")])
    batch = whole_number(values, "batch")
    faults = [*place_faults(values, "output"), *switch_faults(values)]
    if faults:
        raise ConfigError(faults)
    trained = find_trained(values, rest, list(OWN))
    _inspect(trained)
    output = Path(values["output"]).expanduser().resolve() if values["output"] else None
    split = cast(Literal["train", "val", "test"], values["split"])
    order = Order(
        "test",
        trained.trial,
        str(trained.weights),
        trained.labels,
        split=split,
        batch=batch,
        pictures=str(output) if output else "",
    )
    result = carry_out(order, trained.jittor_home, values["gpu"] == "true")
    print(table(trained, result))
    if output is not None:
        write_json(output / "numbers.json", about_order(trained) | result)
        print(f"Written to {output}: numbers.json and {len(result['files'])} pictures and lists.")
    return 0


def _inspect(trained: Trained) -> None:
    """Look at the data set's files first. Raises DataError with every fault."""
    method = trained.trial.method
    schema = importlib.import_module(f"jack_ray.methods.{method}.config").DataConfig
    data, faults = read(schema, trained.trial.data, "data")
    train, more = read(TrainConfig, trained.trial.train, "train")
    if data is None or train is None:
        raise ConfigError([*faults, *more])
    found = importlib.import_module(f"jack_ray.methods.{method}.files").inspect(data)
    if trained.labels and found.labels and trained.labels != found.labels:
        theirs, ours = ", ".join(found.labels), ", ".join(trained.labels)
        raise JackRayError(f"The data set's classes are {theirs}; the model was trained on {ours}.")
    if found.stops(train.on_unreadable):
        hint = "Or type train.on_unreadable=skip to go on without these samples." if found.can_skip else ""
        raise DataError(found.faults, hint)


def table(trained: Trained, result: dict[str, Any]) -> str:
    """The numbers for people."""
    names = {name: name.partition("/")[2] for name in result["numbers"]}
    width = max(len(name) for name in names.values())
    head = f"{trained.title} on {result['samples']} samples of the {result['split']} split"
    lines = [f"  {short:<{width}}  {result['numbers'][name]:.4f}" for name, short in names.items()]
    return "\n".join([head, *lines])


if __name__ == "__main__":
    sys.exit(run(main, HELP, sys.argv[1:]))
