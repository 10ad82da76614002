"""The command that starts the ranks of a trial; pure."""

import sys
from pathlib import Path

from jack_ray.contract.environment import interpreter
from jack_ray.contract.schema import MpiConfig


def command(config: MpiConfig, ranks: int, trial_file: Path) -> list[str]:
    """argv of the ranks: mpirun with Open MPI 4.1's flags, or the one rank itself.

    `isolated` starts ranks on this machine only and needs no ssh, `lo` keeps mpirun's server on loopback; `ob1` with
    `self,vader` keeps Open MPI off other transports; without `yield` a waiting rank takes the core from a compiling
    one; single-copy transfers need a ptrace right that containers often withhold.
    """
    rank = [interpreter(), "-m", "jack_ray.train", str(trial_file)]
    if config.kind == "none":
        return rank
    settings = {
        "plm": "isolated",
        "oob_tcp_if_include": "lo",
        "pml": "ob1",
        "btl": "self,vader",
        "btl_vader_single_copy_mechanism": "none",
        "mpi_yield_when_idle": "1",
    }
    mca = [word for key, value in settings.items() for word in ("--mca", key, value)]
    program = str(Path(sys.executable).parent / "mpirun")
    return [program, "-np", str(ranks), "--host", f"localhost:{ranks}", "--bind-to", "none", *mca, *rank]
