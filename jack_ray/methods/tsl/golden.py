"""TSL-Net held against numbers of the authors' PyTorch code (golden/*.json)."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import jittor as jt
import numpy as np

from jack_ray.contract.errors import JackRayError
from jack_ray.methods.shared import detection
from jack_ray.methods.shared.detection import Detection, Segment
from jack_ray.methods.shared.recipe import (
    Comparison,
    deviation_of_summary,
    deviation_of_values,
    draw,
    draw_weight,
    published_places,
    read_golden,
)
from jack_ray.methods.tsl import golden_training, loss, proposals, reference, seed_search
from jack_ray.methods.tsl.config import CLASSES
from jack_ray.methods.tsl.golden_training import MakeOptimizer, Tell
from jack_ray.methods.tsl.model import Model
from jack_ray.methods.tsl.row import Row

GOLDEN = Path(__file__).parent / "golden"

FORWARD_TOLERANCE = 1e-4
SEEDS_TOLERANCE = 1e-6
"""The search copies its inputs, so that there is hardly anything to round."""
SEGMENTS_TOLERANCE = 1e-5
EVALUATION_TOLERANCE = 1e-9

Golden = Mapping[str, Any]


def check_file(path: Path, make_optimizer: MakeOptimizer, tell: Tell) -> list[Comparison]:
    """Every quantity of a golden file against ours, at full width; `tell` hears what is being computed.

    Raises JackRayError naming the file when it is broken or not one of TSL-Net's.
    """
    golden = read_golden(path)
    found = [(name, check) for name, check in _checks(make_optimizer, tell).items() if name in golden]
    if not found:
        keys = ", ".join(map(str, golden)) or "nothing"
        raise JackRayError(f"{path} is no golden file of TSL-Net: it holds {keys}. There is one in {GOLDEN}.")
    comparisons: list[Comparison] = []
    for name, check in found:
        tell(f"{path.name}: {name}")
        try:
            comparisons += check(golden)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            told = f"{type(error).__name__}: {error}"
            raise JackRayError(f"{path}: {name} cannot be read as TSL-Net's ({told}).") from error
    return comparisons


def _checks(make_optimizer: MakeOptimizer, tell: Tell) -> dict[str, Callable[[Golden], list[Comparison]]]:
    """What a file may hold -> how it is checked."""
    return {
        "train_forward_eval_mode": _check_forward,
        "seed_search": _check_seed_search,
        "loss": _check_loss,
        "proposals": _check_proposals,
        "steps": lambda golden: golden_training.check(golden, build(golden["recipe"]), make_optimizer, tell),
        "ap_threshold_x_class": _check_evaluation,
    }


def build(recipe: Golden) -> Model:
    """The published model with the recipe's weights, in the recipe's mode, without dropout."""
    model = Model(reference.MODEL)
    state = model.state_dict()
    for (name, var), place in zip(state.items(), published_places(list(state)), strict=True):
        var.update(jt.array(draw_weight(name, tuple(var.shape), place, recipe)))
        var.sync()
    if recipe["mode"] == "train":
        model.train()
    else:
        model.eval()
    model.cls_module.dropout = 0.0
    return model


def _check_forward(golden: Golden) -> list[Comparison]:
    recipe = golden["recipe"]
    batch = {
        "name": "golden",
        "rgb": draw(recipe["inputs"]["v"]),
        "mel": draw(recipe["inputs"]["a"]),
        "video_labels": np.asarray(recipe["vid_labels"], np.float32),
    }
    model = build(recipe)
    expected, outputs = golden["train_forward_eval_mode"], model.training_outputs(batch)
    compared = {
        "video scores": deviation_of_values(outputs["video_scores"].numpy(), expected["vid_score"]),
        "fused scores": deviation_of_summary(outputs["scores"].numpy(), expected["cas_sigmoid_fuse"]),
        "distribution": deviation_of_summary(outputs["distribution"].numpy(), expected["cas_softmax_dis"]),
        "features": deviation_of_summary(outputs["features"].numpy(), expected["features"]),
        "video distribution": deviation_of_values(outputs["video_distribution"].numpy(), expected["vid_distribution"]),
        "cpc": deviation_of_values(outputs["cpc"].numpy().sum(), expected["cpc"]),
    }
    if "test_forward" in golden:
        evaluated = model(batch)
        video_scores = evaluated["video_scores"].numpy()
        compared["video scores in evaluation"] = deviation_of_values(video_scores, golden["test_forward"]["vid_score"])
        fused = deviation_of_summary(evaluated["scores"].numpy(), expected["cas_sigmoid_fuse"])
        compared["fused scores in evaluation"] = fused
    return [Comparison(f"forward: {name}", deviation, FORWARD_TOLERANCE) for name, deviation in compared.items()]


def _seed_inputs(golden: Golden) -> tuple[np.ndarray, np.ndarray]:
    given = golden["seed_search"]
    return np.asarray(given["scores"], np.float32)[0], np.asarray(given["point_anno_padded"], np.float32)[0]


def _check_seed_search(golden: Golden) -> list[Comparison]:
    seeds = seed_search.search(*_seed_inputs(golden), reference.MODEL.seed_threshold)
    expected = golden["seed_search"]
    foreground = deviation_of_values(seeds.foreground[None], expected["act_seed"])
    background = deviation_of_values(seeds.background[None], expected["bkg_seed"])
    return [
        Comparison("seed search: foreground", foreground, SEEDS_TOLERANCE),
        Comparison("seed search: background", background, SEEDS_TOLERANCE),
    ]


def _written(text: str, name: str) -> np.ndarray:
    """The numbers of `name=[0.35,0.65]` or `name=-3.5` in a file's description of its inputs."""
    found = re.search(rf"\b{name}\s*=\s*\[?([^\]a-z ]+)", text)
    if found is None:
        raise ValueError(f"its inputs do not say {name}=...")
    return np.array([float(number) for number in found[1].split(",") if number], np.float32)


def _check_loss(golden: Golden) -> list[Comparison]:
    expected, text = golden["loss"], golden["loss"]["inputs"]
    scores, padded = _seed_inputs(golden)
    outputs = {
        "scores": jt.array(scores[None]),
        "video_distribution": jt.array(_written(text, "vid_distribution")[None]),
        "cpc": jt.array(_written(text, "cpc")),
    }
    distribution = _written(text, "label_distribution")
    total, terms = loss.combine(outputs, padded[:, : len(CLASSES)], distribution, reference.MODEL, Row((len(padded),)))
    names = {
        "loss_vid": "loss_vid_ldl",
        "loss_frame": "loss_frame",
        "loss_pact": "loss_frame_pact",
        "loss_bkg": "loss_frame_bkg",
        "cpc": "loss_recover_cpc",
    }
    deviations = {ours: deviation_of_values(terms[ours].numpy()[0], expected[theirs]) for ours, theirs in names.items()}
    deviations["total"] = deviation_of_values(total.numpy()[0], expected["total"])
    return [Comparison(f"loss: {name}", deviation, FORWARD_TOLERANCE) for name, deviation in deviations.items()]


def _check_proposals(golden: Golden) -> list[Comparison]:
    expected = golden["proposals"]
    scores, video_scores = _seed_inputs(golden)[0], np.asarray(expected["vid_score"], np.float64)
    config = replace(reference.MODEL, class_threshold=0.0)  # the file lists both classes, whatever they score
    arguments = (scores, video_scores, float(expected["video_fps"]), config, reference.SNIPPET_FRAMES)
    before, kept = proposals.propose_all(*arguments), proposals.propose(*arguments)
    numbers = [len(before[CLASSES[int(index)]]) for index in expected["n_before"]]
    rows = [
        (index, *row)
        for index, label in enumerate(CLASSES)
        for row in zip(kept[label].score, kept[label].start_s, kept[label].end_s, strict=True)
    ]
    deviation = deviation_of_values(_by_place(rows), _by_place(expected["final"]))
    return [
        Comparison("proposals: number", deviation_of_values(numbers, list(expected["n_before"].values())), 0.0),
        Comparison("proposals: kept segments", deviation, SEGMENTS_TOLERANCE),
    ]


def _by_place(rows: Sequence[Sequence[float]]) -> list[list[float]]:
    """Rows of class, score, start, end in the order of class and place."""
    return sorted((list(row) for row in rows), key=lambda row: (row[0], row[2], row[3]))


def _check_evaluation(golden: Golden) -> list[Comparison]:
    database = golden["ground_truth"]["database"]
    truth = {
        name: [
            Segment(float(one["segment"][0]), float(one["segment"][1]), one["label"]) for one in video["annotations"]
        ]
        for name, video in database.items()
        if video["subset"] == "test"
    }
    predictions = {
        name: [Detection(one["label"], float(one["score"]), *map(float, one["segment"])) for one in found]
        for name, found in golden["predictions"]["results"].items()
    }
    scores = detection.evaluate(truth, predictions, reference.MODEL.tious)
    columns = [scores.classes.index(label) for label in sorted(golden["class_index"], key=golden["class_index"].get)]
    compared = {
        "AP by tIoU and class": (scores.average_precision[:, columns], "ap_threshold_x_class"),
        "mAP by tIoU": (scores.mean_average_precision, "mAP"),
        "average mAP": (scores.mean_average_precision.mean(), "average_mAP"),
        "AP by class": (scores.average_precision.mean(axis=0)[columns], "class_AP"),
        "precision": (scores.mean_precision, "precision"),
        "recall": (scores.mean_recall, "recall"),
        "F2": (scores.f2, "f2"),
    }
    return [
        Comparison(f"evaluation: {name}", deviation_of_values(ours, golden[key]), EVALUATION_TOLERANCE)
        for name, (ours, key) in compared.items()
    ]
