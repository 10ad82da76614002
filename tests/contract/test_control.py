"""Wishes and states that pass between commands and a driver."""

import os
from dataclasses import replace
from pathlib import Path

from jack_ray.contract.control import Control, change_control, load_control
from jack_ray.contract.status import SweepStatus, TrialStatus, load_status, save_status


def test_a_sweep_nobody_spoke_of_goes_on(tmp_path: Path) -> None:
    assert load_control(tmp_path / "control.json") == Control()


def test_wishes_add_up(tmp_path: Path) -> None:
    path = tmp_path / "control.json"
    change_control(path, lambda now: replace(now, paused=True))
    change_control(path, lambda now: replace(now, stop_trials=(*now.stop_trials, "tsl-1")))
    assert load_control(path) == Control(paused=True, stop_trials=("tsl-1",))


def test_a_damaged_file_of_wishes_wishes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "control.json"
    for text in ("", "[]", '{"paused": true, "colour": 1}'):
        path.write_text(text)
        assert load_control(path) == Control()


def test_a_status_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    trial = TrialStatus("tsl-1", ("train.lr=1",), "running", "training", 3, 10, nodes=("a", "b"), failures={"lost": 1})
    status = SweepStatus(
        "grid-1", "tsl grid", "running", ("model=tsl",), "/", "val/m", "max", "a", os.getpid(), 2, 1.0, 2.0,
        trials=(trial,),
    )  # fmt: skip
    save_status(tmp_path / "status.json", status)
    assert load_status(tmp_path / "status.json") == status


def test_no_status_is_read_from_a_damaged_file(tmp_path: Path) -> None:
    path = tmp_path / "status.json"
    assert load_status(path) is None
    for text in ("{", "[]", "{}"):
        path.write_text(text)
        assert load_status(path) is None
