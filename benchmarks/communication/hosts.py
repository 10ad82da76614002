"""Ranks on hosts that are namespaces of this machine, over TCP; needs root and iproute2."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import gangs
from benchmarks.communication import enter
from jack_ray.contract import events
from jack_ray.contract.environment import PACKAGE_PARENT, interpreter, rank_environment
from jack_ray.spawn.mpirun import Host, command
from tests.cluster.hosts import Hosts, why_not


def run(ranks: int, module: str, words: Sequence[str], shared: Sequence[Path] = ()) -> list[dict[str, Any]]:
    """Start one rank of a module on each of so many hosts; the lines of JSON that they printed.

    shared: folders below /tmp that all hosts see.
    """
    home = gangs.home()
    with Hosts(ranks, shared) as hosts:
        places = [Host(host.name, host.address, hosts.subnet, 1) for host in hosts.all]
        argv = command(gangs.mpi(ranks), places, Path("trial.json"))
        program = argv[-4:]
        argv[argv.index("plm_rsh_agent") + 1] = f"{interpreter()} -SE {enter.__file__}"
        pids = {host.address: host.first_process for host in hosts.all}
        done = subprocess.run(
            [*argv[:-4], program[0], "-m", module, *words],
            cwd=PACKAGE_PARENT, env=rank_environment(home, 1) | {enter.PIDS: json.dumps(pids)},
            capture_output=True, text=True, timeout=gangs.PATIENCE_S, check=False,
        )  # fmt: skip
    if done.returncode != 0:
        raise SystemExit(f"error: {ranks} hosts with {module} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    return gangs.answers(done.stdout)


def train(runs: Path, words: Sequence[str], ranks: int) -> gangs.Trained:
    """A trial with one rank on each of so many hosts."""
    folder = gangs.new_trial(runs, words, ranks)
    run(ranks, "jack_ray.train", [str(folder.trial)], [runs.parent])
    return gangs.Trained(folder, tuple(events.read_from(folder.events, 0)[0]))


__all__ = ["run", "train", "why_not"]
