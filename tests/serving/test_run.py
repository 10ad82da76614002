"""What a server says while it runs."""

import pytest

from jack_ray.serving.run import _Says


def test_a_trouble_is_said_once_and_again_when_it_has_come_back(capsys: pytest.CaptureFixture[str]) -> None:
    says = _Says()
    for registry in ("away", "away", "", "away"):
        says("version 2 answers")
        says("cannot be loaded", "replicas")
        says(registry, "registry")
    assert capsys.readouterr().out.splitlines() == ["version 2 answers", "cannot be loaded", "away", "away"]
