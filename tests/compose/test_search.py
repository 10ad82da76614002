"""What can be typed of a sweep's goal, its early stopping and its size."""

from pathlib import Path

import pytest

from jack_ray.compose import Plan, make_plan, read_command
from jack_ray.compose.load import groups
from jack_ray.expand import preview
from tests.compose.conftest import Typed

pytestmark = pytest.mark.long

MODEL = "model=tsl_small"


def planned(demo_data: Path, *words: str) -> Plan:
    return make_plan(read_command([MODEL, f"data.root={demo_data}", "cluster.ranks=2", *words]))


@pytest.mark.repository
def test_every_sweep_of_conf_has_points(demo_data: Path) -> None:
    for option in set(groups()["sweep"]) - {"folds"}:  # TSL300 has no folds
        plan = planned(demo_data, f"sweep={option}")
        assert preview(plan.base.sweep, plan.goal[1]), option


def test_trials_are_compared_by_the_methods_number_unless_another_is_typed(demo_data: Path) -> None:
    assert planned(demo_data).goal == ("val/average_mAP", "max")
    assert planned(demo_data, "train.select_on=test").goal == ("test/average_mAP", "max")
    assert planned(demo_data, "sweep.metric=val/other", "sweep.mode=min").goal == ("val/other", "min")


def test_a_goal_that_is_typed_as_it_is_makes_no_other_sweep(demo_data: Path) -> None:
    base = planned(demo_data, "sweep=tpe").sweep_id
    assert planned(demo_data, "sweep=tpe", "sweep.metric=val/average_mAP", "sweep.mode=max").sweep_id == base
    assert planned(demo_data, "sweep=tpe", "sweep.mode=min").sweep_id != base


def test_the_size_of_a_sweep_is_no_part_of_its_id(demo_data: Path) -> None:
    base = planned(demo_data, "sweep=tpe")
    sizes = ("sweep.num_trials=7", "sweep.max_concurrent=1", "sweep.max_hours=2", "sweep.max_gpu_hours=0.5")
    larger = planned(demo_data, "sweep=tpe", *sizes, "sweep.priority=3", "more=20")
    assert larger.sweep_id == base.sweep_id
    assert (base.base.more, larger.base.more) == (0, 20)
    assert planned(demo_data, "sweep=asha").sweep_id != base.sweep_id


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["sweep.metric=f1"], ["sweep.metric: f1; expected val/NAME", "Type sweep.metric=val/f1."]),
        (
            ["sweep.metric=train/total"],
            ["sweep.metric: train/total; expected val/NAME", "Type sweep.metric=val/total."],
        ),
        (["sweep.metric=val/f1"], ["sweep.mode: null, but sweep.metric=val/f1 is not the method's", "sweep.mode=max"]),
        (["sweep=median", "sweep.min_steps=100"], ["sweep.min_steps: 100, but a trial ends after train.steps=100"]),
        (["sweep=patient", "sweep.patience=100"], ["sweep.patience: 100, but a trial", "Type sweep.patience=25."]),
        (["sweep=hyperband", "sweep.max_steps=9"], ["sweep.max_steps: 9, but sweep.min_steps=25", "max_steps=100."]),
        (["sweep=pbt", "sweep.interval=100"], ["sweep.interval: 100, but a training ends", "Type sweep.interval=25."]),
        (["sweep=pbt", "sweep.stopper=asha"], ["sweep.stopper: asha with sweep.strategy=pbt", "sweep.stopper=none."]),
        (["sweep=pbt", "sweep.max_steps=50"], ["sweep.max_steps: 50; expected train.steps=100", "Leave"]),
        (["sweep=pbt", "model.dropout=0.1,0.5"], ["sweep.over.model.dropout: sweep.strategy=pbt copies weights"]),
        (["sweep=pbt", "more=3"], ["more: 3 with sweep.strategy=pbt", "Type a larger sweep.population"]),
        (["sweep.stopper=asha"], ["sweep.stopper: asha, which compares trials", "Type sweep.stopper=patient."]),
        (["sweep=grid", "more=2"], ["more: 2 with sweep.strategy=grid", "Type more values, as train.lr="]),
        (["more=2"], ["more: 2 with sweep.strategy=none"]),
        (["more=-1"], ["more: -1; expected a whole number of trials >= 0"]),
        (["more=true"], ["more: True; expected a whole number"]),
        (
            ["sweep.strategy=cmaes", "train.optimizer=adam,sgd"],
            ["sweep.over: only choices, and sweep.strategy=cmaes moves numbers", "Type sweep.strategy=tpe."],
        ),
    ],
)
def test_a_search_that_cannot_work_is_told_with_what_to_type(
    typed: Typed, demo_data: Path, words: list[str], told: list[str]
) -> None:
    answer = typed(MODEL, f"data.root={demo_data}", *words)
    assert answer.code == 2
    for part in told:
        assert part in answer.error
    assert list(Path.cwd().iterdir()) == []


def test_a_stopper_goes_with_every_sweep_of_several_trials(demo_data: Path) -> None:
    for option in ("grid", "qmc"):
        plan = planned(demo_data, f"sweep={option}", "sweep.stopper=median")
        assert plan.base.sweep.stopper == "median"
        assert preview(plan.base.sweep, "max")
