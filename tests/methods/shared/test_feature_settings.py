"""data.feature_cache: when features are kept, and what is said where they cannot be."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from jack_ray.compose import make_plan, read_command
from jack_ray.compose.load import absolute, load
from jack_ray.contract.errors import ConfigError
from jack_ray.contract.schema import TrainConfig
from jack_ray.contract.settings import read
from jack_ray.methods.cten.config import Config as CtenConfig
from jack_ray.methods.cten.config import check as check_cten
from jack_ray.methods.shared.clip_network_config import keeps_features, why_not_kept
from jack_ray.methods.shared.clips_config import DataConfig
from jack_ray.methods.vaanet.config import Config as VaanetConfig
from jack_ray.methods.vaanet.config import check as check_vaanet

BOTH = pytest.mark.parametrize("method", ["vaanet", "cten"])
FIXED, FROZEN, STILL = "data.clips=fixed", "model.backbone=frozen", "model.freeze_bn=true"
LEARNS, MOVES, RANDOM = "model.backbone=trained", "model.freeze_bn=false", "data.clips=random"
CHECKS: dict[str, Any] = {"vaanet": check_vaanet, "cten": check_cten}
SCHEMAS: dict[str, Any] = {"vaanet": VaanetConfig, "cten": CtenConfig}
VALUES: dict[str, Any] = {"true": True, "false": False}


@cache
def preset(method: str) -> tuple[Any, DataConfig, TrainConfig]:
    nodes = load([f"model={method}_smoke", "data.root=/data"])
    model, model_faults = read(SCHEMAS[method], nodes["model"], "model")
    data, data_faults = read(DataConfig, nodes["data"], "data")
    train, train_faults = read(TrainConfig, nodes["train"], "train")
    assert model is not None, model_faults
    assert data is not None, data_faults
    assert train is not None, train_faults
    return model, data, train


def composed(method: str, *words: str) -> tuple[Any, DataConfig, TrainConfig]:
    model, data, train = preset(method)
    for word in words:
        key, _, text = word.partition("=")
        node, _, name = key.partition(".")
        value = {name: VALUES.get(text, text)}
        model, data = (replace(model, **value), data) if node == "model" else (model, replace(data, **value))
    return model, data, train


def plan(tree: Path, method: str, *words: str) -> Any:
    words = (f"model={method}_smoke", f"data.root={tree}", "model.num_classes=4", "model.loss=ce", *words)
    return make_plan(read_command(list(words)))


@BOTH
def test_features_are_kept_where_nothing_changes_them_unless_it_is_switched_off(method: str) -> None:
    assert keeps_features(*composed(method, FIXED, FROZEN, STILL)[:2])
    assert keeps_features(*composed(method, FIXED, FROZEN, STILL, "data.feature_cache=true")[:2])
    assert not keeps_features(*composed(method, FIXED, FROZEN, STILL, "data.feature_cache=false")[:2])
    for words in ((RANDOM, FROZEN, STILL), (FIXED, LEARNS, STILL), (FIXED, FROZEN, MOVES)):
        assert not keeps_features(*composed(method, *words)[:2])


@BOTH
@pytest.mark.parametrize(
    ("words", "found"),
    [
        ((RANDOM, FROZEN, STILL), RANDOM),
        ((FIXED, LEARNS, STILL), LEARNS),
        ((FIXED, FROZEN, MOVES), MOVES),
        ((RANDOM, LEARNS, MOVES), f"{RANDOM}, {LEARNS}, {MOVES}"),
    ],
)
def test_features_that_change_are_refused_with_what_to_type(method: str, words: Sequence[str], found: str) -> None:
    (fault,) = CHECKS[method](*composed(method, *words, "data.feature_cache=true"))
    assert str(fault).startswith(f"data.feature_cache: true, with {found};")
    needed = [right for right, wrong in ((FIXED, RANDOM), (FROZEN, LEARNS), (STILL, MOVES)) if wrong in found]
    assert f"Type {' '.join(needed)}, or data.feature_cache=false." in str(fault)


@BOTH
def test_what_the_message_says_to_type_is_accepted(method: str) -> None:
    assert CHECKS[method](*composed(method, FIXED, FROZEN, STILL, "data.feature_cache=true")) == []
    assert CHECKS[method](*composed(method, LEARNS, MOVES, RANDOM, "data.feature_cache=false")) == []


@BOTH
def test_who_fixes_clips_of_a_frozen_backbone_is_told_what_is_missing(method: str) -> None:
    def why(*words: str) -> str:
        return why_not_kept(*composed(method, *words)[:2])

    assert why(FIXED, FROZEN, MOVES).endswith("because of model.freeze_bn=false; model.freeze_bn=true keeps them")
    assert why(FIXED, FROZEN, STILL) == why(RANDOM, FROZEN, STILL) == why(FIXED, LEARNS, MOVES) == ""
    assert why(FIXED, FROZEN, MOVES, "data.feature_cache=false") == ""


def test_the_refusal_is_told_at_the_launch(class_tree: Path) -> None:
    with pytest.raises(ConfigError, match=r"data\.feature_cache: true, with data\.clips=random"):
        plan(class_tree, "vaanet", "data.feature_cache=true")


def test_the_switch_the_folder_and_its_bound_leave_the_trial_as_it_is(class_tree: Path, tmp_path: Path) -> None:
    def trial_id(*words: str) -> str:
        trial, _ = plan(class_tree, "vaanet", FIXED, FROZEN, STILL, *words).trial(())
        return str(trial.id)

    assert trial_id("data.feature_cache=false") == trial_id()
    assert trial_id(f"site.features={tmp_path}", "site.features_gb=3") == trial_id()
    assert trial_id("data.clip_variants=2") != trial_id()


def test_the_folder_is_the_sites_with_the_home_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JACK_RAY_FEATURES", raising=False)
    monkeypatch.setenv("HOME", "/home/someone")
    data = absolute(load(["model=vaanet"]))["data"]
    assert data["feature_folder"] == "/home/someone/.cache/jack_ray/features"
    assert data["feature_cache_gb"] == 20
    monkeypatch.setenv("JACK_RAY_FEATURES", "/fast/disk")
    assert absolute(load(["model=vaanet"]))["data"]["feature_folder"] == "/fast/disk"
    assert "feature_folder" not in absolute(load(["model=tsl"]))["data"]


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("data.clip_variants=0", "data.clip_variants"),
        ("data.clips=some", "data.clips"),
        ("site.features_gb=0", "features_gb"),
        ("data.feature_cache=perhaps", "data.feature_cache"),
    ],
)
def test_values_that_mean_nothing_are_refused(class_tree: Path, word: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        plan(class_tree, "vaanet", word)
