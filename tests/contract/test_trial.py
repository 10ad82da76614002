import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jack_ray.contract.errors import JackRayError
from jack_ray.contract.schema import TrainConfig
from jack_ray.contract.trial import DOES_NOT_CHANGE_NUMBERS, LATER, LATER_OF_DATA, PLACES, Trial, load_trial
from jack_ray.methods.shared.clips_config import DataConfig
from jack_ray.methods.tsl.config import DataConfig as StreamsConfig

TRAIN: dict[str, Any] = {
    "lr": 1e-4,
    "steps": 10,
    "log_every": 1,
    "checkpoint_every": 5,
    "keep_checkpoints": 2,
    "prefetch": 8,
}
TRIAL = Trial("tsl", {"name": "tsl", "dropout": 0.7}, {"name": "tsl300", "root": "/a"}, TRAIN, "0123", 2, 1)


def test_an_id_names_the_method_and_ten_digits() -> None:
    method, digits = TRIAL.id.split("-")
    assert method == "tsl"
    assert len(digits) == 10
    assert int(digits, 16) >= 0


@pytest.mark.parametrize(
    "change",
    [
        {"method": "vaanet"},
        {"model": {"name": "tsl", "dropout": 0.5}},
        {"data": {"name": "other", "root": "/a"}},
        {"train": TRAIN | {"lr": 2e-4}},
        {"train": TRAIN | {"steps": 11}},
        {"train": TRAIN | {"seed": 1}},
        {"data_identity": "0124"},
        {"ranks": 1},
    ],
)
def test_another_number_is_another_trial(change: dict[str, Any]) -> None:
    assert replace(TRIAL, **change).id != TRIAL.id


@pytest.mark.parametrize(
    "change",
    [
        {"data": {"name": "tsl300", "root": "/elsewhere"}},
        {"threads": 4},
        *({"train": TRAIN | {key: 99}} for key in DOES_NOT_CHANGE_NUMBERS),
    ],
)
def test_what_leaves_the_numbers_alone_leaves_the_trial_alone(change: dict[str, Any]) -> None:
    assert replace(TRIAL, **change).id == TRIAL.id


def test_a_setting_that_came_later_leaves_the_ids_of_older_trials() -> None:
    assert replace(TRIAL, train=TRAIN | LATER).id == TRIAL.id
    assert replace(TRIAL, train=TRAIN | LATER | {"parts": 2}).id != TRIAL.id
    assert replace(TRIAL, train=TRAIN | LATER | {"kernels": "plain"}).id != TRIAL.id
    assert replace(TRIAL, train=TRAIN | LATER | {"precision": "bfloat16"}).id != TRIAL.id
    assert replace(TRIAL, data=TRIAL.data | LATER_OF_DATA).id == TRIAL.id
    for change in ({"clips": "fixed"}, {"clip_variants": 2}, {"clip_seed": 1}):
        assert replace(TRIAL, data=TRIAL.data | LATER_OF_DATA | change).id != TRIAL.id


def test_the_order_of_settings_does_not_matter() -> None:
    assert replace(TRIAL, train=dict(reversed(TRAIN.items()))).id == TRIAL.id


def test_what_is_left_out_of_the_id_exists() -> None:
    assert {"root", "sound_cache_mb", "stream_cache_mb"} <= PLACES
    of_data = {*DataConfig.__dataclass_fields__, *StreamsConfig.__dataclass_fields__}
    assert of_data >= PLACES | set(LATER_OF_DATA)
    assert set(TrainConfig.__dataclass_fields__) >= DOES_NOT_CHANGE_NUMBERS | set(LATER)


def test_a_trial_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    TRIAL.save(tmp_path / "trial.json")
    assert load_trial(tmp_path / "trial.json") == TRIAL
    assert json.loads((tmp_path / "trial.json").read_text())["id"] == TRIAL.id


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"id": "x", "method": "tsl"}'])
def test_a_file_that_is_no_trial_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "trial.json"
    path.write_text(text)
    with pytest.raises(JackRayError, match=r"trial\.json is not a trial file .* written by jack_ray\.launch"):
        load_trial(path)


def test_a_missing_trial_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(JackRayError, match=r"none\.json is not a trial file"):
        load_trial(tmp_path / "none.json")
