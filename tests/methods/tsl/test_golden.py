import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jack_ray.contract.errors import JackRayError
from jack_ray.methods.shared.recipe import (
    Comparison,
    deviation_of_summary,
    deviation_of_sums,
    deviation_of_values,
    draw,
    draw_weight,
    published_places,
    read_golden,
)

GOLDEN = Path(__file__).parents[3] / "jack_ray" / "methods" / "tsl" / "golden"


def compare(path: Path) -> dict[str, Comparison]:
    from jack_ray.methods.tsl.golden import check_file
    from jack_ray.train import optimizer

    told: list[str] = []
    compared = {one.quantity: one for one in check_file(path, optimizer.make, told.append)}
    assert told
    return compared


def rewrite(path: Path, name: str, **changes: Any) -> Path:
    """A golden file with other contents."""
    path.write_text(json.dumps(json.loads((GOLDEN / name).read_text()) | changes))
    return path


@pytest.mark.rank
@pytest.mark.parametrize("name", ["tsl.json", "tsl_eval.json"])
def test_the_model_computes_what_the_authors_code_computes(name: str) -> None:
    assert [one for one in compare(GOLDEN / name).values() if not one.holds] == []


@pytest.mark.rank
def test_four_training_steps_lead_where_the_authors_code_leads() -> None:
    compared = compare(GOLDEN / "train_tsl.json")
    assert [one for one in compared.values() if not one.holds] == []
    # an Adam with its eps before the bias correction is off by 4e-3 here
    assert compared["after training: change, median"].deviation < 1e-3


@pytest.mark.rank
def test_a_changed_number_is_noticed(tmp_path: Path) -> None:
    expected = json.loads((GOLDEN / "tsl.json").read_text())["loss"]
    path = rewrite(tmp_path / "g.json", "tsl.json", loss=expected | {"loss_frame": expected["loss_frame"] * 1.001})
    assert {name for name, one in compare(path).items() if not one.holds} == {"loss: loss_frame"}


@pytest.mark.rank
def test_other_inputs_of_another_length_are_computed_from_their_recipe(tmp_path: Path) -> None:
    golden = json.loads((GOLDEN / "tsl.json").read_text())
    inputs = {
        "v": {"seed": 5, "draw": "abs_normal", "shape": [1, 17, 1024]},
        "a": {"seed": 6, "draw": "uniform", "shape": [1, 17, 32, 60]},
    }
    changes = {"recipe": golden["recipe"] | {"inputs": inputs, "vid_labels": [[1, 0]]}}
    compared = compare(rewrite(tmp_path / "g.json", "tsl.json", **changes))
    assert compared["forward: features"].deviation == float("inf")  # another shape than the file's
    assert np.isfinite(compared["forward: cpc"].deviation)
    assert not compared["forward: cpc"].holds


@pytest.mark.rank
@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"weather": "fine"}, "is no golden file of TSL-Net: it holds weather"),
        ({"loss": {"inputs": "nothing"}}, "loss cannot be read as TSL-Net's"),
        ({"seed_search": {"scores": "x", "point_anno_padded": []}}, "seed_search cannot be read"),
        ({"proposals": 3}, "proposals cannot be read"),
    ],
)
def test_a_file_that_is_not_tsl_nets_is_told_in_one_line(tmp_path: Path, content: Any, message: str) -> None:
    path = tmp_path / "g.json"
    path.write_text(json.dumps(content))
    with pytest.raises(JackRayError, match=message) as caught:
        compare(path)
    assert str(path) in str(caught.value)


@pytest.mark.rank
def test_dropout_in_a_training_recipe_is_refused(tmp_path: Path) -> None:
    from jack_ray.methods.tsl import golden_training

    content = json.loads((GOLDEN / "train_tsl.json").read_text())
    content["recipe"]["dropout"] = 0.7
    model: Any = None
    with pytest.raises(ValueError, match="no two implementations draw alike"):
        golden_training.check(content, model, lambda config, groups: model, print)


@pytest.mark.parametrize(
    ("content", "message"), [("{", "is no JSON file"), ("[1]", "holds a list"), (None, "there is no such file")]
)
def test_a_broken_file_is_named(tmp_path: Path, content: str | None, message: str) -> None:
    path = tmp_path / "g.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(JackRayError, match=message) as caught:
        read_golden(path)
    assert str(path) in str(caught.value)


def test_inputs_are_drawn_as_their_recipe_says() -> None:
    normal = np.random.RandomState(3).standard_normal((2, 2))
    assert draw({"seed": 3, "draw": "normal", "shape": [2, 2], "scale": 10}) == pytest.approx(10 * normal)
    assert draw({"seed": 3, "draw": "abs_normal", "shape": [2, 2]}) == pytest.approx(np.abs(normal))
    assert draw({"seed": 3, "draw": "randint256", "shape": [9]}).max() < 256
    with pytest.raises(ValueError, match="unknown draw 'gamma'"):
        draw({"seed": 3, "draw": "gamma", "shape": [1]})


def test_places_count_the_counters_that_jittor_has_not() -> None:
    assert published_places(["a.weight", "bn.running_mean", "bn.running_var", "b.weight"]) == [0, 1, 2, 4]


def test_weights_are_drawn_by_the_first_rule_that_fits() -> None:
    recipe = {"weights_base": 1000, "gain": 2.0}
    values = np.random.RandomState(1004).standard_normal(6)
    assert draw_weight("c.weight", (2, 3), 4, recipe).ravel() == pytest.approx(values * np.sqrt(2 / 3))
    assert draw_weight("c.weight", (6,), 4, recipe) == pytest.approx(1 + 0.1 * values)
    assert draw_weight("c.bias", (6,), 4, recipe) == pytest.approx(0.05 * values)
    assert draw_weight("c.running_var", (6,), 4, recipe) == pytest.approx(1 + 0.2 * np.abs(values))
    assert draw_weight("c.running_mean", (6,), 4, recipe) == pytest.approx(0.1 * values)
    assert draw_weight("c.alpha", (6,), 4, recipe).tolist() == [0.5] * 6
    assert draw_weight("c.PA", (2, 3), 4, recipe).ravel() == pytest.approx(0.01 * values)


def test_deviations_are_relative_and_another_shape_is_infinitely_far() -> None:
    assert deviation_of_values([1.0, 2.1], [1.0, 2.0]) == pytest.approx(0.05)
    assert deviation_of_values([1.0], [1.0, 2.0]) == float("inf")
    assert deviation_of_values([], []) == 0
    assert deviation_of_sums(np.array([1.0, -3.0]), [-2.0, 5.0]) == pytest.approx(0.2)
    summary = {"shape": [2], "sum": 3.0, "abs_sum": 3.0, "first": [1.0, 2.0], "last": [1.0, 2.0]}
    assert deviation_of_summary(np.array([2.0, 1.0]), summary) == pytest.approx(0.5)
    assert deviation_of_summary(np.array([[2.0, 1.0]]), summary) == float("inf")


def test_a_deviation_that_is_not_a_number_never_holds() -> None:
    assert not Comparison("x", float("nan"), 1.0).holds
    assert Comparison("x", 1.0, 1.0).holds
