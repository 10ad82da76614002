"""The command that starts the ranks of a trial; pure."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jack_ray.contract.environment import interpreter
from jack_ray.contract.schema import MpiConfig
from jack_ray.spawn import rsh_agent


@dataclass(frozen=True)
class Host:
    """One machine of a gang."""

    name: str
    """Its host name, which no other machine of the gang may have: Jittor tells by it who shares a machine."""
    address: str
    """The IP address by which the others reach it."""
    network: str
    """The network of that address: `10.0.0.0/24`."""
    ranks: int


def command(config: MpiConfig, hosts: Sequence[Host], trial_file: Path) -> list[str]:
    """argv of the ranks: mpirun with Open MPI 4.1's flags, or the one rank itself. The first host is this one.

    `ob1` with `self,vader,tcp` keeps Open MPI off other transports; without `yield` a waiting rank takes the core
    from a compiling one; single-copy transfers need a ptrace right that containers often withhold.
    """
    rank = [interpreter(), "-m", "jack_ray.train", str(trial_file)]
    if config.kind == "none":
        return rank
    settings = {
        **(_here() if len(hosts) == 1 else _between(config, hosts)),
        "pml": "ob1",
        "btl_vader_single_copy_mechanism": "none",
        "mpi_yield_when_idle": "1",
    }
    mca = [word for key, value in settings.items() for word in ("--mca", key, value)]
    program = str(Path(sys.executable).parent / "mpirun")
    places = ",".join(f"{'localhost' if len(hosts) == 1 else host.address}:{host.ranks}" for host in hosts)
    ranks = sum(host.ranks for host in hosts)
    return [program, "-np", str(ranks), "--host", places, "--map-by", "slot", "--bind-to", "none", *mca, *rank]


def host_of(rank: int, hosts: Sequence[Host]) -> str:
    """The machine of a rank: they are dealt out host by host."""
    for host in hosts:
        if rank < host.ranks:
            return host.name
        rank -= host.ranks
    return hosts[0].name


def _here() -> dict[str, str]:
    """`isolated` starts ranks on this machine only; `lo` keeps mpirun's server on loopback."""
    return {"plm": "isolated", "oob_tcp_if_include": "lo", "btl": "self,vader"}


def _between(config: MpiConfig, hosts: Sequence[Host]) -> dict[str, str]:
    """Daemons on the other machines are started by our agent: in one step from here (no tree), and as its children.

    Without `leave_session_attached` a daemon would detach itself, its agent would end, and mpirun would wait for
    ever. Interfaces are named by their networks: machines call them differently, and a bridge such as docker0 has the
    same address on all of them. The keep-alive tells a cut cable in seconds instead of minutes.
    """
    networks = config.interface or ",".join(dict.fromkeys(host.network for host in hosts))
    return {
        "plm": "rsh",
        "plm_rsh_agent": f"{interpreter()} -SE {Path(rsh_agent.__file__)}",
        "plm_rsh_no_tree_spawn": "1",
        "plm_rsh_num_concurrent": str(max(128, len(hosts))),
        "orte_leave_session_attached": "1",
        "oob_tcp_if_include": networks,
        "oob_tcp_keepalive_time": "5",
        "oob_tcp_keepalive_intvl": "2",
        "oob_tcp_keepalive_probes": "3",
        "btl": "self,vader,tcp",
        "btl_tcp_if_include": networks,
    }
