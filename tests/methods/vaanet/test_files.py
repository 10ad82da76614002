"""A look at a class tree, by this method's door; the looking is tested in tests/methods/shared/test_tree_files.py."""

from pathlib import Path

from jack_ray.methods.vaanet.files import decode, describe, inspect
from tests.methods.shared.clip_trees import data_config


def test_a_tree_is_inspected_decoded_and_described(class_tree: Path, tmp_path: Path) -> None:
    data = data_config(class_tree)
    assert inspect(data).faults == ()
    assert len(list(decode(data))) == 20
    told = describe(data, tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 1000
    assert "Fear" in told


def test_a_missing_folder_is_told_with_this_methods_demo(tmp_path: Path) -> None:
    faults = inspect(data_config(tmp_path / "x")).faults
    assert f"python -m jack_ray.data demo vaanet {tmp_path / 'x'}" in str(faults[0])
