from dataclasses import replace
from typing import Any

import pytest

from jack_ray.compose.load import load
from jack_ray.contract.schema import TrainConfig
from jack_ray.contract.settings import read
from jack_ray.methods.cten import reference
from jack_ray.methods.cten.config import Config, DataConfig, check

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


@pytest.mark.parametrize("words", [["model=cten"], ["model=cten_smoke"], ["model=cten", "data=class_tree"]])
def test_every_preset_has_exactly_the_settings_of_the_schema_and_no_fault(words: list[str]) -> None:
    assert check(*composed(*words)) == []


def test_the_preset_is_the_published_model() -> None:
    assert composed("model=cten")[0] == reference.MODEL


def test_the_preset_trains_as_published_but_chooses_on_held_out_videos() -> None:
    assert composed("model=cten")[2] == replace(reference.TRAIN, **CHOSEN_ON_HELD_OUT_VIDEOS)


def faults(model: dict[str, Any] | None = None, data: dict[str, Any] | None = None) -> list[str]:
    config, data_config, train_config = composed("model=cten")
    return [
        str(fault) for fault in check(replace(config, **model or {}), replace(data_config, **data or {}), train_config)
    ]


def test_heads_of_unequal_size_are_refused() -> None:
    (fault,) = faults({"heads": 7})
    assert fault.startswith("model.heads: 7, which do not divide 2048 features")


def test_key_segments_need_an_overlap() -> None:
    (fault,) = faults({"tious": ()})
    assert fault.startswith("model.tious: an empty list;")


def test_faults_of_classes_are_told_too() -> None:
    (fault,) = faults({"num_classes": 5})
    assert "Type model.num_classes=8." in fault


def test_plain_cross_entropy_needs_no_polarities() -> None:
    assert faults({"positive": (), "negative": ()}) == []
    assert len(faults({"positive": (), "negative": (), "loss": "pcce"})) == 1
