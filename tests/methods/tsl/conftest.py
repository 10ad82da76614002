"""A small generated data set for TSL-Net's tests."""

import shutil
from pathlib import Path

import pytest

from jack_ray.methods.tsl.demo import generate


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Demo data that no test changes."""
    root = tmp_path_factory.mktemp("demo") / "VideoSenti"
    generate(root, train=8, test=3, seed=1, snippets=(8, 12))
    return root


@pytest.fixture
def own_demo(demo: Path, tmp_path: Path) -> Path:
    """Demo data for one test to spoil."""
    return Path(shutil.copytree(demo, tmp_path / "VideoSenti"))
