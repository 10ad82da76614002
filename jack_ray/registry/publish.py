"""A checked request -> a version in the registry. The alias is set last: it never means a version that is not whole."""

import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jack_ray.apply.source import find_checkpoint
from jack_ray.contract.checkpoint import ABOUT, MODEL, About, load_about
from jack_ray.contract.errors import JackRayError
from jack_ray.contract.files import file_sha256, write_text
from jack_ray.registry import card, package
from jack_ray.registry.facts import gather
from jack_ray.registry.page import page
from jack_ray.registry.request import Request

if TYPE_CHECKING:
    from jack_ray.upload.mlflow_registry import Contents, Registry, RunFacts

CARD = "model_card.html"


@dataclass(frozen=True)
class Promoted:
    """What has become of a request."""

    version: str
    trial_id: str
    is_new: bool
    before: str | None
    """The version that the alias meant; None: none."""


def promote(request: Request) -> Promoted:
    """Register the request's run; a run that is registered already keeps its version. Raises JackRayError."""
    from jack_ray.upload.mlflow_registry import Registry  # MLflow takes seconds to import

    registry = Registry(request.uri)
    run, checkpoint = _find(request, registry)
    about = load_about(checkpoint)
    if run.status != "finished" and not request.force:
        raise JackRayError(
            f"Run {run.run_id} is {run.status}, not finished: its numbers are not those of a whole training. Train it "
            "to its end with the same launch, or type force=true."
        )
    sha256 = file_sha256(checkpoint / MODEL)
    version = registry.version_with(request.name, sha256, about.trial.id)
    is_new = version is None
    if version is None:
        version = _register(request, registry, run, checkpoint, sha256)
    before = registry.set_alias(request.name, request.alias, version) if request.alias else None
    return Promoted(version, about.trial.id, is_new, before)


def _find(request: Request, registry: "Registry") -> tuple["RunFacts", Path]:
    """The run, and its best checkpoint."""
    if request.run_id:
        run = registry.run_of("", request.run_id)
        return run, find_checkpoint(run.run_id, request.runs, request.uri)
    checkpoint = find_checkpoint(request.run, request.runs, request.uri)
    return registry.run_of(load_about(checkpoint).trial.id, ""), checkpoint


def _register(request: Request, registry: "Registry", run: "RunFacts", checkpoint: Path, sha256: str) -> str:
    from jack_ray.upload.mlflow_registry import Labels

    about = load_about(checkpoint)
    facts = gather(request, run, about, sha256, registry)
    tags = version_tags(about, run.tags, sha256)
    mine = tags | {"jack_ray.model": request.name}
    model_id = registry.logged_with(run, mine)
    if model_id is None:
        with tempfile.TemporaryDirectory(prefix="jack_ray-") as folder:
            contents = _contents(Path(folder), checkpoint, facts)
            model_id = registry.log(run, request.name, contents, mine)
    return registry.register(request.name, model_id, run.run_id, Labels(tags, card.description(facts)))


def version_tags(about: About, of_run: Mapping[str, str], sha256: str) -> dict[str, str]:
    """What a version can be searched by."""
    trial = about.trial
    return {
        "jack_ray.trial": trial.id,
        "jack_ray.sweep": of_run.get("jack_ray.sweep", ""),
        "jack_ray.method": trial.method,
        "jack_ray.data": str(trial.data.get("name", "")),
        "jack_ray.data_identity": trial.data_identity,
        "jack_ray.sha256": sha256,
    }


def _contents(folder: Path, checkpoint: Path, facts: card.Facts) -> "Contents":
    """Put everything together that the model is made of."""
    from jack_ray.upload.mlflow_registry import Contents

    kept = folder / "checkpoint"
    kept.mkdir()
    for name in (MODEL, ABOUT):
        try:
            os.link(checkpoint / name, kept / name)
        except OSError:  # another disk
            shutil.copy2(checkpoint / name, kept / name)
    code = package.copy_code(folder / "code")
    write_text(folder / CARD, page(facts))
    return Contents(
        code=code,
        loader=code / "served" / "model.py",
        checkpoint=kept,
        requirements=package.requirements(),
        input_example=facts.notes.input_example,
        files={CARD: folder / CARD},
    )
