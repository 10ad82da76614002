"""python -m jack_ray.predict run=RUN input=FILE: what a trained model says of your own files."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jack_ray.apply.process import carry_out
from jack_ray.apply.request import (
    about_order,
    find_trained,
    place_faults,
    seconds_faults,
    split_words,
    switch_faults,
    whole_number,
)
from jack_ray.apply.run import run
from jack_ray.contract.errors import ConfigError, Fault
from jack_ray.contract.files import write_json
from jack_ray.contract.order import Order

HELP = """\
python -m jack_ray.predict run=RUN input=FILE_OR_FOLDER [output=FILE.json] [pictures=FOLDER]

What a trained model says of files that have no labels: the probability of each class, and for TSL-Net and CTEN the
segments that decided it, in seconds.

  run=RUN          an MLflow run id, a trial's id (vaanet-1f0c9d3a52), or the folder of a trial or of a checkpoint
  weights=FILE     instead of run: published weights, with model=OPTION and labels=A,B,.. in the model's order
  input=PATH       VAANet, CTEN: a video file, or a folder of them. BPM-GCN: a gait (.bvh, or .npy of 16 joints), or
                   a folder of them. TSL-Net: a video's features, as features/test/rgb/NAME.npy, or with
                   model.i3d_weights a video file
  output=FILE      write everything as JSON, too
  timeline=true    also what changes in the course of a file, written to output=: the classes over time
  window_s=10      VAANet, CTEN, BPM-GCN: seconds that are answered for by themselves, for the timeline
  max_s=14400      refuse what lasts longer
  pictures=FOLDER  draw a picture of each answer
  batch=8          samples at once; the answers do not depend on it
  gpu=true         compute on a GPU

Exit code 0: all answered. 1: some files could not be read, they are listed. 2: nothing could be answered.
"""

OWN = {
    "run": "",
    "weights": "",
    "labels": "",
    "input": "",
    "output": "",
    "timeline": "false",
    "window_s": "10",
    "max_s": "14400",
    "pictures": "",
    "batch": "8",
    "gpu": "false",
}

MANY = 4
"""More classes than these are shown by the likeliest only."""
MAX_SHOWN = 10
"""Files that could not be read; the written answers list all."""


def main(arguments: Sequence[str]) -> int:
    """Predict and print. Raises JackRayError."""
    values, rest = split_words(arguments, OWN)
    batch = whole_number(values, "batch")
    source = Path(values["input"]).expanduser()
    faults = [*place_faults(values, "pictures", "output"), *switch_faults(values, "gpu"), *timeline_faults(values)]
    if not values["input"] or not source.exists():
        found = "no such file or folder" if values["input"] else "not typed"
        faults.append(Fault(f"input={values['input']}", found, "input=FILE or input=FOLDER"))
    if faults:
        raise ConfigError(faults)
    trained = find_trained(values, rest, list(OWN))
    if not trained.labels:
        raise ConfigError([Fault("labels", "not typed", "labels=A,B,.. with weights=, in the order of the model")])
    pictures = str(Path(values["pictures"]).expanduser().resolve()) if values["pictures"] else ""
    order = Order(
        "predict",
        trained.trial,
        str(trained.weights),
        trained.labels,
        input=str(source.resolve()),
        batch=batch,
        pictures=pictures,
        timeline=values["timeline"] == "true",
        window_s=float(values["window_s"]),
        max_s=float(values["max_s"]),
    )
    result = carry_out(order, trained.jittor_home, values["gpu"] == "true")
    print(table(result["answers"]))
    tell_faults(result["faults"])
    if values["output"]:
        path = Path(values["output"]).expanduser()
        write_json(path, about_order(trained) | result)
        print(f"Written to {path}.")
    if not result["answers"]:
        return 2
    return 1 if result["faults"] else 0


def timeline_faults(values: Mapping[str, str]) -> list[Fault]:
    """What is wrong with the words about time."""
    faults = switch_faults(values, "timeline")
    faults += [fault for key in ("window_s", "max_s") for fault in seconds_faults(values, key)]
    if values["timeline"] == "true" and not values["output"]:
        expected = "a file to write what is too long to be shown"
        faults.append(Fault("timeline=true", "no output=", expected, "Type output=FILE.json."))
    return faults


def tell_faults(faults: Sequence[str]) -> None:
    """What could not be read."""
    for fault in faults[:MAX_SHOWN]:
        print(f"error: {fault}", file=sys.stderr)
    if len(faults) > MAX_SHOWN:
        print(f"error: and {len(faults) - MAX_SHOWN} more; output=FILE lists all of them.", file=sys.stderr)


def table(answers: Sequence[Mapping[str, Any]]) -> str:
    """The answers for people: a line for each input, and one below it for each segment."""
    lines = []
    for answer in answers:
        likeliest = sorted(answer["probabilities"].items(), key=lambda item: -item[1])[:MANY]
        shares = "  ".join(f"{label} {share:.3f}" for label, share in likeliest)
        lines.append(f"{Path(answer['input']).name}: {answer['label']}  ({shares})")
        for segment in answer.get("segments", []):
            span = f"{segment['start_s']:8.2f} s to {segment['end_s']:8.2f} s"
            lines.append(f"  {span}  {segment['label']}  {segment['score']:.3f}")
    return "\n".join(lines) if lines else "No answers."


if __name__ == "__main__":
    sys.exit(run(main, HELP, sys.argv[1:]))
