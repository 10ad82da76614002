"""A Ray cluster on the hosts, and launches on it as a user types them."""

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from jack_ray.contract import events
from jack_ray.contract.environment import PACKAGE_PARENT
from jack_ray.contract.paths import TrialFolder
from tests.cluster.hosts import Host, Hosts, Running
from tests.processes import parent_of
from tests.training import fingerprint, numbers

PORT = 6379
CPUS = 2
JOIN_S = 90.0

SMALL = (
    "model=tsl_small", "train.batch=6", "train.steps=16", "train.evaluate_every=8", "train.checkpoint_every=2",
    "cluster=running", "cluster.ranks=3", "cluster.placement=spread", "cluster.wait_s=1", "cluster.lost_s=4",
    "retry.wait_s=0.5", "mpi.timeout_s=20", "mpi.stop_s=3", "tracking=none",
)  # fmt: skip
"""A trial of three ranks, one on each host, of some seconds; nobody waits long for who is silent.

Nor for who is slow: tests that take this stage are marked `alone`.
"""

OURS = ("jack_ray.train", "mpirun", "orted", "guard.py", "rsh_agent", "jack_ray.launch", "jack_ray.upload")
"""What belongs to a launch, by words of its command line; Ray itself stays."""

ACTORS = ("ray::RayLead", "ray::RayMate")
"""Processes of Ray that it ends itself: on a host that is cut off not before it hears of that."""

INJECT = """
import signal, sys
if "jack_ray.train" in sys.orig_argv:
    def _raise(kind, frame):
        raise RuntimeError("injected")
    signal.signal(signal.SIGUSR1, _raise)
"""
"""Read by every Python that is started: a rank raises an error where a signal finds it."""


@dataclass
class Stage:
    """Ray on every host, with a token; the first one is the head, on which drivers run."""

    hosts: Hosts
    folder: Path
    data: Path
    jittor_home: Path
    token: str = field(default_factory=lambda: secrets.token_hex(32))

    def __post_init__(self) -> None:
        for host in self.hosts.all:
            (host.folder / "home/.ray").mkdir(exist_ok=True)
            token = host.folder / "home/.ray/auth_token"
            token.write_text(self.token)
            token.chmod(0o600)
        (self.folder / "inject").mkdir(exist_ok=True)
        (self.folder / "inject/sitecustomize.py").write_text(INJECT)

    @property
    def head(self) -> Host:
        """Where Ray's head is."""
        return self.hosts[0]

    @property
    def address(self) -> str:
        """Of Ray."""
        return f"{self.head.address}:{PORT}"

    def environment(self) -> dict[str, str]:
        """Of everything that talks to Ray, or is it."""
        return {
            "RAY_AUTH_MODE": "token",
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_worker_niceness": "0",
            "RAY_health_check_period_ms": "1000",
            "RAY_health_check_timeout_ms": "3000",
            "RAY_health_check_failure_threshold": "3",
            "PYTHONPATH": str(PACKAGE_PARENT),
            "JACK_RAY_JITTOR_HOME": str(self.jittor_home),
        }

    def start(self) -> None:
        """Start Ray on the head, then on the others."""
        head = ["--head", f"--port={PORT}", "--include-dashboard=false"]
        self._ray_start(self.head, head)
        for host in self.hosts.all[1:]:
            self.join(host)

    def join(self, host: Host) -> None:
        """Start Ray on a host, and wait until the head counts it."""
        self._ray_start(host, [f"--address={self.address}"])

    def _ray_start(self, host: Host, words: Sequence[str]) -> None:
        fixed = [f"--node-ip-address={host.address}", f"--num-cpus={CPUS}", "--num-gpus=0"]
        ray = str(Path(sys.executable).with_name("ray"))
        memory = ["--object-store-memory=100000000", "--disable-usage-stats"]
        host.check([sys.executable, ray, "start", *words, *fixed, *memory], self.environment(), timeout_s=JOIN_S)

    def mend(self, disturbed: Host | None = None) -> None:
        """All hosts on, connected, and counted by Ray; one that was disturbed is started anew."""
        if disturbed is None:
            return
        disturbed.power_off()
        disturbed.power_on()
        self.join(disturbed)
        deadline = time.monotonic() + JOIN_S
        while (told := self._counted()) != len(self.hosts.all):
            assert time.monotonic() < deadline, f"Ray counts {told} hosts"
            time.sleep(1.0)

    def _counted(self) -> int:
        """The hosts that Ray takes for alive."""
        program = (
            "import ray, sys; ray.init(sys.argv[1], log_to_driver=False, logging_level='ERROR'); "
            "print('alive', sum(node['Alive'] for node in ray.nodes()))"
        )
        told = self.head.check([sys.executable, "-c", program, self.address], self.environment())
        return int(told.rpartition("alive ")[2].split()[0])

    def bench(self, name: str, runs: Path | None = None) -> "Play":
        """A folder in which one launch after the other is typed."""
        folder = self.folder / name
        folder.mkdir()
        return Play(self, folder, runs or folder / "runs")


@dataclass
class Play:
    """Launches in one folder, on the head."""

    stage: Stage
    folder: Path
    runs: Path
    injects: bool = False
    _process: "subprocess.Popen[str] | None" = None

    @property
    def log(self) -> Path:
        """What they printed."""
        return self.folder / "out.log"

    def output(self) -> str:
        """All of it."""
        return self.log.read_text(errors="replace")

    def start(self, *words: str, environment: Mapping[str, str] | None = None) -> None:
        """Type a launch."""
        variables = self.stage.environment() | dict(environment or {})
        if self.injects:
            variables["PYTHONPATH"] += f"{os.pathsep}{self.stage.folder / 'inject'}"
        typed = [
            *SMALL,
            f"cluster.address={self.stage.address}",
            f"data.root={self.stage.data}",
            f"site.runs={self.runs}",
        ]
        argv = [sys.executable, "-m", "jack_ray.launch", *typed, *words]
        self._process = self.stage.head.start(argv, self.log, variables, folder=self.folder)

    def wait(self, timeout_s: float = 240.0) -> int:
        """The exit code of the launch."""
        assert self._process is not None
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.end()
            raise AssertionError(f"no end after {timeout_s:g} s:\n{self.output()}") from None

    def end(self) -> None:
        """Kill what is left of the launch."""
        if self._process is not None and self._process.poll() is None:
            self.stage.head.kill_tree(self._process.pid)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(10.0)

    def run(self, *words: str, timeout_s: float = 240.0) -> int:
        """A launch to its end; its exit code."""
        self.start(*words)
        return self.wait(timeout_s)

    def has_ended(self) -> bool:
        """Whether the launch is over."""
        return self._process is None or self._process.poll() is not None

    def trials(self) -> list[TrialFolder]:
        """Their folders, by id."""
        return [TrialFolder(path) for path in sorted((self.runs / "trials").glob("*")) if path.is_dir()]

    def result(self) -> dict[str, tuple[dict[str, str], dict[tuple[int, str], float]]]:
        """Trial id -> hashes of its checkpoints, and every number it told."""
        return {trial.path.name: (fingerprint(trial), numbers(trial)) for trial in self.trials()}

    def wait_for_steps(self, steps: int, timeout_s: float = 150.0) -> None:
        """Until a trial has told of so many steps."""
        self._wait_for(lambda: self.last_step() >= steps, timeout_s)

    def wait_for_trials(self, count: int, timeout_s: float = 150.0) -> None:
        """Until so many trials have told numbers."""
        self._wait_for(lambda: sum(_steps(trial) > 0 for trial in self.trials()) >= count, timeout_s)

    def last_step(self) -> int:
        """The furthest step that any trial has told."""
        return max((_steps(trial) for trial in self.trials()), default=0)

    def went_on(self, after: float) -> float | None:
        """When the first numbers of an attempt came that began after a moment; None if there are none yet."""
        told = [event for trial in self.trials() for event in events.read_from(trial.events, 0)[0]]
        later = {event.attempt for event in told if event.kind == "started" and event.time > after}
        times = [event.time for event in told if event.kind == "metrics" and event.attempt in later]
        return min(times, default=None)

    def wait_for_words(self, words: str, timeout_s: float = 60.0) -> None:
        """Until the launch has printed them."""
        self._wait_for(lambda: words in self.output(), timeout_s)

    def _wait_for(self, is_so: Callable[[], bool], timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        while not is_so():
            assert not self.has_ended(), self.output()
            assert time.monotonic() < deadline, self.output()
            time.sleep(0.05)

    def left(self, parts: Sequence[str] = OURS, timeout_s: float = 20.0) -> list[Running]:
        """What of a launch runs on any host, when it has had some time to end."""
        deadline = time.monotonic() + timeout_s
        while (found := having(self.stage.hosts, parts)) and time.monotonic() < deadline:
            time.sleep(0.2)
        return found


def _steps(trial: TrialFolder) -> int:
    told = events.read_from(trial.events, 0)[0]
    return max((event.step or 0 for event in told if event.kind == "metrics"), default=0)


def ranks_of(host: Host) -> list[Running]:
    """The ranks on a host: without mpirun and the guard, whose command lines hold theirs, and without forks."""
    told = host.processes("jack_ray.train")
    found = [process for process in told if "mpirun" not in process.words and "guard.py" not in process.words]
    known = {process.pid for process in found}
    return [process for process in found if parent_of(process.pid) not in known]


def having(hosts: Hosts, parts: Sequence[str]) -> list[Running]:
    """The processes on any host with one of some words in their command line."""
    return [process for process in hosts.processes() if any(part in process.words for part in parts)]
