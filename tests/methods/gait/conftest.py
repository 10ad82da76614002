"""A small generated data set for BPM-GCN's tests."""

import shutil
from pathlib import Path

import pytest

from jack_ray.methods.gait.demo import generate


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Demo gaits that no test changes."""
    root = tmp_path_factory.mktemp("gaits") / "BPM_GCN"
    generate(root, train=16, test=6, seed=1)
    return root


@pytest.fixture
def own_demo(demo: Path, tmp_path: Path) -> Path:
    """Demo gaits for one test to spoil."""
    return Path(shutil.copytree(demo, tmp_path / "BPM_GCN"))
