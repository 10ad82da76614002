"""Find the trial, say what is not as it was, train it again beside the original, hold the numbers together."""

import platform
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from importlib import metadata
from pathlib import Path

from jack_ray.compose import Plan
from jack_ray.compose.from_run import changed_settings, places, plan_again, read_yaml, split_words
from jack_ray.contract import events
from jack_ray.contract.files import write_json
from jack_ray.contract.paths import trial_folder
from jack_ray.contract.trial import Trial
from jack_ray.expand import Point
from jack_ray.place.dry_run import print_plan
from jack_ray.place.sweep import run_sweep
from jack_ray.reproduce.numbers import compare, compare_weights
from jack_ray.reproduce.original import Original, find_original, numbers_of
from jack_ray.upload import absolute_uri
from jack_ray.upload.provenance import source_tags


def reproduce(run: str, argv: Sequence[str]) -> int:
    """Train `run`'s trial again: 0 when the numbers are the same, 1 when not, 130 after Ctrl-C.

    argv: all that was typed. Raises JackRayError when the run cannot be trained again.
    """
    _, nodes = places(split_words(argv)[1])
    runs = Path(nodes["site"]["runs"])
    original = find_original(run, runs, absolute_uri(nodes["tracking"]["uri"]), read_yaml)
    name = f"reproduced-{original.trial.id}-{time.strftime('%Y%m%d-%H%M%S')}"
    where = runs / "reproduced" / name.removeprefix("reproduced-")
    plan, newer = plan_again(original.trial, original.config, argv, where, name)
    trial = plan.trial(())[0]
    for line in _about(original, trial, newer):
        print(line, flush=True)
    if plan.base.dry_run:
        print_plan(plan, [Point(0, ())], [trial])
        return 0
    code = run_sweep(plan)
    return code if code != 0 else _judge(original, trial, plan)


def differences(original: Original, trial: Trial, newer: Sequence[str]) -> list[str]:
    """Everything that is known to be not as it was; a line each."""
    before = original.trial
    found = [f"{name} is newer than the run and is taken from conf/" for name in newer]
    found += changed_settings(before, trial)
    if before.data_identity != trial.data_identity:
        found.append(f"the data set's content: {before.data_identity} was, {trial.data_identity} is")
    if before.weights_digest != trial.weights_digest:
        found.append("the weights that it starts from have another content")
    return found + _versions(original) + _code(original) + _machine(original)


def _about(original: Original, trial: Trial, newer: Sequence[str]) -> list[str]:
    train = trial.train
    numbers = f"seed {train['seed']}, steps {train['steps']}, ranks {trial.ranks}, threads of a rank {trial.threads}"
    lines = [f"Training {original.trial.id} again: {numbers}."]
    found = differences(original, trial, newer)
    if not found:
        return [*lines, "Settings, data, code and versions are as they were."]
    return [*lines, "Not as it was, or not known:", *(f"  {line}" for line in found)]


def _versions(original: Original) -> list[str]:
    """The packages that compute, on this machine; another machine's are told by its ranks."""
    found = []
    versions = original.about.get("versions", {})
    for name, was in versions.items():
        now = platform.python_version() if name == "python" else ""
        with suppress(metadata.PackageNotFoundError):
            now = now or metadata.version(name)
        if now != was:
            found.append(f"{name}: {was} was, {now or 'not installed'} is")
    return found if versions else ["which versions it was computed with is not known"]


def _code(original: Original) -> list[str]:
    """Whether the commit is the same, and nothing was changed since."""
    tags = source_tags()
    was, now = original.tags.get("mlflow.source.git.commit"), tags.get("mlflow.source.git.commit")
    if was is None:
        return ["the commit of its code is not known: MLflow has it, for a launch from a git checkout"]
    if now is None:
        return [f"the code: commit {was[:12]} was, this is no git checkout"]
    found = [f"the code: commit {was[:12]} was, {now[:12]} is"] if was != now else []
    if original.tags.get("jack_ray.git.dirty") == "true":
        found.append(f"the code: it had changes that were in no commit, on top of {was[:12]}")
    if tags.get("jack_ray.git.dirty") == "true":
        found.append("the code: there are changes that are in no commit")
    return found


def _machine(original: Original) -> list[str]:
    host = original.about.get("host", "")
    is_other = host and host != socket.gethostname()
    return [f"the machine: {host} was; another processor may change the last digits"] if is_other else []


def _judge(original: Original, trial: Trial, plan: Plan) -> int:
    folder = trial_folder(Path(plan.base.site.runs), trial.id)
    comparison = compare(original.numbers, numbers_of(events.read_from(folder.events, 0)[0]))
    words = comparison.words()
    if original.folder is not None and (weights := compare_weights(original.folder, folder)):
        words.append(weights)
    about = {"run": original.name, "trial": original.trial.id, "is_same": comparison.is_same, "words": words}
    shown = [asdict(one) | {"relative": one.relative} for one in comparison.differences]
    path = folder.path.parent.parent / "reproduction.json"
    write_json(path, about | {"count": comparison.count, "missing": comparison.missing, "differences": shown})
    print("\n" + "\n".join(words), flush=True)
    return 0 if comparison.is_same else 1
