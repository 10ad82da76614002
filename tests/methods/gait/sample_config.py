"""The configs of BPM-GCN as conf/ has them, for tests."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from jack_ray.contract.settings import read
from jack_ray.methods.gait.config import Config, DataConfig

CONF = Path(__file__).parents[3] / "conf"


def model_config(**changes: Any) -> Config:
    """conf/model/gait.yaml, with changes."""
    values = yaml.safe_load((CONF / "model/gait.yaml").read_text())
    values.pop("defaults")
    config, faults = read(Config, values, "model")
    assert config is not None, faults
    return replace(config, **changes)


def data_config(root: Path | str, **changes: Any) -> DataConfig:
    """conf/data/emotion_gait.yaml for a folder, with changes."""
    values = yaml.safe_load((CONF / "data/emotion_gait.yaml").read_text())
    config, faults = read(DataConfig, values | {"root": str(root)}, "data")
    assert config is not None, faults
    return replace(config, **changes)


def egait_config(root: Path | str, **changes: Any) -> DataConfig:
    """conf/data/egait.yaml for a folder, with changes."""
    values = yaml.safe_load((CONF / "data/egait.yaml").read_text())
    values.pop("defaults")
    values |= {"labels": tuple(values["labels"]), "root": str(root)}
    return replace(data_config(root), **(values | changes))
