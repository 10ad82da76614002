"""The home of compiled operators keeps within its bound."""

import fcntl
import os
import time
from pathlib import Path

import pytest

from jack_ray.place.shared import SharedOperators
from jack_ray.spawn import compiled
from jack_ray.spawn.pruning import prune

CACHE = ".cache/jittor/jt1.3.11/g++12/py3.11.7"
KB = 1000


def operator(home: Path, name: str, used_s: float, place: str = "Linux/cpu/abcd/default") -> Path:
    """An operator of 10 kB and texts of 90 kB, which was used so many seconds ago."""
    folder = home / CACHE / place / "jit"
    folder.mkdir(parents=True, exist_ok=True)
    (folder.parent.parent / "jittor.lock").touch()
    sizes = {"_op.so": 10 * KB, "_op.so.key": 10, "_op.cc": 10, "_op.s": 60 * KB, "_op.post.s": 30 * KB}
    for ending, size in sizes.items():
        (folder / f"{name}{ending}").write_bytes(bytes(size))
        os.utime(folder / f"{name}{ending}", (time.time() - used_s,) * 2)
    return folder / f"{name}_op.so"


def test_below_the_bound_nothing_is_removed(tmp_path: Path) -> None:
    kept = operator(tmp_path, "a", 1.0)
    assert prune(tmp_path, 1000 * KB) == 0
    assert len(list(kept.parent.iterdir())) == 5


def test_texts_that_nobody_reads_go_first(tmp_path: Path) -> None:
    kept = [operator(tmp_path, name, 1.0) for name in "abc"]
    assert prune(tmp_path, 200 * KB) >= 100 * KB
    assert all(path.exists() and path.with_name(f"{path.name}.key").exists() for path in kept)


def test_the_text_of_an_operator_that_is_being_compiled_stays(tmp_path: Path) -> None:
    half = operator(tmp_path, "half", 1.0)
    half.with_name(f"{half.name}.key").unlink()
    half.unlink()
    prune(tmp_path, 1 * KB)
    assert half.with_suffix(".s").exists()


def test_operators_go_that_were_not_used_for_the_longest_time(tmp_path: Path) -> None:
    old, new = operator(tmp_path, "old", 500.0), operator(tmp_path, "new", 5.0)
    prune(tmp_path, 18 * KB)
    assert not [path for path in old.parent.iterdir() if path.name.startswith("old")]
    assert new.exists()


def test_a_bound_is_looked_at_again_when_something_was_compiled(tmp_path: Path) -> None:
    old = operator(tmp_path, "old", 500.0)
    operators = SharedOperators(None, tmp_path)
    operators.prune(1 * KB, measured=1)
    assert old.exists()
    new = operator(tmp_path, "new", 5.0)
    operators.prune(18 * KB, measured=1)
    assert (old.exists(), new.exists()) == (False, True)


def test_operators_for_gpus_which_lie_a_folder_deeper_count_and_go_too(tmp_path: Path) -> None:
    old = operator(tmp_path, "old", 500.0, "Linux/cpu/abcd/default/cu12.6_sm_90")
    new = operator(tmp_path, "new", 5.0)
    prune(tmp_path, 18 * KB)
    assert not old.exists()
    assert new.exists()


def test_the_cache_of_a_compiler_that_is_gone_goes_before_operators(tmp_path: Path) -> None:
    old = operator(tmp_path, "old", 30 * 86400.0, "Linux-6.1/cpu/abcd/default")
    kept = [operator(tmp_path, name, 500.0) for name in "ab"]
    prune(tmp_path, 26 * KB)
    assert not old.exists()
    assert all(path.exists() for path in kept)


def test_graphs_are_no_longer_known_when_operators_went(tmp_path: Path) -> None:
    path = operator(tmp_path, "a", 1.0)
    record = path.parent.parent / "known_graphs" / "1f0c"
    record.parent.mkdir()
    record.touch()
    prune(tmp_path, 1 * KB)
    assert not record.exists()


def test_nothing_is_removed_while_somebody_compiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "_LOCK_S", 0.2)
    path = operator(tmp_path, "a", 1.0)
    lock = next(tmp_path.rglob("jittor.lock"))
    child = os.fork()
    if child == 0:  # locks of one process do not shut itself out
        with lock.open("r+b") as held:
            fcntl.lockf(held.fileno(), fcntl.LOCK_EX)
            (tmp_path / "held").touch()
            time.sleep(30)
        os._exit(0)
    try:
        while not (tmp_path / "held").exists():
            time.sleep(0.01)
        with pytest.raises(OSError, match="being compiled"):
            prune(tmp_path, 1 * KB)
        assert path.exists()
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
