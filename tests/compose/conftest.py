"""A command line, typed and answered in this process."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from jack_ray import launch


@dataclass(frozen=True)
class Answer:
    """What a command printed and how it ended."""

    code: int
    out: str
    error: str


Typed = Callable[..., Answer]


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Typed:
    """Types `python -m jack_ray.launch WORDS` in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1})  # two ranks a trial, on any machine

    def answer(*words: str) -> Answer:
        monkeypatch.setattr(sys, "argv", ["jack_ray.launch", *words])
        with pytest.raises(SystemExit) as ended:
            launch.main()
        printed = capsys.readouterr()
        assert "Traceback" not in printed.err
        assert isinstance(ended.value.code, int)
        return Answer(ended.value.code, printed.out, printed.err)

    return answer
