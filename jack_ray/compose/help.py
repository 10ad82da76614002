"""The page that `--help` prints, made from `conf/` and the schemas."""

import dataclasses

from jack_ray.compose.load import config_folder, groups
from jack_ray.compose.schema import STAGES
from jack_ray.contract.settings import about

_TOP = """\
jack_ray trains affective-computing methods: a sweep of trials, each on several processes or GPUs, compared in MLflow.

    python -m jack_ray.launch model=tsl data.root=/data/VideoSenti      one trial
    python -m jack_ray.launch model=tsl sweep=lr                        three learning rates
    python -m jack_ray.launch model=tsl train.lr=1e-5,1e-4 train.seed=1,2   four trials, typed
    python -m jack_ray.launch model=tsl sweep=asha dry_run=true         what would be run; touches nothing
    python -m jack_ray.launch model=tsl --cfg job                       the whole config
    mlflow ui                                                           the comparison, in a browser

The same command again skips finished trials and goes on with interrupted ones.
Several values of a setting make a sweep: a,b,c  choice(a,b)  range(1,4)  interval(1e-6,1e-3)  tag(log,interval(..)).
"""


def _first_comment(group: str, option: str) -> str:
    text = (config_folder() / group / f"{option}.yaml").read_text(encoding="utf-8")
    first = text.splitlines()[0] if text else ""
    return first.removeprefix("#").strip() if first.startswith("#") else ""


def page() -> str:
    """The whole help text."""
    lines = [_TOP, "Choices (GROUP=OPTION; each is a file conf/GROUP/OPTION.yaml):"]
    for group, options in groups().items():
        lines.append(f"\n  {group}=")
        lines += [f"      {option:<12} {_first_comment(group, option)}" for option in options]
    lines.append("\nSettings (GROUP.NAME=VALUE; those of model and data: --cfg job, or docs/config.md):")
    for group, schema in STAGES.items():
        lines.append(f"\n  {group}.")
        for field in dataclasses.fields(schema):
            lines.append(f"      {field.name:<19} {about(field).meaning}")
    lines.append("\n  dry_run=true        print the trials, their places and their commands, and touch nothing")
    lines.append("  more=20             add 20 trials to a sweep that draws its points and has ended")
    lines.append("  from_run=RUN        train a run again exactly, and say whether the numbers are the same")
    lines.append("  fresh=true          begin finished and interrupted trials anew; the old ones are moved aside")
    return "\n".join(lines)
