"""A job file says what it means, and mistakes in it are told all at once."""

import shlex
import subprocess
from pathlib import Path

import pytest

from jack_ray.contract.errors import ConfigError, JackRayError
from jack_ray.jobs_api.file import DEFAULT_ADDRESS, load_job

ROOT = Path(__file__).parents[2]
JOBS = sorted(ROOT.glob("jobs/*.yaml"))

GOOD = """
name: sweep
entrypoint: [python, -m, jack_ray.launch, "train.lr=choice(1, 2)"]
working_dir: /srv/a folder
"""


def write(folder: Path, text: str) -> Path:
    """A job file."""
    path = folder / "job.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("path", JOBS, ids=lambda path: path.stem)
def test_every_job_of_the_repository_is_a_job_and_says_how_long_it_takes(path: Path) -> None:
    job = load_job(path, [])
    assert job.address == DEFAULT_ADDRESS
    assert job.working_dir == "/srv/jack_ray"
    assert job.entrypoint[:2] == ("python", "-m")
    assert "How long" in path.read_text()


def test_what_is_missing_is_filled_in_and_words_are_quoted_for_the_heads_shell(tmp_path: Path) -> None:
    job = load_job(write(tmp_path, GOOD), [])
    assert job.command() == "cd '/srv/a folder' && exec python -m jack_ray.launch 'train.lr=choice(1, 2)'"
    assert (job.env, job.cpus) == ({}, 0.0)


def test_a_tilde_is_the_heads_home(tmp_path: Path) -> None:
    job = load_job(write(tmp_path, GOOD), ["working_dir=~/my runs", "entrypoint=[pwd]"])
    (tmp_path / "my runs").mkdir()
    argv = ["bash", "-c", job.command()]
    told = subprocess.run(argv, env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}, capture_output=True, text=True)
    assert told.stdout.strip() == str(tmp_path / "my runs"), told.stderr


def test_words_for_the_job_change_it_and_all_others_join_its_command(tmp_path: Path) -> None:
    words = ["name=other", "train.steps=10", "cpus=2", "env={A: b}", "sweep=asha", "++x='a b'"]
    job = load_job(write(tmp_path, GOOD), words)
    assert (job.name, job.cpus, job.env) == ("other", 2.0, {"A": "b"})
    assert job.entrypoint[4:] == ("train.steps=10", "sweep=asha", "++x='a b'")
    assert shlex.split(job.command())[-3:] == ["train.steps=10", "sweep=asha", "++x='a b'"]


def test_all_mistakes_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    path = write(tmp_path, "name: 3\nentrypoint: python\nworkingdir: /srv\ncpus: -1\nenv: {A: 1}\n")
    with pytest.raises(ConfigError) as told:
        load_job(path, [])
    assert len(told.value.faults) == 5
    for part in ("job.name: 3 is a whole number", "job.entrypoint", "Did you mean working_dir?", ">= 0", "job.env"):
        assert part in str(told.value)
    assert str(path) in str(told.value)


def test_values_that_no_cluster_would_take_are_told_at_once(tmp_path: Path) -> None:
    path = write(tmp_path, "name: my job\nentrypoint: []\naddress: 'ray://h:1'\nenv: {1A: b}\n")
    with pytest.raises(ConfigError) as told:
        load_job(path, [])
    assert [fault.where for fault in told.value.faults] == ["job.name", "job.entrypoint", "job.env", "job.address"]


@pytest.mark.parametrize(
    ("text", "told"),
    [("a: [", "is not YAML"), ("- a", "is no job file"), (None, "No such file"), ("", "is no job file")],
)
def test_what_is_no_job_file_is_told(tmp_path: Path, text: str | None, told: str) -> None:
    path = tmp_path / "job.yaml" if text is None else write(tmp_path, text)
    with pytest.raises(JackRayError, match=told):
        load_job(path, [])


def test_a_slip_in_a_typed_value_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"job\.cpus"):
        load_job(write(tmp_path, GOOD), ["cpus=["])
