"""The command of a trial, held against recorded text. To record it anew after a change that is meant:

python -m tests.spawn.test_mpirun
"""

import shlex
import sys
from pathlib import Path

import pytest

from jack_ray.contract.environment import interpreter
from jack_ray.contract.schema import MpiConfig
from jack_ray.spawn.mpirun import command

RECORDED = Path(__file__).with_name("mpirun.txt")
CASES = {"openmpi with 2 ranks": ("openmpi", 2), "openmpi with 1 rank": ("openmpi", 1), "none": ("none", 1)}


def told(kind: str, ranks: int) -> str:
    """The command, one word a line, without this machine's folders."""
    mpi = MpiConfig("openmpi" if kind == "openmpi" else "none", 600.0, 10.0)
    words = command(mpi, ranks, Path("/runs/trials/tsl-1/trial.json"))
    binaries = str(Path(sys.executable).parent)
    shown = [word.replace(interpreter(), "PYTHON").replace(binaries, "BIN") for word in words]
    return shlex.join(shown).replace(" --", "\n    --").replace(" PYTHON", "\n    PYTHON")


def everything() -> str:
    """The text of the recorded file."""
    return "\n\n".join(f"# {name}\n{told(*case)}" for name, case in CASES.items()) + "\n"


def test_the_command_is_the_recorded_one() -> None:
    assert everything() == RECORDED.read_text(), "if the change is meant: python -m tests.spawn.test_mpirun"


@pytest.mark.parametrize("ranks", [1, 2, 8])
def test_as_many_slots_are_asked_for_as_ranks(ranks: int) -> None:
    words = command(MpiConfig("openmpi", 600.0, 10.0), ranks, Path("trial.json"))
    assert words[words.index("-np") + 1] == str(ranks)
    assert words[words.index("--host") + 1] == f"localhost:{ranks}"


if __name__ == "__main__":
    RECORDED.write_text(everything())
