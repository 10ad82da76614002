"""A tree under a guard ends with its owner, whichever way the owner ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from jack_ray.spawn import guard, tree
from jack_ray.spawn.tree import Tree
from tests.processes import Family, family

GUARD = [sys.executable, "-SE", guard.__file__]

OWNER = """
import os, sys, time
from pathlib import Path
from jack_ray.spawn import tree
tree.LEASE_S = float(sys.argv[2])
folder = Path(sys.argv[1])
owned = tree.Tree([sys.executable, "-c", sys.argv[3]], os.environ, folder / "log", folder)
time.sleep(600)
"""

PLAIN = """
import time
from pathlib import Path
Path("up").touch()
time.sleep(600)
"""

DETACHED = """
import os, signal, time
from pathlib import Path
if os.fork() == 0:
    os.setsid()
    if os.fork():
        os._exit(0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    Path("up").touch()
    time.sleep(600)
os.wait()
time.sleep(600)
"""
"""Leaves a process that has lost its parent, its session and its terminal, and that takes no hint."""


@pytest.fixture
def started() -> Iterator[Family]:
    with family() as processes:
        yield processes


def own(folder: Path, command: str, lease_s: float = 30.0) -> "subprocess.Popen[bytes]":
    """A process that owns a tree, once the tree is up."""
    argv = [sys.executable, "-c", OWNER, str(folder), str(lease_s), command]
    owner = subprocess.Popen(argv, cwd=Path(__file__).parents[2])
    deadline = time.monotonic() + 20.0
    while not (folder / "up").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return owner


@pytest.mark.parametrize("command", [PLAIN, DETACHED], ids=["plain", "detached"])
@pytest.mark.parametrize("kind", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_outlives_a_killed_owner(tmp_path: Path, started: Family, command: str, kind: signal.Signals) -> None:
    owner = own(tmp_path, command)
    owner.send_signal(kind)
    owner.wait()
    started.wait_until_gone(3.0)


@pytest.mark.parametrize("command", [PLAIN, DETACHED], ids=["plain", "detached"])
def test_nothing_outlives_the_lease_of_a_stopped_owner(tmp_path: Path, started: Family, command: str) -> None:
    owner = own(tmp_path, command, lease_s=1.0)
    owner.send_signal(signal.SIGSTOP)
    deadline = time.monotonic() + 4.0
    while started.living() != [owner.pid]:
        assert time.monotonic() < deadline, started.told()
        time.sleep(0.05)
    owner.kill()
    owner.wait()


def test_a_command_dies_with_its_guard(tmp_path: Path, started: Family) -> None:
    owner = own(tmp_path, PLAIN)
    (its_guard,) = started.named("guard.py")
    os.kill(its_guard, signal.SIGKILL)
    deadline = time.monotonic() + 2.0
    while started.living() != [owner.pid]:
        assert time.monotonic() < deadline, started.told()
        time.sleep(0.02)
    owner.kill()
    owner.wait()


@pytest.mark.long
def test_a_tree_whose_owner_lives_outlives_its_lease(
    tmp_path: Path, started: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tree, "LEASE_S", 0.8)
    owned = Tree([sys.executable, "-c", DETACHED], os.environ, tmp_path / "log", tmp_path)
    time.sleep(2.5)
    assert owned.poll() is None
    assert owned.stop(5.0) == guard.ENDED_BY_OWNER
    assert started.living() == []


def test_a_command_that_ends_takes_what_it_detached_along(tmp_path: Path, started: Family) -> None:
    owned = Tree([sys.executable, "-c", DETACHED], os.environ, tmp_path / "log", tmp_path)
    while not (tmp_path / "up").exists():
        time.sleep(0.01)
    command = next(pid for pid in started.living() if pid != owned.pid)
    os.kill(command, signal.SIGTERM)
    deadline = time.monotonic() + 5.0
    while owned.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert owned.poll() == 128 + signal.SIGTERM
    assert started.living() == []


def run_guard(*command: str, lease_s: float = 30.0, keep_lease: bool = True) -> "subprocess.CompletedProcess[str]":
    """Run a command under a guard to its end; the lease's pipe stays open meanwhile, or is closed at once."""
    process = subprocess.Popen(
        [*GUARD, str(lease_s), *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    if not keep_lease and process.stdin is not None:
        process.stdin.close()
        process.stdin = None
    assert process.stdout is not None
    assert process.stderr is not None
    out, error = process.stdout.read(), process.stderr.read()
    return subprocess.CompletedProcess(command, process.wait(10.0), out, error)


@pytest.mark.parametrize(("ending", "code"), [("sys.exit(0)", 0), ("sys.exit(3)", 3), ("os.kill(os.getpid(), 9)", 137)])
def test_the_exit_code_is_the_commands(ending: str, code: int) -> None:
    assert run_guard(sys.executable, "-c", f"import os, sys; {ending}").returncode == code


def test_a_command_that_is_not_there_is_named() -> None:
    done = run_guard("/no/such/program")
    assert done.returncode == 127
    assert "guard: cannot start /no/such/program" in done.stderr


def test_a_lease_that_ends_has_a_code_of_its_own() -> None:
    assert run_guard("sleep", "600", keep_lease=False).returncode == guard.ENDED_BY_OWNER
    assert run_guard("sleep", "600", lease_s=0.3).returncode == guard.ENDED_BY_OWNER


def test_a_lease_that_ends_at_once_needs_no_grace() -> None:
    began = time.monotonic()
    for _ in range(5):
        run_guard("sleep", "600", keep_lease=False)
    assert time.monotonic() - began < guard.GRACE_S


def test_a_command_is_asked_before_it_is_killed(tmp_path: Path) -> None:
    polite = (
        "import signal, sys, time\nfrom pathlib import Path\n"
        "def end(*_):\n    Path(sys.argv[1]).touch()\n    sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\nprint('up', flush=True)\ntime.sleep(600)\n"
    )
    argv = [*GUARD, "30", sys.executable, "-c", polite, str(tmp_path / "asked")]
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    process.terminate()
    assert process.wait(3.0) == guard.ENDED_BY_OWNER
    assert (tmp_path / "asked").exists()


@pytest.mark.long
def test_a_command_that_takes_no_hint_is_killed_after_the_grace() -> None:
    stubborn = "import signal, time\nsignal.signal(15, signal.SIG_IGN)\nprint('up', flush=True)\ntime.sleep(600)\n"
    process = subprocess.Popen(
        [*GUARD, "30", sys.executable, "-c", stubborn], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdin is not None
    process.stdout.readline()
    began = time.monotonic()
    process.stdin.close()
    assert process.wait(guard.GRACE_S + 5.0) == guard.ENDED_BY_OWNER
    assert guard.GRACE_S - 0.5 < time.monotonic() - began < guard.GRACE_S + 2.0


def test_ctrl_c_in_the_terminal_does_not_reach_the_tree() -> None:
    process = subprocess.Popen(
        [*GUARD, "30", "sleep", "600"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    time.sleep(0.3)
    os.killpg(process.pid, signal.SIGINT)
    time.sleep(0.3)
    assert process.poll() is None
    process.terminate()
    assert process.wait(3.0) == guard.ENDED_BY_OWNER


def test_a_tree_writes_to_its_log_and_starts_in_its_folder(tmp_path: Path) -> None:
    log = tmp_path / "ranks" / "mpirun.log"
    for _ in range(2):
        owned = Tree(["pwd"], os.environ, log, tmp_path)
        while owned.poll() is None:
            time.sleep(0.01)
    assert log.read_text() == f"{tmp_path}\n" * 2
