"""What Jittor needs for GPUs, put together from the machine's CUDA toolkit and wheels; nothing is downloaded.

Jittor looks for a toolkit beside nvcc: `../include`, `../lib64`, with cuDNN 8 among it, and downloads NCCL unless it is
told where one lies. cuDNN and NCCL come from wheels (`pip install -e '.[gpu]'`), so a folder of links joins the three.
"""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from jack_ray.contract.environment import cuda_folder
from jack_ray.contract.errors import Fault
from jack_ray.contract.files import replacing

_CUDA = range(11, 13)
"""Major versions; cuDNN 8 was built for these."""
_LIBRARIES = ("cudart", "cublas", "cublasLt", "curand", "cufft", "cusparse")
"""Of the toolkit, which Jittor 1.3.11 loads."""
_WHEELS = {"cudnn": ("nvidia-cudnn-cu12", 8), "nccl": ("nvidia-nccl-cu12", 2)}
"""Folder below `nvidia` in site-packages -> package, major version."""
_VERSION = re.compile(r"release (\d+)\.(\d+)")


def check() -> list[Fault]:
    """Everything that is missing on this machine for GPUs, with what mends it."""
    return [*_check_driver(), *_check_toolkit(), *_check_wheels()]


def _check_driver() -> list[Fault]:
    if Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi"):
        return []
    remedy = "Install it, or train on processors: cluster.gpus_per_trial=0"
    return [Fault("the GPU driver", "no nvidia-smi on PATH", "NVIDIA's driver", remedy)]


def _nvcc() -> Path | None:
    """The compiler of the machine's toolkit: $nvcc_path, on PATH, or at the usual place."""
    named = os.environ.get("nvcc_path")  # noqa: SIM112  (Jittor's variable)
    found = named or shutil.which("nvcc")
    usual = Path("/usr/local/cuda/bin/nvcc")
    if found:
        return Path(found)
    return usual if usual.exists() else None


def _check_toolkit() -> list[Fault]:
    nvcc = _nvcc()
    expected = "a CUDA toolkit, 11.2 to 12.9"
    remedy = "Install it (apt-get install cuda-toolkit-12-6), or type nvcc_path=/usr/local/cuda-12.6/bin/nvcc before"
    if nvcc is None:
        return [Fault("nvcc", "not found on PATH", expected, f"{remedy} python.")]
    version = _version(nvcc)
    if version is None or version[0] not in _CUDA:
        told = "it does not tell its version" if version is None else f"CUDA {version[0]}.{version[1]}"
        return [Fault(str(nvcc), told, f"{expected}, for which cuDNN 8 was built", f"{remedy} python.")]
    missing = [name for name in _LIBRARIES if _library(_toolkit(nvcc), name) is None]
    if missing:
        return [Fault(str(_toolkit(nvcc)), f"without lib{', lib'.join(missing)}", "a whole CUDA toolkit", remedy)]
    return []


def _version(nvcc: Path) -> tuple[int, int] | None:
    try:
        told = subprocess.run([nvcc, "--version"], capture_output=True, text=True, timeout=60, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = _VERSION.search(told)
    return (int(found[1]), int(found[2])) if found else None


def _toolkit(nvcc: Path) -> Path:
    """The toolkit's folder, also where nvcc is a script that starts another one."""
    real = nvcc.resolve()
    if not (real.parent.parent / "include").is_dir() or not list(_libraries(real.parent.parent)):
        told = subprocess.run(
            [nvcc, "--dryrun", "-E", "-"], input="", capture_output=True, text=True, check=False
        ).stderr
        top = re.search(r"^#\$ TOP=(.+)$", told, re.MULTILINE)
        if top:
            return Path(top[1]).resolve()
    return real.parent.parent


def _libraries(toolkit: Path) -> Iterator[Path]:
    for name in ("lib64", "lib", "targets/x86_64-linux/lib", "targets/sbsa-linux/lib"):
        yield from (toolkit / name).glob("lib*.so*")


def _library(toolkit: Path, name: str) -> Path | None:
    """The library with the shortest file name, which is the one that others are links to or the link itself."""
    found = [path for path in _libraries(toolkit) if path.name.startswith(f"lib{name}.so")]
    return min(found, key=lambda path: len(path.name), default=None)


def _check_wheels() -> list[Fault]:
    faults = []
    install = f"Type: {sys.executable} -m pip install -c constraints.txt -e '.[gpu]'"
    for package, major in _WHEELS.values():
        try:
            version = metadata.version(package)
        except metadata.PackageNotFoundError:
            faults.append(Fault(package, "not installed", f"version {major}, for Jittor", install))
            continue
        if int(version.split(".")[0]) != major:
            faults.append(Fault(package, version, f"version {major}: Jittor 1.3.11 knows no other", install))
    return faults


def link(jittor_home: Path, wheels: Path | None = None) -> None:
    """Make the folder that Jittor is shown; wheels: `nvidia` in site-packages. Nothing is wrong as far as `check` says.

    Raises OSError.
    """
    nvcc = _nvcc()
    assert nvcc is not None
    toolkit, folder = _toolkit(nvcc), cuda_folder(jittor_home)
    wheels = wheels or Path(sysconfig.get_paths()["purelib"]) / "nvidia"
    for name in ("bin", "include", "lib64"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    with replacing(folder / "bin" / "nvcc") as script:  # a link would make nvcc look for its own parts here
        script.write_text(f'#!/bin/sh\nexec "{nvcc}" "$@"\n', encoding="utf-8")
    (folder / "bin" / "nvcc").chmod(0o755)
    for source in [toolkit / "include", toolkit / "targets" / "x86_64-linux" / "include"]:
        _link_all(source.glob("*"), folder / "include")
    _link_all(_libraries(toolkit), folder / "lib64")
    for name in _WHEELS:
        _link_all((wheels / name / "include").glob("*.h"), folder / "include")
        _link_all((wheels / name / "lib").glob("lib*.so*"), folder / "lib64")
    for path in sorted((folder / "lib64").glob("lib*.so.*")):
        plain = folder / "lib64" / f"{path.name.partition('.so')[0]}.so"
        if not plain.exists():
            plain.unlink(missing_ok=True)
            plain.symlink_to(path.name)


def _link_all(sources: Iterator[Path], folder: Path) -> None:
    for source in sources:
        link = folder / source.name
        if link.is_symlink() and Path(os.readlink(link)) == source:
            continue
        link.unlink(missing_ok=True)
        link.symlink_to(source)
