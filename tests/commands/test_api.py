"""Sweeps from Python, without training."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

import jack_ray
from jack_ray.contract.errors import ConfigError, JackRayError
from tests.commands.shelf import RATES, Made, trial_with


def test_importing_it_loads_nothing_but_the_standard_library() -> None:
    program = """
import sys
before = set(sys.modules)
import jack_ray
new = {name.partition(".")[0] for name in set(sys.modules) - before}
assert new <= sys.stdlib_module_names | {"jack_ray"}, new
assert [name for name in sys.modules if name.startswith("jack_ray.")] == []
jack_ray.open_sweep
heavy = {"ray", "jittor", "mlflow", "hydra", "optuna", "pandas"} & {name.partition(".")[0] for name in sys.modules}
assert not heavy, heavy
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'jack_ray' has no attribute 'swep'"):
        jack_ray.swep  # noqa: B018


def test_a_sweep_is_opened_by_any_id_and_shows_its_results(made: Made) -> None:
    sweep = jack_ray.open_sweep(trial_with(RATES[0]).id[:9], runs=made.runs)
    assert sweep.id == "grid-1111111111"
    frame = sweep.results()
    assert list(frame["train.lr"]) == [0.1, 0.01, 0.001]
    assert list(frame["gpu_hours"]) == [1.0, 1.0, 1.0]
    assert list(jack_ray.list_sweeps(made.runs)["id"]) == ["grid-1111111111"]
    assert sweep.logs(trial=trial_with(RATES[1]).id, rank=0).splitlines()[-1].endswith("rank 0 | lr 0.01")


def test_a_status_shows_itself_as_text_and_as_html(made: Made) -> None:
    made.change(name="<toy>")
    sweep = jack_ray.open_sweep(runs=made.runs)
    assert "<toy> (grid-1111111111): finished, 3 of 3 trials done" in repr(sweep.status())
    page = sweep.status()._repr_html_()
    assert page.count("<tr>") == 1 + 3
    assert "&lt;toy&gt;" in page


def test_a_running_sweep_is_steered(made: Made) -> None:
    made.change_trial(0, status="running")
    sweep = jack_ray.open_sweep(runs=made.runs)
    with made.driven():
        assert sweep.pause() == "grid-1111111111 is paused, 2 of 3 trials done"
        assert sweep.resume() == "grid-1111111111 goes on, 2 of 3 trials done"
        with pytest.raises(TimeoutError, match=r"has not ended after 0\.1 s; 2 trials are done"):
            sweep.wait(timeout_s=0.1)
        assert sweep.stop().startswith("grid-1111111111 has stopped")
    assert sweep.wait(timeout_s=1.0).state == "stopped"
    with pytest.raises(JackRayError, match="is not running"):
        sweep.pause()


def test_wrong_settings_raise_all_faults_and_start_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError) as raised:
        jack_ray.sweep("model=tsl", "train.lrr=1", "train.batch=-3")
    assert {fault.where for fault in raised.value.faults} == {"train.lrr", "train.batch"}
    with pytest.raises(ConfigError, match="flags are for the command line"):
        jack_ray.sweep("model=tsl", "--help")
    assert list(tmp_path.iterdir()) == []


def test_a_sweep_that_cannot_be_placed_raises_what_its_driver_said(
    demo_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "blocked").write_text("a file where a folder should be")
    words = ["model=tsl_small", f"data.root={demo_data}", "cluster=inline", "cluster.ranks=1", "mpi=none"]
    with pytest.raises(JackRayError, match=r"(?s)tracking\.uri: 'nowhere'.*") as raised:
        jack_ray.sweep(*words, "tracking.uri=nowhere", "tracking.kind=mlflow")
    assert "Traceback" not in str(raised.value)


def test_a_sweep_that_runs_already_is_not_started_again(
    demo_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jack_ray.compose import make_plan, read_command
    from jack_ray.contract.paths import sweep_folder

    monkeypatch.chdir(tmp_path)
    words = ["model=tsl_small", f"data.root={demo_data}", "cluster=inline", "cluster.ranks=1", "mpi=none"]
    sweep_id = make_plan(read_command(words)).sweep_id
    made = Made(tmp_path / "runs", sweep_folder(tmp_path / "runs", sweep_id))
    program = "import fcntl, sys, time; lock = open(sys.argv[1], 'a'); fcntl.flock(lock, fcntl.LOCK_EX); "
    program += "print(7, file=lock, flush=True); time.sleep(60)"
    made.folder.path.mkdir(parents=True)
    holder = subprocess.Popen([sys.executable, "-c", program, str(made.folder.lock)])
    try:
        while not made.folder.lock.exists() or not made.folder.lock.read_text():
            time.sleep(0.01)
        with pytest.raises(JackRayError, match=f"sweep {sweep_id} runs already, in process 7"):
            jack_ray.sweep(*words)
    finally:
        holder.kill()
        holder.wait()
