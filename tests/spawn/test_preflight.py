"""What is missing on a machine is told with the command that mends it."""

import json
import os
import shutil
import sys
import sysconfig
from importlib import metadata
from pathlib import Path

import pytest

from jack_ray import prepare as prepare_command
from jack_ray.contract.environment import PACKAGE_PARENT, interpreter, rank_environment
from jack_ray.contract.errors import PreflightError
from jack_ray.spawn import preflight
from jack_ray.spawn.preflight import check, count_compiled, is_prepared, link_onednn, prepare


def told(home: Path) -> str:
    return "\n".join(str(fault) for fault in check(home))


def test_a_machine_with_everything_has_no_faults(tmp_path: Path) -> None:
    assert check(tmp_path) == []


@pytest.fixture(autouse=True)
def compiler_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jittor, if an earlier test imported it, has left its compiler in this process's environment."""
    monkeypatch.delenv("cc_path", raising=False)


def test_a_missing_compiler_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert told(tmp_path) == "g++: not found on PATH; expected a C++ compiler\n    Install it: apt-get install g++"


def test_missing_headers_of_python_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sysconfig, "get_paths", lambda: {"include": "/nowhere"})
    assert told(tmp_path).startswith("/nowhere/Python.h: missing; expected the C headers of this Python")


def test_a_missing_mpirun_and_onednn_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    text = told(tmp_path)
    for name in ("mpirun", "mpicc"):
        assert f"{name}: not beside {tmp_path}/bin/python; expected Open MPI's" in text
    assert f"oneDNN: no libdnnl.so in {tmp_path}/lib" in text
    assert "pip install -c constraints.txt" in text


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("2.1.0", "numpy: 2.1.0; expected numpy below 2: Jittor reads numpy 2's arrays wrongly"),
        (None, "numpy: not installed; expected the package numpy"),
    ],
)
def test_a_numpy_that_jittor_cannot_use_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str | None, words: str
) -> None:
    real = metadata.version

    def pretend(name: str) -> str:
        if name != "numpy":
            return real(name)
        if version is None:
            raise metadata.PackageNotFoundError(name)
        return version

    monkeypatch.setattr(metadata, "version", pretend)
    assert told(tmp_path).startswith(words)


def test_a_home_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    home = tmp_path / "file" / "jittor"
    assert told(home).startswith(f"site.jittor={home}: Not a directory; expected a folder to write to")
    assert "Type site.jittor=<a folder that you may write to>" in told(home)


def test_a_disk_without_room_for_a_first_compilation_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(1 << 40, 1 << 40, 300 << 20))
    assert told(tmp_path).startswith(f"site.jittor={tmp_path}: 300 MiB free; expected 1 GiB")
    preflight._marker(tmp_path).touch()
    assert check(tmp_path) == []


def test_all_that_is_missing_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(sysconfig, "get_paths", lambda: {"include": "/nowhere"})
    with pytest.raises(PreflightError, match=r"(?s)cannot start ranks yet \(2 found\):.*g\+\+:.*Python\.h"):
        prepare(tmp_path, lambda words, share: None)


def test_onednn_is_linked_where_jittor_looks_and_a_second_time_changes_nothing(tmp_path: Path) -> None:
    link_onednn(tmp_path)
    home = next(tmp_path.rglob("dnnl_lnx_*"))
    links = {path: path.lstat().st_mtime_ns for path in [home / "include", *(home / "lib").iterdir()]}
    assert len(links) == 4
    assert all(path.resolve().exists() for path in links)
    link_onednn(tmp_path)
    assert {path: path.lstat().st_mtime_ns for path in links} == links


def test_a_link_to_an_installation_that_moved_is_mended(tmp_path: Path) -> None:
    link_onednn(tmp_path)
    link = next(tmp_path.rglob("libmkldnn.so"))
    link.unlink()
    link.symlink_to("/old/lib/libdnnl.so")
    link_onednn(tmp_path)
    assert Path(os.readlink(link)) == Path(sys.prefix) / "lib" / "libdnnl.so"


def fake_jittor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> Path:
    """A home, and a package in Jittor's place whose import takes no minutes."""
    (tmp_path / "fake").mkdir()
    (tmp_path / "fake" / "jittor.py").write_text(text)
    monkeypatch.setattr(
        preflight,
        "rank_environment",
        lambda home, threads, gpu: (
            rank_environment(home, threads) | {"PYTHONPATH": f"{tmp_path / 'fake'}:{PACKAGE_PARENT}"}
        ),
    )
    return tmp_path / "home"


def test_a_compilation_that_fails_is_told_with_its_last_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = fake_jittor(tmp_path, monkeypatch, "print('g++: fatal error: no memory')\nraise SystemExit(7)")
    with pytest.raises(PreflightError, match=r"(?s)exit code 7\); all of it: .*prepare\.log\n.*g\+\+: fatal error"):
        prepare(home, lambda words, share: None)
    assert not is_prepared(home)


def test_a_compilation_is_done_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = fake_jittor(tmp_path, monkeypatch, "# compiled at once\n")
    heard: list[float] = []
    prepare(home, lambda words, share: heard.append(share))
    assert is_prepared(home)
    assert heard[-1] == 1.0
    assert json.loads(preflight._marker(home).read_text())["python"] == interpreter()
    heard.clear()
    prepare(home, lambda words, share: heard.append(share))
    assert heard == []


@pytest.mark.parametrize(("there", "first"), [(0, 0.0), (33, 0.2), (165, 0.0), (165 + 33, 0.2)])
def test_progress_counts_neither_the_cores_of_other_interpreters_nor_forgets_an_own_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: int, first: float
) -> None:
    home = fake_jittor(tmp_path, monkeypatch, "import time\ntime.sleep(0.7)\n")
    monkeypatch.setattr(preflight, "count_compiled", lambda home: (there, 0))
    heard: list[float] = []
    prepare(home, lambda words, share: heard.append(share))
    assert heard[0] == pytest.approx(first)
    assert heard[-1] == 1.0


def test_a_compilation_that_is_stopped_leaves_no_process_and_no_mark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = fake_jittor(tmp_path, monkeypatch, "import time\ntime.sleep(600)\n")
    children: list[int] = []

    def stop(words: str, share: float) -> None:
        children.extend(int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(home, stop)
    assert children
    assert not any(Path(f"/proc/{pid}").exists() for pid in children[-1:])
    assert not is_prepared(home)


def test_an_empty_home_has_nothing_compiled(tmp_path: Path) -> None:
    assert count_compiled(tmp_path) == (0, 0)


def test_another_compiler_means_another_compilation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = preflight._marker(tmp_path)
    other = tmp_path / "other++"
    other.write_text("#!/bin/sh\n")
    other.chmod(0o755)
    monkeypatch.setenv("cc_path", str(other))
    assert preflight._marker(tmp_path) != before


def test_the_prepare_command_says_that_nothing_is_left_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = fake_jittor(tmp_path, monkeypatch, "")
    prepare_command.run(home)
    first = capsys.readouterr().out
    assert first.startswith(f"Compiling Jittor into {home}: minutes, and once on this machine.")
    assert first.endswith("Jittor is compiled.\n")
    prepare_command.run(home)
    assert capsys.readouterr().out == f"Jittor is compiled already ({home}).\n"


def test_the_prepare_command_ends_with_one_message(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("JACK_RAY_JITTOR_HOME", str(tmp_path))
    with pytest.raises(SystemExit, match=r"^error: This machine cannot start ranks yet"):
        prepare_command.main()
