"""The command of a trial, held against recorded text. To record it anew after a change that is meant:

python -m tests.spawn.test_mpirun
"""

import shlex
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from jack_ray.contract.environment import PACKAGE_PARENT, interpreter
from jack_ray.contract.schema import MpiConfig
from jack_ray.spawn.mpirun import Host, command

RECORDED = Path(__file__).with_name("mpirun.txt")
MPI = MpiConfig("openmpi", 600.0, None, 10.0)
ALONE = Host("lab", "127.0.0.1", "127.0.0.0/8", 1)
HERE = replace(ALONE, ranks=2)
SPREAD = [Host("lab1", "10.0.0.1", "10.0.0.0/24", 2), Host("lab2", "10.0.1.7", "10.0.1.0/24", 1)]
CASES = {
    "openmpi with 2 ranks": (MPI, [HERE]),
    "openmpi with 1 rank": (MPI, [ALONE]),
    "none": (replace(MPI, kind="none"), [ALONE]),
    "openmpi with 3 ranks on 2 machines": (MPI, SPREAD),
    "the same over a named network": (replace(MPI, interface="ib0"), SPREAD),
}


def told(mpi: MpiConfig, hosts: list[Host]) -> str:
    """The command, one word a line, without this machine's folders."""
    words = command(mpi, hosts, Path("/runs/trials/tsl-1/trial.json"))
    binaries = str(Path(sys.executable).parent)
    shown = [word.replace(interpreter(), "PYTHON").replace(binaries, "BIN") for word in words]
    shown = [word.replace(str(PACKAGE_PARENT), "SOURCE") for word in shown]
    return shlex.join(shown).replace(" --", "\n    --").replace(" PYTHON", "\n    PYTHON")


def everything() -> str:
    """The text of the recorded file."""
    return "\n\n".join(f"# {name}\n{told(*case)}" for name, case in CASES.items()) + "\n"


def test_the_command_is_the_recorded_one() -> None:
    assert everything() == RECORDED.read_text(), "if the change is meant: python -m tests.spawn.test_mpirun"


@pytest.mark.parametrize("ranks", [1, 2, 8])
def test_as_many_slots_are_asked_for_as_ranks(ranks: int) -> None:
    words = command(MPI, [replace(HERE, ranks=ranks)], Path("trial.json"))
    assert words[words.index("-np") + 1] == str(ranks)
    assert words[words.index("--host") + 1] == f"localhost:{ranks}"


if __name__ == "__main__":
    RECORDED.write_text(everything())
