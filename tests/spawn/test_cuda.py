"""What GPUs need is found, joined and asked for, on a machine that has none of it."""

from importlib import metadata
from pathlib import Path

import pytest

from jack_ray.contract.environment import cuda_folder, jittor_variables
from jack_ray.spawn import cuda

LIBRARIES = ("cudart", "cublas", "cublasLt", "curand", "cufft", "cusparse")


def toolkit(root: Path, release: str = "12.6", libraries: tuple[str, ...] = LIBRARIES) -> Path:
    """A folder like a CUDA toolkit's; its nvcc tells that release."""
    for name in ("bin", "include", "lib64"):
        (root / name).mkdir(parents=True)
    (root / "include" / "cuda_runtime.h").touch()
    for name in libraries:
        (root / "lib64" / f"lib{name}.so.12").touch()
        (root / "lib64" / f"lib{name}.so").symlink_to(f"lib{name}.so.12")
    nvcc = root / "bin" / "nvcc"
    nvcc.write_text(f"#!/bin/sh\necho 'Cuda compilation tools, release {release}, V{release}.20'\n")
    nvcc.chmod(0o755)
    return nvcc


def wheels(root: Path) -> Path:
    """Folders like those of the wheels of cuDNN and NCCL, whose libraries have no plain names."""
    for name, library in (("cudnn", "libcudnn_ops_infer.so.8"), ("nccl", "libnccl.so.2")):
        (root / name / "include").mkdir(parents=True)
        (root / name / "lib").mkdir()
        (root / name / "include" / f"{name}.h").touch()
        (root / name / "lib" / library).touch()
    return root


@pytest.fixture
def whole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine on which everything is there; its toolkit's nvcc."""
    nvcc = toolkit(tmp_path / "cuda")
    monkeypatch.setenv("nvcc_path", str(nvcc))
    versions = {"nvidia-cudnn-cu12": "8.9.7.29", "nvidia-nccl-cu12": "2.20.5"}
    monkeypatch.setattr(metadata, "version", lambda name: versions[name])
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    return nvcc


def test_a_whole_machine_has_no_faults(whole: Path) -> None:
    assert cuda.check() == []


def test_all_that_is_missing_is_told_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setenv("nvcc_path", str(tmp_path / "nvcc"))
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setattr(metadata, "version", missing)
    told = {fault.where for fault in cuda.check()}
    assert told >= {str(tmp_path / "nvcc"), "nvidia-cudnn-cu12", "nvidia-nccl-cu12"}


@pytest.mark.parametrize(("release", "found"), [("13.0", "CUDA 13.0"), ("10.2", "CUDA 10.2")])
def test_a_toolkit_that_cudnn_8_was_not_built_for_is_refused(
    whole: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, release: str, found: str
) -> None:
    monkeypatch.setenv("nvcc_path", str(toolkit(tmp_path / "other", release)))
    (fault,) = cuda.check()
    assert fault.found == found


def test_a_toolkit_without_a_library_is_refused(whole: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("nvcc_path", str(toolkit(tmp_path / "other", libraries=LIBRARIES[:-1])))
    (fault,) = cuda.check()
    assert "libcusparse" in fault.found


def test_a_cudnn_that_jittor_does_not_know_is_refused(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "version", lambda name: "9.1.0" if "cudnn" in name else "2.20.5")
    (fault,) = cuda.check()
    assert (fault.where, fault.found) == ("nvidia-cudnn-cu12", "9.1.0")


def test_jittor_is_shown_one_folder_with_toolkit_cudnn_and_nccl(whole: Path, tmp_path: Path) -> None:
    for _ in range(2):  # again changes nothing
        cuda.link(tmp_path / "home", wheels(tmp_path / "nvidia") if _ == 0 else tmp_path / "nvidia")
    folder = cuda_folder(tmp_path / "home")
    for name in ("include/cuda_runtime.h", "include/cudnn.h", "include/nccl.h", "lib64/libcudart.so"):
        assert (folder / name).exists(), name
    assert (folder / "lib64" / "libcudnn_ops_infer.so").resolve().name == "libcudnn_ops_infer.so.8"
    assert (folder / "lib64" / "libnccl.so").resolve().name == "libnccl.so.2"
    assert str(whole) in (folder / "bin" / "nvcc").read_text()


def test_ranks_with_gpus_are_told_where_everything_lies_and_others_of_no_gpu(tmp_path: Path) -> None:
    told = jittor_variables(tmp_path, 1, gpu=True)
    folder = cuda_folder(tmp_path)
    assert told["nvcc_path"] == str(folder / "bin" / "nvcc")
    assert told["nccl_lib_path"] == str(folder / "lib64")
    assert told["LD_LIBRARY_PATH"].startswith(str(folder / "lib64"))
    plain = jittor_variables(tmp_path, 1)
    assert plain["nvcc_path"] == ""
    assert "nccl_lib_path" not in plain
