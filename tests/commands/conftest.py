"""A finished sweep, and the command line."""

from collections.abc import Callable
from pathlib import Path

import pytest

from jack_ray.sweeps.__main__ import main
from tests.commands.shelf import Made, make

Typed = Callable[..., tuple[int, str, str]]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """A sweep of three trials that has finished."""
    return make(tmp_path / "runs")


@pytest.fixture
def typed(made: Made, capsys: pytest.CaptureFixture[str]) -> Typed:
    """Types a command: exit code, output, errors."""

    def run(command: str, *words: str) -> tuple[int, str, str]:
        code = main([command, *words, "--runs", str(made.runs)])
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return run
