"""Everything that can be done to a trial over three hosts, and what came of it."""

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from tests.cluster.hosts import Host, Running
from tests.cluster.stage import ACTORS, Play, Stage, ranks_of

AFTER_STEP = 4
"""A fault comes when so many steps are done; checkpoints lie every two steps."""

MLFLOW_PORT = 5077


@dataclass(frozen=True)
class Outcome:
    """What came of one fault."""

    survived: bool
    """The launch ended with 0, or the same command did where the driver itself was killed."""
    recovery_s: float | None
    """From the fault to the first numbers of the next attempt; None where no attempt was lost."""
    orphans: tuple[str, ...]
    equal: bool
    """All numbers and checkpoints are those of the undisturbed trial, bit for bit."""
    output: str


def farthest(stage: Stage) -> Host:
    """A host with a rank that has neither the head nor the lead."""
    return next(host for host in stage.hosts.all[1:] if ranks_of(host) and not host.processes("ray::RayLead"))


def one(found: list[Running]) -> Running:
    """The first of what must be there."""
    assert found, "nothing to kill"
    return found[0]


def last_rank(stage: Stage) -> Running:
    """A rank on a host other than the head."""
    return one(ranks_of(farthest(stage)))


def program(stage: Stage, name: str) -> Running:
    """A program by its own name, without guards and shells whose command lines hold it."""
    found = stage.hosts.processes(name)
    return one([process for process in found if name in [Path(word).name for word in process.words.split()[:2]]])


def driver(stage: Stage) -> Running:
    """The launch."""
    return one([process for process in stage.head.processes("jack_ray.launch") if "env -i" not in process.words])


def cut(stage: Stage) -> Host:
    """Pull a host's cable."""
    host = farthest(stage)
    host.link_down()
    return host


def power_off(stage: Stage) -> Host:
    """Pull a host's plug."""
    host = farthest(stage)
    host.power_off()
    return host


def end_raylet(stage: Stage) -> Host:
    """Kill Ray on a host: the object store is part of it, and actors die when they miss it."""
    host = farthest(stage)
    one(host.processes("raylet/raylet")).kill()
    return host


MAY_END_FIRST = ("a raylet with its object store is killed",)
"""Faults that a short trial may outrun: its actors take seconds to miss Ray, and its ranks need no Ray."""

Fault = Callable[[Stage], Host | None]
"""Lets something happen; the host that needs mending afterwards."""

FAULTS: dict[str, Fault] = {
    "a rank raises": lambda stage: last_rank(stage).kill(signal.SIGUSR1),
    "a rank is killed": lambda stage: last_rank(stage).kill(),
    "a rank is stopped": lambda stage: last_rank(stage).kill(signal.SIGSTOP),
    "mpirun is killed": lambda stage: program(stage, "mpirun").kill(),
    "orted is killed": lambda stage: program(stage, "orted").kill(),
    "a mate actor is killed": lambda stage: one(stage.hosts.processes("ray::RayMate")).kill(),
    "the lead actor is killed": lambda stage: one(stage.hosts.processes("ray::RayLead")).kill(),
    "the driver is killed": lambda stage: driver(stage).kill(),
    "a raylet with its object store is killed": end_raylet,
    "a link is cut": cut,
    "a host loses power": power_off,
}
"""What happens -> how. Those of MLflow and of a full disk have functions of their own below."""


def suffer(stage: Stage, undisturbed: Play, what: str, name: str) -> Outcome:
    """Train the trial, let one thing happen to it, and see how it ends."""
    play = stage.bench(name)
    play.injects = what == "a rank raises"
    disturbed = None
    try:
        play.start()
        play.wait_for_steps(AFTER_STEP)
        at = time.time()
        disturbed = FAULTS[what](stage)
        code = play.wait()
        before = []
        if what == "the driver is killed":
            before = play.left()
            code = play.run()
        outcome = _outcome(play, undisturbed, code, at)
        if disturbed is not None and disturbed.is_on:
            disturbed.link_up()
        actors = play.left(ACTORS, timeout_s=60.0)
        return replace(outcome, orphans=(*outcome.orphans, *(process.words for process in [*before, *actors])))
    finally:
        play.end()
        stage.mend(disturbed)


def _outcome(play: Play, undisturbed: Play, code: int, at: float) -> Outcome:
    again = play.went_on(at)
    orphans = tuple(process.words for process in play.left())
    equal = play.result() == undisturbed.result()
    return Outcome(code == 0, None if again is None else again - at, orphans, equal, play.output())


def fill_the_disk(stage: Stage, undisturbed: Play, name: str) -> Outcome:
    """The disk with the runs is full for a while."""
    runs = stage.hosts.small / name
    play = stage.bench(name, runs)
    filler = stage.hosts.small / f"{name}.filler"
    try:
        play.start()
        play.wait_for_steps(AFTER_STEP)
        at = time.time()
        with suppress(OSError), filler.open("wb", buffering=0) as out:
            while True:
                out.write(b"x" * 4096)
        play.wait_for_words("o space left")  # a rank says it, or the driver
        time.sleep(2.0)
        filler.unlink()
        return _outcome(play, undisturbed, play.wait(), at)
    finally:
        filler.unlink(missing_ok=True)
        play.end()
        shutil.rmtree(runs, ignore_errors=True)


def lose_mlflow(stage: Stage, undisturbed: Play, name: str) -> tuple[Outcome, Path]:
    """MLflow's server goes away while a trial trains and comes back; what happened, and the server's database."""
    play = stage.bench(name)
    database = play.folder / "server.db"
    server = _serve(stage, play.folder)
    try:
        play.start("tracking=server", f"tracking.uri=http://127.0.0.1:{MLFLOW_PORT}")
        play.wait_for_steps(AFTER_STEP)
        at = time.time()
        _kill(stage, server)
        time.sleep(3.0)
        server = _serve(stage, play.folder)
        return _outcome(play, undisturbed, play.wait(), at), database
    finally:
        play.end()
        _kill(stage, server)


def _serve(stage: Stage, folder: Path) -> "subprocess.Popen[str]":
    argv = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(MLFLOW_PORT)]
    words = ["--workers", "1", "--backend-store-uri", f"sqlite:///{folder / 'server.db'}"]
    words += ["--artifacts-destination", str(folder / "artifacts")]
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    server = stage.head.start([*argv, *words], folder / "server.log", quiet, folder=folder)
    deadline = time.monotonic() + 100.0
    asks = f"import urllib.request as u; u.urlopen('http://127.0.0.1:{MLFLOW_PORT}/health', timeout=3)"
    while stage.head.run([sys.executable, "-c", asks]).returncode != 0:
        assert server.poll() is None, (folder / "server.log").read_text()
        assert time.monotonic() < deadline, (folder / "server.log").read_text()
        time.sleep(0.3)
    return server


def _kill(stage: Stage, server: "subprocess.Popen[str]") -> None:
    if server.poll() is None:
        stage.head.kill_tree(server.pid)
        server.wait(10.0)
