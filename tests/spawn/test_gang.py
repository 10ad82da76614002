import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from jack_ray.contract.paths import TrialFolder
from jack_ray.spawn.process import Gang
from jack_ray.spawn.sampling import Sampler


@pytest.fixture
def gang(tmp_path: Path) -> Iterator[Gang]:
    made = Gang(TrialFolder(tmp_path), ["sleep", "600"], os.environ, ranks=range(3))
    yield made
    made.stop(5.0)


def beat(gang: Gang, rank: int, age_s: float) -> None:
    path = gang.folder.beat(rank)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    os.utime(path, (time.time() - age_s,) * 2)


def test_the_most_silent_rank_is_named(gang: Gang) -> None:
    gang.started -= 100.0
    for rank, age_s in enumerate((1.0, 7.0, 3.0)):
        beat(gang, rank, age_s)
    life = gang.life(timeout_s=5.0)
    assert life.rank == 1
    assert life.silent_s == pytest.approx(7.0, abs=1.0)
    assert not life.compiles


def test_a_rank_that_never_spoke_is_silent_since_the_start(gang: Gang) -> None:
    gang.started -= 50.0
    beat(gang, 0, 1.0)
    life = gang.life(timeout_s=60.0)
    assert life.rank == 1
    assert life.silent_s == pytest.approx(50.0, abs=1.0)


def test_a_beat_of_an_earlier_attempt_does_not_make_a_rank_late(gang: Gang) -> None:
    for rank in range(3):
        beat(gang, rank, 1000.0)
    assert gang.life(timeout_s=60.0).silent_s < 5.0


def test_a_compiler_below_the_gang_is_a_sign_of_life(tmp_path: Path) -> None:
    compiler = tmp_path / "cc1plus"
    compiler.symlink_to("/bin/sleep")
    program = f"import subprocess; subprocess.run([{str(compiler)!r}, '600'])"
    gang = Gang(TrialFolder(tmp_path), [sys.executable, "-c", program], os.environ, ranks=range(1))
    gang.started -= 50.0
    deadline = time.monotonic() + 5.0
    while not gang.life(timeout_s=10.0).compiles:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert not gang.life(timeout_s=100.0).compiles  # not looked for before it matters
    gang.stop(5.0)


def test_a_sample_adds_up_the_tree(gang: Gang, tmp_path: Path) -> None:
    while not any(Path(f"/proc/{gang.pid}/task/{gang.pid}/children").read_text().split()):
        time.sleep(0.01)
    sampler = Sampler(gang.pid, tmp_path / "system.jsonl")
    for _ in range(3):
        sampler.sample()
        time.sleep(0.05)
    lines = [json.loads(line) for line in (tmp_path / "system.jsonl").read_text().splitlines()]
    assert len(lines) == 3
    assert abs(lines[0]["time"] - time.time()) < 5.0
    assert all(name.startswith("system/") for name in lines[0]["values"])
    # a process that is just being replaced by another program has no memory
    assert 0.0 < max(line["values"]["system/trial_memory_megabytes"] for line in lines) < 100.0
    assert lines[-1]["values"]["system/trial_cpu_percentage"] < 50.0
