"""What a lead and its mates do alike on their machine: see whether ranks can run here, and prepare Jittor."""

import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from jack_ray.contract.paths import TrialFolder
from jack_ray.contract.trial import Trial
from jack_ray.place.crew import Present, UnfitError
from jack_ray.place.news import Order
from jack_ray.spawn.mpirun import Host
from jack_ray.spawn.network import network_of


def present(order: Order, address: str, ranks: int) -> Present:
    """This machine, and what is missing on it. Its folder of the trial is made ready where it is not the driver's."""
    folder = TrialFolder(order.folder)
    name = socket.gethostname()
    problems = []
    shares = not order.token or (folder.path / order.token).exists()
    if not shares and order.storage is None:
        problems.append(
            f"{folder.path} on {name} is not the folder of that name where the sweep was started. Mount the same one "
            "on all machines, or type site.storage=<a folder or object store that all reach>"
        )
    elif not shares:
        problems += _make_folder(folder, order.trial, name)
    root = order.trial.data.get("root")
    if isinstance(root, str) and not Path(root).exists():
        problems.append(f"data.root={root} is not there on {name}; the data must lie at the same place on all machines")
    host = Host(name, address, network_of(address), ranks)
    return Present(host, shares, tuple(problems))


def fit_hosts(everyone: Sequence[Present]) -> list[Host]:
    """The machines of a gang. Raises UnfitError with everything that is wrong with them."""
    unfit = next((entry.host.name for entry in everyone if entry.problems), everyone[0].host.name)
    problems = [problem for entry in everyone for problem in entry.problems]
    hosts = [entry.host for entry in everyone]
    names = [host.name for host in hosts]
    same = sorted({name for name in names if names.count(name) > 1})
    if same:
        where = ", ".join(f"{host.name} ({host.address})" for host in hosts)
        problems.append(
            f"machines of a trial need different host names, by which Jittor tells who shares a machine: {where}. "
            f"Rename {same[0]} on one of them: hostnamectl set-hostname NAME"
        )
    if problems:
        raise UnfitError(unfit, "; ".join(problems))
    return hosts


def _make_folder(folder: TrialFolder, trial: Trial, name: str) -> list[str]:
    try:
        folder.path.mkdir(parents=True, exist_ok=True)
        trial.save(folder.trial)
        # what earlier attempts told from here lies with the driver
        for told in (folder.events, folder.system, *folder.log(0).parent.glob("*")):
            told.unlink(missing_ok=True)
    except OSError as error:
        return [f"{folder.path} on {name} cannot be written to ({error.strerror})"]
    return []


def same_python(interpreter: str) -> str:
    """Empty if ranks can be started with that Python here, else what is wrong."""
    if os.access(interpreter, os.X_OK) and Path(interpreter).resolve() == Path(sys.executable).resolve():
        return ""
    return (
        f"{socket.gethostname()} runs {sys.executable}, but the trial's first machine {interpreter}: "
        "install at the same path on all machines"
    )
