"""python -m jack_ray.promote run=RUN name=NAME alias=ALIAS: a trained model into MLflow's registry, with its card."""

import sys
from collections.abc import Sequence

from jack_ray.apply.run import run
from jack_ray.registry.publish import CARD, Promoted, promote
from jack_ray.registry.request import Request, read_request

HELP = """\
python -m jack_ray.promote run=RUN name=NAME [alias=champion] [data_note=TEXT]

Put a trained model into MLflow's registry: the weights of its best checkpoint, the code that answers, pinned
requirements, and a card that says what it is, what it was trained on, and how good it is, with 95 % intervals.

  run=RUN          an MLflow run id, a trial's id (tsl-1f0c9d3a52), or a trial's folder; of a sweep's run the best trial
  name=NAME        the registered model; it is made when there is none of that name
  alias=ALIAS      a word that means this version from now on, such as champion
  data_note=TEXT   what the data is and on whose terms, for the card: 'data_note=our clips, CC BY 4.0'
  force=true       also a run that has not finished; the card says so
  tracking.uri=..  the MLflow (default: mlflow.db in this folder); site.runs=.. where trials lie

A run that is registered already keeps its version and card; its alias is set. So promoting an older run again takes
the alias back to it. Then: python -m jack_ray.predict run=models:/NAME@ALIAS input=FILE

Exit code 0: registered. 2: it cannot be; the message says why. 130: stopped by Ctrl-C, before the alias was set.
"""


def main(arguments: Sequence[str]) -> int:
    """Register and print. Raises JackRayError."""
    request = read_request(arguments)
    print(told(request, promote(request)))
    return 0


def told(request: Request, done: Promoted) -> str:
    """What has been done, for people."""
    what = "registered" if done.is_new else "was registered before; its card stays as it is"
    lines = [f"{request.name} version {done.version}: {done.trial_id} {what}."]
    if request.alias:
        was = {None: "was not set before", done.version: "meant it already"}.get(
            done.before, f"meant version {done.before} before"
        )
        lines.append(f"{request.name}@{request.alias} means version {done.version}; it {was}.")
    place = f"models:/{request.name}@{request.alias}" if request.alias else f"models:/{request.name}/{done.version}"
    lines.append(f"Ask it: python -m jack_ray.predict run={place} input=FILE")
    lines.append(f"Its card: {CARD} among the model's artifacts.")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(run(main, HELP, sys.argv[1:]))
