"""The environment of a process that imports Jittor; it must be complete before the import.

Jittor builds its compiler command and the folder of its cache from these variables, so every process that
shares a cache needs the same ones.
"""

import os
import platform
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

_FOREIGN_PREFIXES = ("OMPI_", "PMIX_", "PRTE_", "ORTE_", "PMI_", "SLURM_", "HYDRA_", "MPI_")
"""Left by another MPI job or a batch system around us. OMPI_COMM_WORLD_SIZE alone makes Jittor believe that it is
a rank; a SLURM_ variable makes mpirun look for slurm."""

STORAGE = "JACK_RAY_STORAGE"
"""Names site.storage to a rank; unset where machines share a disk."""

PACKAGE_PARENT = Path(__file__).resolve().parents[2]


def interpreter() -> str:
    """This Python by one name, however it was started.

    Jittor compiles every operator anew for `bin/python3.11` that it has compiled for `bin/python`.
    """
    plain = Path(sys.executable).with_name("python")
    return str(plain) if plain.exists() and plain.samefile(sys.executable) else sys.executable


def without_foreign_mpi(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without what another MPI job left in it."""
    return {key: value for key, value in environment.items() if not key.startswith(_FOREIGN_PREFIXES)}


def jittor_variables(jittor_home: Path, threads: int, gpu: bool = False) -> dict[str, str]:
    """What Jittor needs to be told.

    jittor_home: holds the compiled operators. threads: threads of this process; a machine's cores divided by the
    processes on it, since more cost a factor of 20 in libgomp's waiting. gpu: whether to compile for CUDA.
    """
    variables = {
        "HOME": str(jittor_home),  # another JITTOR_HOME alone would be written into the user's own Jittor settings
        "JITTOR_HOME": str(jittor_home),
        "cache_name": "default",  # otherwise the git branch of the folder it was started in
        "OMP_NUM_THREADS": str(threads),
        "OPENBLAS_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        "log_silent": "1",
        "gdb_path": "",  # a crash otherwise starts gdb and waits for it
        "FIX_TORCH_ERROR": "0",  # do not import torch
        "use_cutt": "0",
        "PYTHONUNBUFFERED": "1",
        "PYTHONNOUSERSITE": "1",
    }
    if not gpu:
        variables["nvcc_path"] = ""  # an nvcc without a usable CUDA runtime breaks the import
    else:
        cuda = cuda_folder(jittor_home)
        variables |= {
            "nvcc_path": str(cuda / "bin" / "nvcc"),
            "nccl_include_path": str(cuda / "include"),  # without these two Jittor downloads NCCL's sources
            "nccl_lib_path": str(cuda / "lib64"),
            "LD_LIBRARY_PATH": os.pathsep.join(
                part for part in (str(cuda / "lib64"), os.environ.get("LD_LIBRARY_PATH", "")) if part
            ),
        }
    config = Path(sysconfig.get_config_var("BINDIR")) / f"python{sysconfig.get_python_version()}-config"
    if config.exists():
        variables["python_config_path"] = str(config)
    return variables


def cuda_folder(jittor_home: Path) -> Path:
    """Where the parts that Jittor needs for GPUs are joined (spawn/cuda.py)."""
    return jittor_home / "cuda"


def rank_environment(
    jittor_home: Path, threads: int, gpu: bool = False, base: Mapping[str, str] | None = None
) -> dict[str, str]:
    """A whole environment for mpirun and its ranks: `base` (this process's own) without foreign MPI, with Jittor's.

    The compiler wrappers of Open MPI are found beside this interpreter; the package is found where this one is.
    """
    environment = without_foreign_mpi(os.environ if base is None else base)
    environment |= jittor_variables(jittor_home, threads, gpu)
    binaries = str(Path(sys.executable).parent)
    environment["PATH"] = os.pathsep.join([binaries, environment.get("PATH", os.defpath)])
    environment["PYTHONPATH"] = python_path(environment)
    environment["OPAL_PREFIX"] = sys.prefix
    if os.geteuid() == 0:
        environment |= {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    return environment


def python_path(environment: Mapping[str, str] = os.environ) -> str:
    """A PYTHONPATH by which a child finds this very package, also when it was not installed."""
    known = [part for part in environment.get("PYTHONPATH", "").split(os.pathsep) if part]
    return os.pathsep.join(dict.fromkeys([str(PACKAGE_PARENT), *known]))


def pin_platform() -> None:
    """Keep this machine's name and kernel out of the folder of Jittor's cache; called before Jittor is imported.

    Jittor hashes `platform.platform()` and `platform.node()` into it, so a container with a new name, an updated
    kernel, or the next host of a cluster would compile everything anew, although what is compiled depends on neither.
    System, C library, compiler, Python and processor stay in it.
    """
    name = "-".join([platform.system(), platform.machine(), *platform.libc_ver()])
    platform.platform = lambda *_, **__: name
    platform.node = lambda: "jack_ray"


def default_jittor_home() -> Path:
    """`$JACK_RAY_JITTOR_HOME`, or `~/.cache/jack_ray/jittor`."""
    named = os.environ.get("JACK_RAY_JITTOR_HOME")
    return Path(named) if named else Path.home() / ".cache" / "jack_ray" / "jittor"
