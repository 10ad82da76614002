from dataclasses import replace
from typing import Any

import pytest

from jack_ray.compose.load import load
from jack_ray.contract.schema import TrainConfig
from jack_ray.contract.settings import read
from jack_ray.methods.tsl import reference
from jack_ray.methods.tsl.config import Config, DataConfig, check, metric_names

CPC_SIGN_OF_THE_PAPER: dict[str, Any] = {"cpc_sign": "paper"}
CHOSEN_ON_HELD_OUT_VIDEOS: dict[str, Any] = {
    "select_on": "val",
    "checkpoint_every": 50,
    "keep_checkpoints": 2,
}


def composed(model: str) -> tuple[Config, DataConfig, TrainConfig]:
    nodes = load([f"model={model}", "data.root=/data"])
    config, model_faults = read(Config, nodes["model"], "model")
    data, data_faults = read(DataConfig, nodes["data"], "data")
    train, train_faults = read(TrainConfig, nodes["train"], "train")
    assert config is not None, model_faults
    assert data is not None, data_faults
    assert train is not None, train_faults
    return config, data, train


@pytest.mark.parametrize("model", ["tsl", "tsl_small"])
def test_every_preset_has_exactly_the_settings_of_the_schema_and_no_fault(model: str) -> None:
    assert check(*composed(model)) == []


def test_the_preset_is_the_published_model_but_for_the_papers_sign() -> None:
    assert composed("tsl")[0] == replace(reference.MODEL, **CPC_SIGN_OF_THE_PAPER)


def test_the_preset_trains_as_published_but_chooses_on_held_out_videos() -> None:
    assert composed("tsl")[2] == replace(reference.TRAIN, **CHOSEN_ON_HELD_OUT_VIDEOS)


def test_the_small_preset_changes_widths_and_training_only() -> None:
    small, published = composed("tsl_small")[0], composed("tsl")[0]
    changed = {key for key in vars(small) if getattr(small, key) != getattr(published, key)}
    assert changed == {"audio_widths", "aligned_width", "hidden_width", "dropout", "audio_rate"}


def faults(
    model: dict[str, Any] | None = None, data: dict[str, Any] | None = None, train: dict[str, Any] | None = None
) -> list[str]:
    config, data_config, train_config = composed("tsl")
    changed = (replace(config, **model or {}), replace(data_config, **data or {}), replace(train_config, **train or {}))
    return [str(fault) for fault in check(*changed)]


def test_another_data_layout_is_refused() -> None:
    (fault,) = faults(data={"name": "ravdess"})
    assert fault == "data.name: 'ravdess'; expected tsl300, the layout that TSL-Net reads\n    Type data=tsl300."


@pytest.mark.parametrize("key", ["rgb_width", "mel_bands", "mel_frames"])
def test_inputs_of_another_size_than_the_data_are_refused(key: str) -> None:
    (fault,) = faults(model={key: 100})
    assert fault.startswith(f"model.{key}: 100, but data.{key} is ")


def test_videos_too_short_for_a_score_are_refused() -> None:
    (fault,) = faults(data={"min_snippets": 7})
    assert "data.min_snippets: 7; expected at least model.top_share=8" in fault


def test_videos_in_several_chunks_are_not_joined() -> None:
    (fault,) = faults(model={"joined_snippets": 601})
    assert "model.joined_snippets: 601; expected at most model.audio_chunk=600" in fault


def test_an_evaluation_needs_an_overlap() -> None:
    assert any("model.tious: an empty list" in fault for fault in faults(model={"tious": ()}))


@pytest.mark.parametrize("grid", [(0.5, 0.4, 0.1), (0.4, 0.5, 0.0)])
def test_a_grid_without_thresholds_is_refused(grid: tuple[float, float, float]) -> None:
    (fault,) = faults(model={"agnostic_thresholds": grid})
    assert "expected [start, stop, step] with start < stop and step > 0" in fault


def test_choosing_on_held_out_videos_needs_some() -> None:
    (fault,) = faults(data={"val_fraction": 0.0})
    assert "train.select_on=test" in fault
    assert faults(data={"val_fraction": 0.0}, train={"select_on": "test"}) == []


def test_an_unknown_metric_is_told_with_the_nearest() -> None:
    (fault,) = faults(train={"metric": "averge_mAP"})
    assert "Did you mean average_mAP?" in fault


def test_more_is_better_of_every_metric() -> None:
    (fault,) = faults(train={"mode": "min"})
    assert "Type train.mode=max." in fault


def test_metrics_are_named_by_their_overlap() -> None:
    names = metric_names(composed("tsl")[0])
    assert {"average_mAP", "mAP@0.10", "recall@0.30", "F2@AVG"} <= set(names)
