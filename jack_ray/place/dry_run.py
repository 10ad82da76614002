"""`dry_run=true`: the trials, what they need, and the commands that would start them; nothing is touched."""

import shlex
from dataclasses import replace

from jack_ray.compose import Plan
from jack_ray.contract.paths import sweep_folder, trial_folder
from jack_ray.contract.state import load_state
from jack_ray.contract.trial import Trial
from jack_ray.expand import Point
from jack_ray.place.sweep import need_of, runs_of
from jack_ray.spawn.mpirun import Host, command


def print_plan(plan: Plan, points: list[Point], trials: list[Trial]) -> None:
    """Print every trial of the plan in the order they would start."""
    runs = runs_of(plan)
    inspection = plan.inspect(plan.base)
    summary = ", ".join(f"{value} {name}" for name, value in inspection.summary.items())
    folder = sweep_folder(runs, plan.sweep_id).path
    print(f"Sweep {plan.sweep_id}: {len(trials)} trial{'s' if len(trials) != 1 else ''}, state in {folder}")
    print(f"Data {plan.base.data.root}: {summary}; identity {inspection.identity}")
    print(f"Each trial needs {need_of(plan)} {need_of(plan).where()}.")
    if plan.base.sweep.strategy in ("tpe", "gp", "cmaes"):
        print("The points are those drawn without results; the search moves them as results come in.")
    if plan.base.sweep.strategy == "pbt":
        print("The first part of each member is shown; what follows depends on their results.")
    for point, whole in zip(points, trials, strict=True):
        trial = replace(whole, until=point.until)
        at = trial_folder(runs, trial.id)
        status = load_state(at.state).status
        print(f"\n{trial.id}  {' '.join(point.overrides) or 'as configured'}  ({status})")
        here = Host("localhost", "127.0.0.1", "127.0.0.0/8", trial.ranks)
        print(f"    {shlex.join(command(plan.base.mpi, [here], at.trial))}")
