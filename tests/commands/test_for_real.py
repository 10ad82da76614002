"""Commands and Python against drivers that train."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

import jack_ray
from jack_ray.contract import events
from jack_ray.contract.environment import python_path
from jack_ray.launch import launch
from tests.launching import SMALL

pytestmark = [pytest.mark.rank, pytest.mark.mlflow]

PLACE = ("cluster=inline", "cluster.ranks=1", "mpi=none")


def commands(folder: Path, *words: str) -> str:
    """What a command prints, as it is typed in a folder."""
    done = subprocess.run(
        [sys.executable, "-m", "jack_ray.sweeps", *words], cwd=folder, capture_output=True, text=True, check=False,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": python_path()},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_trial_from_python_can_be_trained_again_bit_for_bit(
    demo_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    sweep = jack_ray.sweep(*SMALL, *PLACE, "train.steps=6", f"data.root={demo_data}")
    assert sweep.wait(timeout_s=200).state == "finished", (sweep.folder / "launch.log").read_text()
    (row,) = sweep.results().to_dict("records")
    assert (row["status"], row["step"], row["gpu_hours"]) == ("finished", 6, 0.0)
    assert row["core_hours"] > 0
    assert Path(row["checkpoint"]).is_dir()
    assert commands(tmp_path, "status", row["run_id"], "--json").count(row["trial"])

    assert launch([f"from_run={row['run_id']}", *PLACE[:1]]) == 0
    out = capsys.readouterr().out
    assert "The same numbers, bit for bit: " in out
    assert "The weights and the optimiser's state after 6 steps are the same (sha256)." in out

    told = Path(row["folder"]) / "events.jsonl"
    lines = told.read_text().splitlines()
    place = next(index for index, line in enumerate(lines) if json.loads(line)["kind"] == "metrics")
    changed = json.loads(lines[place])
    changed["values"]["train/total"] += 1e-9
    told.write_text("\n".join([*lines[:place], json.dumps(changed), *lines[place + 1 :]]) + "\n")
    assert launch([f"from_run={row['trial']}", *PLACE[:1], "tracking=none"]) == 1
    out = capsys.readouterr().out
    assert f"The first is train/total at step {changed['step']}: " in out


def test_a_running_sweep_is_paused_goes_on_and_is_stopped(
    demo_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = (*SMALL, *PLACE, "train.steps=2000", "tracking=none", f"data.root={demo_data}")
    sweep = jack_ray.sweep(*words)
    try:
        until = time.monotonic() + 100
        while not any(event.step for trial in sweep.status().trials for event in told(sweep, trial.id)):
            assert time.monotonic() < until, sweep.logs()
            time.sleep(0.2)
        assert commands(tmp_path, "pause", sweep.id) == f"{sweep.id} is paused, 0 of 1 trials done\n"
        (trial,) = sweep.status().trials
        assert trial.status == "killed"
        count = len(told(sweep, trial.id))
        assert sweep.resume() == f"{sweep.id} goes on, 0 of 1 trials done"
        until = time.monotonic() + 100
        while len(told(sweep, trial.id)) < count + 5:
            assert time.monotonic() < until, sweep.logs()
            time.sleep(0.2)
        assert "rank 0 |" in sweep.logs() or sweep.logs() == ""
    finally:
        if sweep.status().is_alive:
            assert sweep.stop().startswith(f"{sweep.id} has stopped, 0 of 1 trials done")
    assert sweep.wait(timeout_s=60).state == "stopped"


def told(sweep: jack_ray.Sweep, trial: str) -> list[events.Event]:
    """The numbers of a trial."""
    found, _ = events.read_from(sweep.status().trial_folder(trial).events, 0)
    return [event for event in found if event.kind == "metrics"]
