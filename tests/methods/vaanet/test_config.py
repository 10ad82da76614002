from dataclasses import replace
from typing import Any

import pytest

from jack_ray.compose.load import load
from jack_ray.contract.schema import TrainConfig
from jack_ray.contract.settings import read
from jack_ray.methods.vaanet import reference
from jack_ray.methods.vaanet.config import Config, DataConfig, check

CHOSEN_ON_HELD_OUT_VIDEOS: dict[str, Any] = {"select_on": "val"}


def composed(*words: str) -> tuple[Config, DataConfig, TrainConfig]:
    nodes = load([*words, "data.root=/data"])
    config, model_faults = read(Config, nodes["model"], "model")
    data, data_faults = read(DataConfig, nodes["data"], "data")
    train, train_faults = read(TrainConfig, nodes["train"], "train")
    assert config is not None, model_faults
    assert data is not None, data_faults
    assert train is not None, train_faults
    return config, data, train


@pytest.mark.parametrize("words", [["model=vaanet"], ["model=vaanet_smoke"], ["model=vaanet", "data=class_tree"]])
def test_every_preset_has_exactly_the_settings_of_the_schema_and_no_fault(words: list[str]) -> None:
    assert check(*composed(*words)) == []


def test_the_preset_is_the_published_model() -> None:
    assert composed("model=vaanet")[0] == reference.MODEL


def test_the_preset_trains_as_published_but_chooses_on_held_out_videos() -> None:
    assert composed("model=vaanet")[2] == replace(reference.TRAIN, **CHOSEN_ON_HELD_OUT_VIDEOS)


def test_ekman_6_fits_with_its_number_of_classes() -> None:
    assert check(*composed("model=vaanet", "data=ekman6", "model.num_classes=6")) == []


def faults(
    model: dict[str, Any] | None = None, data: dict[str, Any] | None = None, train: dict[str, Any] | None = None
) -> list[str]:
    config, data_config, train_config = composed("model=vaanet")
    changed = (replace(config, **model or {}), replace(data_config, **data or {}), replace(train_config, **train or {}))
    return [str(fault) for fault in check(*changed)]


def test_another_number_of_classes_than_the_datas_is_refused() -> None:
    (fault,) = faults(model={"num_classes": 6})
    assert fault.startswith("model.num_classes: 6, but data.labels has 8;")
    assert "Type model.num_classes=8." in fault


def test_a_class_without_a_polarity_is_refused_before_anything_runs() -> None:
    labels = {"labels": ("neutral", "happy", "sadness")}
    (fault,) = faults(model={"num_classes": 3}, data=labels)
    assert fault.startswith("model.positive, model.negative: no neutral, happy; expected every class of the data")
    assert faults(model={"num_classes": 3, "loss": "ce"}, data=labels) == []


def test_a_class_of_both_polarities_is_refused() -> None:
    (fault,) = faults(model={"positive": ("anticipation", "joy", "surprise", "trust", "Anger")})
    assert fault.startswith("model.negative: anger, which is positive too;")


def test_clips_too_long_for_the_network_are_refused() -> None:
    (fault,) = faults(model={"clip_frames": 17})
    assert fault.startswith("model.clip_frames: 17; expected at most 16")


def test_sound_that_does_not_divide_is_refused() -> None:
    (fault,) = faults(model={"sound_rows": 4100})
    assert fault.startswith("model.sound_rows: 4100, which 16 pieces (model.sound_pieces) do not divide;")
    assert "Type model.sound_rows=4112." in fault


def test_choosing_on_held_out_videos_needs_some() -> None:
    (fault,) = faults(data={"val_fraction": 0.0})
    assert "train.select_on=test" in fault
    assert faults(data={"val_fraction": 0.0}, train={"select_on": "test"}) == []


def test_an_unknown_metric_is_told_with_the_nearest() -> None:
    (fault,) = faults(train={"metric": "acuracy"})
    assert "Did you mean accuracy?" in fault


def test_more_is_better_of_every_metric() -> None:
    (fault,) = faults(train={"mode": "min"})
    assert "Type train.mode=max." in fault
