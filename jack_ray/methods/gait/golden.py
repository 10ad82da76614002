"""BPM-GCN held against numbers of the authors' PyTorch code (golden/*.json)."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jittor as jt
import numpy as np

from jack_ray.contract.errors import JackRayError
from jack_ray.methods.gait import golden_training, reference
from jack_ray.methods.gait.golden_training import MakeOptimizer, Tell, read_batch
from jack_ray.methods.gait.loss import Loss
from jack_ray.methods.gait.model import Fusion, Model
from jack_ray.methods.roles import Batch, OneByOne, whole_loss
from jack_ray.methods.shared.recipe import (
    Comparison,
    deviation_of_summary,
    deviation_of_values,
    draw_weight,
    published_places,
    read_golden,
)

GOLDEN = Path(__file__).parent / "golden"

FORWARD_TOLERANCE = 1e-4

Golden = Mapping[str, Any]


def check_file(path: Path, make_optimizer: MakeOptimizer, tell: Tell) -> list[Comparison]:
    """Every quantity of a golden file against ours, at full width; `tell` hears what is being computed.

    Raises JackRayError naming the file when it is broken or not one of BPM-GCN's.
    """
    golden = read_golden(path)
    found = [(name, check) for name, check in _checks(make_optimizer, tell).items() if name in golden]
    if not found:
        keys = ", ".join(map(str, golden)) or "nothing"
        raise JackRayError(f"{path} is no golden file of BPM-GCN: it holds {keys}. There is one in {GOLDEN}.")
    comparisons: list[Comparison] = []
    for name, check in found:
        tell(f"{path.name}: {name}")
        try:
            comparisons += check(golden)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            told = f"{type(error).__name__}: {error}"
            raise JackRayError(f"{path}: {name} cannot be read as BPM-GCN's ({told}).") from error
    return comparisons


def _checks(make_optimizer: MakeOptimizer, tell: Tell) -> dict[str, Callable[[Golden], list[Comparison]]]:
    """What a file may hold -> how it is checked."""
    return {
        "avg_scores": _check_forward,
        "steps": lambda golden: golden_training.check(golden, build, make_optimizer, tell),
    }


def build(recipe: Golden) -> Model:
    """The published model with the recipe's weights, in the recipe's mode."""
    model = Model(reference.MODEL)
    state = model.state_dict()
    for (name, var), place in zip(state.items(), published_places(list(state)), strict=True):
        var.update(jt.array(draw_weight(name, tuple(var.shape), place, recipe)))
        var.sync()
    if recipe["mode"] == "train":
        model.train()
    else:
        model.eval()
    return model


def _check_forward(golden: Golden) -> list[Comparison]:
    model, batch = build(golden["recipe"]), read_batch(golden["recipe"])
    outputs, evaluated = model.training_outputs(batch), model(batch)
    total, terms = whole_loss(Loss(reference.MODEL)(model, batch, OneByOne()))
    found = {
        "posture logits": (outputs["posture_logits"], golden["logits_posture"]),
        "movement logits": (outputs["movement_logits"], golden["logits_movement"]),
        "mean logits": (evaluated["logits"], golden["avg_scores"]),
        "loss of movement": (terms["loss_cls_m"], [golden["loss_cls_m"]]),
        "loss of posture": (terms["loss_cls_p"], [golden["loss_cls_p"]]),
        "affective loss": (terms["loss_reg"], [golden["loss_reg"]]),
        "loss": (total, [golden["loss_total"]]),
    }
    compared = {name: deviation_of_values(np.asarray(ours.numpy()), theirs) for name, (ours, theirs) in found.items()}
    compared["affective features"] = deviation_of_summary(outputs["affective"].numpy(), golden["affective"])
    for name, features in _inside(model, batch).items():
        compared[name] = deviation_of_summary(features.numpy(), golden["intermediate"][name])
    return [Comparison(f"forward: {name}", deviation, FORWARD_TOLERANCE) for name, deviation in compared.items()]


def _inside(model: Model, batch: Batch) -> dict[str, jt.Var]:
    """Features on the way, by the names of the file: what blocks and fusions give."""
    given: dict[str, jt.Var] = {}

    def note(name: str) -> None:
        module = getattr(model, name)
        execute = module.execute

        def noting(*features: jt.Var) -> Any:
            result = execute(*features)
            parts = {f"{name}_p": result[0], f"{name}_m": result[1]} if isinstance(module, Fusion) else {name: result}
            given.update(parts)
            return result

        module.execute = noting

    for name in ("l1_p", "l4_m", "fusion1", "l10_p"):
        note(name)
    model.streams(batch)
    return given
