"""A small generated class tree for the tests of methods that read clips."""

import shutil
from pathlib import Path

import pytest

from tests.methods.shared.clip_trees import small_tree


@pytest.fixture(scope="session")
def class_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Demo data that no test changes: 4 classes, 4 training videos and a test video of each, 20 to 24 pictures."""
    return small_tree(tmp_path_factory.mktemp("demo") / "tree")


@pytest.fixture
def own_tree(class_tree: Path, tmp_path: Path) -> Path:
    """Demo data for one test to spoil."""
    return Path(shutil.copytree(class_tree, tmp_path / "tree"))
