"""python -m jack_ray.warm compiles what training needs."""

import subprocess
import sys
from pathlib import Path

import pytest

from jack_ray.spawn.compiled import identity, unpack
from jack_ray.spawn.preflight import CORE_OBJECTS, compiler, count_compiled


def warm(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "jack_ray.warm", *words], capture_output=True, text=True, timeout=1500, check=False
    )


def test_without_a_model_the_help_is_told() -> None:
    told = warm()
    assert told.returncode == 2
    assert "model=tsl" in told.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["cluster.ranks=2"], "not typed"),
        (["model=nonsense"], "no such model"),
        (["model=tsl_smal"], "tsl_small"),
        (["model=tsl_small", "train.batsh=3"], "train.batch"),
    ],
)
def test_a_mistake_is_told_in_one_message(words: list[str], said: str) -> None:
    told = warm(*words)
    assert told.returncode == 2
    assert said in told.stderr
    assert "Traceback" not in told.stderr


@pytest.mark.rank
@pytest.mark.alone  # waits a minute at most until nobody compiles
def test_what_was_compiled_lies_where_other_machines_find_it(jittor_home: Path, tmp_path: Path) -> None:
    told = warm("model=tsl_small", f"site.storage={tmp_path / 'storage'}", f"site.jittor={jittor_home}")
    assert told.returncode == 0, told.stderr
    assert "operators compiled" in told.stdout
    program = compiler()
    assert program is not None
    (kind,) = (tmp_path / "storage" / "compiled").iterdir()
    assert kind.name == identity(jittor_home, program)
    other = tmp_path / "other"
    for archive in kind.iterdir():
        unpack(archive.read_bytes(), other)
    core, operators = count_compiled(other)
    assert core >= CORE_OBJECTS
    assert operators > 0
