"""Class trees, and the settings to read them with, for tests."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from jack_ray.contract.settings import read
from jack_ray.methods.shared.clips_config import DataConfig
from jack_ray.methods.shared.demo_tree import Wanted, generate

CONF = Path(__file__).parents[3] / "conf"
REAL = Path(__file__).parents[4] / "shared/data"
"""Real data, where there is any beside the checkout."""

SMALL = Wanted(num_classes=4, train=4, test=1, seed=1, frames=(20, 24), height=24, sound="mp3", as_videos=False)


@dataclass(frozen=True)
class SmallModel:
    """What the readers ask a model's settings for; VAANet's and CTEN's together."""

    num_classes: int = 4
    segments: int = 3
    clip_frames: int = 4
    size: int = 16
    sound_rate_hz: int = 16000
    mfcc: int = 8
    sound_rows: int = 40
    mel_bands: int = 16
    piece_rows: int = 10
    sound_mean: float = -6.6268077
    sound_scale: float = 10.716932


def small_tree(root: Path, **changes: Any) -> Path:
    """A generated class tree."""
    generate(root, replace(SMALL, **changes), "vaanet")
    return root


def data_config(root: Path | str, option: str = "class_tree", **changes: Any) -> DataConfig:
    """conf/data/OPTION.yaml for a folder, with changes."""
    values = yaml.safe_load((CONF / f"data/{option}.yaml").read_text())
    kept = {"feature_folder": "/nowhere", "feature_cache_gb": 1.0}
    config, faults = read(DataConfig, values | {"root": str(root)} | kept, "data")
    assert config is not None, faults
    return replace(config, **changes)


def edit_annotation(root: Path, edit: Callable[[dict[str, Any]], Any]) -> Path:
    """Change the annotation file of a tree."""
    path = root / "annotation.json"
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content, indent=1))
    return path
