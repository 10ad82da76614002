from dataclasses import replace
from typing import Any

import pytest

from jack_ray.compose.load import load
from jack_ray.contract.schema import TrainConfig
from jack_ray.contract.settings import read
from jack_ray.methods.gait import reference
from jack_ray.methods.gait.config import Config, DataConfig, check, metric_names

CHOSEN_ON_HELD_OUT_GAITS: dict[str, Any] = {"select_on": "val"}


def composed(*words: str) -> tuple[Config, DataConfig, TrainConfig]:
    nodes = load([*words, "data.root=/data"])
    config, model_faults = read(Config, nodes["model"], "model")
    data, data_faults = read(DataConfig, nodes["data"], "data")
    train, train_faults = read(TrainConfig, nodes["train"], "train")
    assert config is not None, model_faults
    assert data is not None, data_faults
    assert train is not None, train_faults
    return config, data, train


@pytest.mark.parametrize("words", [("model=gait",), ("model=gait_smoke",), ("model=gait_egait",)])
def test_every_preset_has_exactly_the_settings_of_the_schema_and_no_fault(words: tuple[str, ...]) -> None:
    assert check(*composed(*words)) == []


def test_the_preset_is_the_published_model() -> None:
    assert composed("model=gait")[0] == reference.MODEL


def test_the_preset_trains_as_published_but_chooses_on_held_out_gaits() -> None:
    assert composed("model=gait")[2] == replace(reference.TRAIN, **CHOSEN_ON_HELD_OUT_GAITS)


def test_the_smoke_preset_changes_the_size_only() -> None:
    small, published = composed("model=gait_smoke")[0], composed("model=gait")[0]
    assert {key for key in vars(small) if getattr(small, key) != getattr(published, key)} == {"widths", "blocks"}


def test_e_gaits_numbers_mean_other_classes_than_those_of_bpm_gcns_files() -> None:
    assert composed("model=gait")[1].labels == ("Happy", "Sad", "Angry", "Neutral")
    assert composed("model=gait", "data=egait")[1].labels == ("Happy", "Angry", "Sad", "Neutral")


def test_the_folds_of_the_sweep_are_those_of_the_data() -> None:
    sweep = load(["model=gait", "data=egait", "sweep=folds", "data.root=/data"])["sweep"]
    assert (sweep["strategy"], sweep["over"], sweep["repeats"]) == ("grid", {"data.fold": "range(0,5)"}, True)
    assert composed("model=gait", "data=egait")[1].folds == 5


def faults(**changes: dict[str, Any]) -> list[str]:
    config, data, train = composed("model=gait")
    config = replace(config, **changes.get("model", {}))
    data, train = replace(data, **changes.get("data", {})), replace(train, **changes.get("train", {}))
    return [str(fault) for fault in check(config, data, train)]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": {"labels": ("Happy", "Sad")}}, "model.labels: Happy, Sad; expected the classes of data.labels"),
        ({"model": {"labels": ("a", "a")}}, "model.labels: ['a', 'a']; expected at least two different classes"),
        ({"data": {"frames": 24}}, "model.frames: 48, but data.frames is 24; expected the same in both"),
        ({"model": {"temporal_kernel": 8}}, "model.temporal_kernel: 8; expected an odd number"),
        ({"model": {"inner_share": 65}}, "model.inner_share: 65, which leaves nothing of model.widths=[64, 128, 256]"),
        ({"data": {"thin_from": 40}}, "data.thin_from: 40; expected at least data.frames=48"),
        ({"data": {"folds": 1}}, "data.folds: 1; expected at least 2"),
        ({"data": {"layout": "h5"}}, "data.folds: 0; expected at least 2, since h5 files have no test split"),
        ({"data": {"folds": 5, "fold": 5}}, "data.fold: 5; expected 0 to 4 (data.folds=5)"),
        ({"data": {"fold": 1}}, "data.fold: 1; expected 0, as data.folds is 0\n    Type data.folds=5"),
        ({"data": {"scales": ()}}, "data.scales: an empty list; expected at least one value"),
        ({"data": {"val_fraction": 0.0}}, "data.val_fraction: 0; expected more than 0 for train.select_on=val"),
        ({"train": {"metric": "acuracy"}}, "every split of BPM-GCN has\n    Did you mean accuracy?"),
        ({"train": {"mode": "min"}}, "Type train.mode=max."),
    ],
)  # fmt: skip
def test_settings_that_cannot_work_together_are_told(changes: dict[str, Any], message: str) -> None:
    assert any(message in fault for fault in faults(**changes))


def test_nothing_needs_to_be_drawn_from_without_augmentation() -> None:
    assert faults(data={"scales": (), "augment": False}) == []


def test_several_classes_a_gait_have_a_mean_average_precision() -> None:
    assert "mAP" in metric_names(replace(reference.MODEL, multi_label=True))
    assert "mAP" not in metric_names(reference.MODEL)
