import os
import subprocess
import sys
from pathlib import Path

import pytest

from jack_ray.contract.environment import (
    PACKAGE_PARENT,
    default_jittor_home,
    interpreter,
    jittor_variables,
    python_path,
    rank_environment,
    without_foreign_mpi,
)

FOREIGN = {"OMPI_COMM_WORLD_SIZE": "4", "SLURM_JOB_ID": "7", "PMIX_RANK": "1", "HYDRA_FULL_ERROR": "1", "PMI_FD": "3"}


def test_what_another_mpi_job_left_is_taken_out() -> None:
    assert without_foreign_mpi(FOREIGN | {"PATH": "/bin", "LANG": "C"}) == {"PATH": "/bin", "LANG": "C"}


def test_a_rank_gets_a_home_for_jittor_that_is_not_the_users(tmp_path: Path) -> None:
    made = rank_environment(tmp_path, 3, base={"HOME": "/home/user", "PATH": "/bin"} | FOREIGN)
    assert made["HOME"] == made["JITTOR_HOME"] == str(tmp_path)
    assert made["OMP_NUM_THREADS"] == made["OPENBLAS_NUM_THREADS"] == "3"
    assert not set(made) & set(FOREIGN)
    assert made["PATH"].split(os.pathsep) == [str(Path(sys.executable).parent), "/bin"]


def test_only_a_machine_without_gpus_forbids_the_cuda_compiler(tmp_path: Path) -> None:
    assert jittor_variables(tmp_path, 1)["nvcc_path"] == ""
    assert jittor_variables(tmp_path, 1, gpu=True)["nvcc_path"].endswith("nvcc")


def test_the_named_python_config_exists(tmp_path: Path) -> None:
    named = jittor_variables(tmp_path, 1).get("python_config_path")
    assert named is None or Path(named).exists()


def test_a_child_finds_this_very_package(tmp_path: Path) -> None:
    made = rank_environment(tmp_path, 1, base={"PATH": os.defpath, "PYTHONPATH": f"/x:{PACKAGE_PARENT}"})
    assert made["PYTHONPATH"] == f"{PACKAGE_PARENT}:/x"
    program = "import jack_ray; print(jack_ray.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", program], env=made, cwd="/", capture_output=True, text=True, check=True
    )
    assert Path(done.stdout.strip()).parents[1] == PACKAGE_PARENT


def test_the_python_path_of_an_empty_environment_is_the_package_alone() -> None:
    assert python_path({}) == str(PACKAGE_PARENT)


def test_the_users_choice_of_a_home_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JACK_RAY_JITTOR_HOME", str(tmp_path))
    assert default_jittor_home() == tmp_path
    monkeypatch.delenv("JACK_RAY_JITTOR_HOME")
    monkeypatch.setenv("HOME", "/home/user")
    assert default_jittor_home() == Path("/home/user/.cache/jack_ray/jittor")


def test_mpirun_is_allowed_to_run_as_root_by_root_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "OMPI_ALLOW_RUN_AS_ROOT" not in rank_environment(tmp_path, 1, base={})
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert rank_environment(tmp_path, 1, base={})["OMPI_ALLOW_RUN_AS_ROOT"] == "1"


def test_a_python_has_one_name_however_it_was_started() -> None:
    program = "from jack_ray.contract.environment import interpreter; print(interpreter())"
    folder = Path(sys.executable).parent
    names = [folder / name for name in ("python", "python3", f"python3.{sys.version_info.minor}")]
    told = {
        subprocess.run([name, "-c", program], cwd=PACKAGE_PARENT, capture_output=True, text=True, check=True).stdout
        for name in names
        if name.exists() and name.samefile(sys.executable)
    }
    assert told == {f"{interpreter()}\n"}


def test_hosts_that_differ_in_their_name_alone_share_jittors_cache(tmp_path: Path) -> None:
    program = (
        "import platform; platform.node = lambda: NAME; import jack_ray.train; "
        "from jittor_utils import find_cache_path; print(find_cache_path())"
    )
    told = {
        subprocess.run(
            [interpreter(), "-c", program.replace("NAME", repr(name))],
            env=rank_environment(tmp_path, 1), capture_output=True, text=True, check=True,
        ).stdout.splitlines()[-1]
        for name in ("alpha", "beta")
    }  # fmt: skip
    assert len(told) == 1
