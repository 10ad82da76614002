"""The process that computes, without Jittor: what is left when it cannot be started."""

import os
from pathlib import Path

import pytest

from jack_ray.served import process
from jack_ray.serving.question import Wanted
from jack_ray.spawn import preflight
from tests.serving.doors import start_of, trial_of


def test_a_start_that_fails_leaves_no_file_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "prepare", lambda *_: None)
    monkeypatch.setattr(process, "rank_environment", lambda *_: dict(os.environ))
    monkeypatch.setattr(process, "interpreter", lambda: str(tmp_path / "nothing"))
    computing = start_of(trial_of("model=tsl_small"))(Wanted("1", str(tmp_path), ()))
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        with pytest.raises(FileNotFoundError):
            computing.ask([])
    assert len(os.listdir("/proc/self/fd")) == before
