"""The demo of this method; generating is tested in tests/methods/shared/test_demo_tree.py."""

from pathlib import Path

import pytest

from jack_ray.data.__main__ import main


def test_the_command_says_what_it_wrote_and_what_to_type_next(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = ["--classes", "2", "--train", "2", "--test", "1", "--frames", "16", "18", "--height", "16"]
    assert main(["demo", "cten", str(tmp_path / "x"), *small]) == 0
    told = capsys.readouterr().out
    assert "Demo data for cten: 4 training and 2 test videos of 2 classes" in told
    assert f"python -m jack_ray.launch model=cten_smoke data=class_tree data.root={tmp_path / 'x'}" in told
