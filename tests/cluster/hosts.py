"""Hosts on one machine: namespaces with an address, a name, processes, a home, /tmp and /dev/shm of their own.

They share the rest of this machine's files, as hosts of a cluster share a network folder. Needs root, iproute2 and
util-linux; `why_not` says what is missing.
"""

import ipaddress
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import psutil

NEEDED = ("ip", "unshare", "nsenter", "mount", "env")
SSH_NEEDED = ("sshd", "ssh", "ssh-keygen", "rsync")
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
START_S = 20.0
SHM_SIZE = "512m"
SMALL = "small"
_PREFIX = "jr"
"""Of interfaces: `jr<process id>x<count>`, so that those of a killed run are found."""

_COUNT = itertools.count()


class HostError(AssertionError):
    """A host could not be made, or a command in it failed where none may fail."""


def find(program: str) -> str | None:
    """Where a program lies; sbin counts, which is not on everybody's PATH."""
    return shutil.which(program, path=SYSTEM_PATH)


def why_not(needed: Iterable[str] = NEEDED) -> str:
    """Why hosts cannot be made here; empty if they can."""
    if os.geteuid() != 0:
        return "hosts are made of namespaces, which needs root"
    missing = [program for program in needed if find(program) is None]
    if missing:
        return f"not installed: {', '.join(missing)} (Debian: iproute2 openssh-server rsync)"
    probe = ["unshare", "--net", "--uts", "--mount", "--pid", "--ipc", "--fork", "ip", "link", "set", "lo", "up"]
    done = subprocess.run(probe, capture_output=True, text=True, env={"PATH": SYSTEM_PATH}, check=False)
    if done.returncode != 0:
        return f"namespaces are refused here: {done.stderr.strip()}"
    name = f"{_PREFIX}{os.getpid()}p"
    done = subprocess.run([find("ip") or "ip", "link", "add", name, "type", "bridge"], capture_output=True, text=True)
    if done.returncode != 0:
        return f"bridges are refused here: {done.stderr.strip()}"
    _ip("link", "del", name)
    return ""


def _ip(*words: str, check: bool = True) -> str:
    done = subprocess.run([find("ip") or "ip", *words], capture_output=True, text=True, check=False)
    if check and done.returncode != 0:
        raise HostError(f"ip {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


def _free_network() -> ipaddress.IPv4Network:
    """A private /24 that no route or address of this machine touches."""
    taken = [ipaddress.ip_network("192.0.2.0/24")]
    for route in json.loads(_ip("-4", "-json", "route", "show", "table", "all") or "[]"):
        with suppress(ValueError):
            taken.append(ipaddress.ip_network(route.get("dst", ""), strict=False))
    for block in range(os.getpid() % 150, 256):
        for second in range(78, 100):
            network = ipaddress.IPv4Network(f"10.{second}.{block}.0/24")
            if not any(network.overlaps(other) for other in taken if other.version == 4):
                return network
    raise HostError("no free private network")


def _remove_leftovers() -> None:
    """Remove the interfaces and folders of runs that were killed; their hosts ended with them."""
    for link in json.loads(_ip("-json", "link", "show") or "[]"):
        owner = link["ifname"].removeprefix(_PREFIX).partition("x")[0]
        is_mine = link["ifname"].startswith(_PREFIX) and owner.isdigit() and "x" in link["ifname"]
        if is_mine and not Path(f"/proc/{owner}").exists():
            _ip("link", "del", link["ifname"], check=False)
    for folder in Path("/tmp").glob(f"{_PREFIX}*-*"):
        owner = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if owner.isdigit() and not Path(f"/proc/{owner}").exists():
            _remove_folder(folder)


def _remove_folder(folder: Path) -> None:
    small = folder / SMALL
    if small.is_mount():
        subprocess.run([find("umount") or "umount", "-l", str(small)], check=False)
    shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class Running:
    """A process of a host, by its id on this machine."""

    pid: int
    words: str

    def kill(self, kind: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal; a process that has ended is left alone."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, kind)


@dataclass
class Host:
    """One host; made by `Hosts`."""

    name: str
    address: str
    folder: Path
    bridge: str
    link: str
    order: dict[str, object]
    environment: dict[str, str]
    prefix: int
    gateway: str
    hardware: str
    _init: "subprocess.Popen[str] | None" = None
    _pid: int = 0
    _sshd: "subprocess.Popen[str] | None" = None

    @property
    def is_on(self) -> bool:
        """Whether it has power."""
        return self._init is not None and self._init.poll() is None

    @property
    def first_process(self) -> int:
        """Its id on this machine; whoever enters the host names it."""
        return self._pid

    def power_on(self) -> None:
        """Start it; its folders are those it had."""
        if self.is_on:
            return
        unshare = ["unshare", "--net", "--uts", "--ipc", "--mount", "--pid", "--fork", "--mount-proc"]
        init = [sys.executable, "-I", "-S", str(Path(__file__).with_name("init.py")), json.dumps(self.order)]
        log = self.folder / "init.log"
        with log.open("w") as complaints:
            self._init = subprocess.Popen(
                [*unshare, "--kill-child", "--propagation", "private", *init],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints, text=True,
                start_new_session=True, cwd="/", env=self.environment,
            )  # fmt: skip
        assert self._init.stdout is not None
        if self._init.stdout.readline().strip() != "ready":
            raise HostError(f"{self.name} did not start: {log.read_text()}")
        self._pid = psutil.Process(self._init.pid).children()[0].pid
        self._connect()

    def _connect(self) -> None:
        _ip("link", "del", self.link, check=False)  # of the time before it was switched off
        peer = f"{self.link}p"
        _ip("link", "add", self.link, "type", "veth", "peer", "name", peer)
        _ip("link", "set", peer, "netns", str(self._pid))
        _ip("link", "set", self.link, "master", self.bridge, "up")
        for words in (
            f"link set {peer} name eth0",
            f"link set eth0 address {self.hardware}",  # the same after a restart, or others would send to the old one
            f"addr add {self.address}/{self.prefix} dev eth0",
            "link set lo up",
            "link set eth0 up",
            f"route add default via {self.gateway}",
        ):
            self.check([find("ip") or "ip", *words.split()])

    def power_off(self) -> None:
        """Take the power away: every process of it is gone at once."""
        if self._init is None:
            return
        with suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        self._init.wait(START_S)
        for pipe in (self._init.stdin, self._init.stdout):
            if pipe is not None:
                pipe.close()
        self._init = None
        self._sshd = None
        _ip("link", "del", self.link, check=False)

    def link_down(self) -> None:
        """Pull the cable."""
        _ip("link", "set", self.link, "down")

    def link_up(self) -> None:
        """Put the cable back."""
        _ip("link", "set", self.link, "up")

    def _inside(self, argv: Sequence[str], folder: Path | None, more: Mapping[str, str]) -> list[str]:
        enter = [find("nsenter") or "nsenter", "-t", str(self._pid), "-n", "-m", "-u", "-i", "-p", "--"]
        settings = [f"{key}={value}" for key, value in {**self.environment, **more}.items()]
        return [*enter, find("env") or "env", "-i", "-C", str(folder or self.folder), *settings, *argv]

    def start(
        self, argv: Sequence[str], log: Path, environment: Mapping[str, str] | None = None, folder: Path | None = None
    ) -> "subprocess.Popen[str]":
        """Start a command; what it prints is added to a file."""
        with log.open("a") as out:
            return subprocess.Popen(
                self._inside(argv, folder, environment or {}),
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, text=True, start_new_session=True,
            )  # fmt: skip

    def run(
        self,
        argv: Sequence[str],
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        timeout_s: float = 120.0,
    ) -> "subprocess.CompletedProcess[str]":
        """A command to its end, stdout and stderr together in `stdout`."""
        with tempfile.TemporaryFile("w+") as out:  # a pipe would be held open by daemons that it starts
            process = subprocess.Popen(
                self._inside(argv, folder, environment or {}), stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                start_new_session=True,
            )  # fmt: skip
            try:
                code = process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                self.kill_tree(process.pid)
                process.wait(START_S)
                out.seek(0)
                raise HostError(f"{self.name}: no end of {argv} after {timeout_s:g} s:\n{out.read()}") from None
            out.seek(0)
            return subprocess.CompletedProcess(list(argv), code, out.read())

    def check(self, argv: Sequence[str], environment: Mapping[str, str] | None = None, timeout_s: float = 120.0) -> str:
        """What a command prints; HostError if it fails."""
        done = self.run(argv, environment, timeout_s=timeout_s)
        if done.returncode != 0:
            raise HostError(f"{self.name}: {' '.join(argv)} ended with {done.returncode}:\n{done.stdout}")
        return done.stdout

    def processes(self, part: str = "") -> list[Running]:
        """What runs on it, besides its first process, and has `part` in its command line."""
        if not self.is_on:
            return []
        mine = os.readlink(f"/proc/{self._pid}/ns/pid")
        found = []
        for pid in psutil.pids():
            with suppress(OSError, psutil.Error):
                if pid == self._pid or os.readlink(f"/proc/{pid}/ns/pid") != mine:
                    continue
                words = " ".join(psutil.Process(pid).cmdline())
                if part in words and words:
                    found.append(Running(pid, words))
        return found

    def kill_tree(self, pid: int) -> None:
        """Kill a command that was started here, with what it started."""
        with suppress(psutil.Error):
            for child in psutil.Process(pid).children(recursive=True):
                with suppress(psutil.Error):
                    child.kill()
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    def start_sshd(self, authorized: Path, host_key: Path) -> None:
        """Let whoever has the key in, as root."""
        config = self.folder / "sshd_config"
        config.write_text(
            f"Port 22\nListenAddress {self.address}\nHostKey {host_key}\nAuthorizedKeysFile {authorized}\n"
            "PidFile none\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\n"
        )
        self._sshd = self.start([find("sshd") or "sshd", "-D", "-e", "-f", str(config)], self.folder / "sshd.log")
        deadline = time.monotonic() + START_S
        while "listening" not in (self.folder / "sshd.log").read_text():
            if self._sshd.poll() is not None or time.monotonic() > deadline:
                raise HostError(f"sshd of {self.name}: {(self.folder / 'sshd.log').read_text()}")
            time.sleep(0.05)


@dataclass
class Hosts:
    """Hosts on a network of their own; a context manager that leaves nothing behind.

    shared: folders below /tmp that every host sees; all other files are shared anyway, but /tmp, /run, /dev/shm and
    the home. variables: set for every command. small_mb: the size of the disk at `small`, which all share.
    """

    count: int
    shared: Sequence[Path] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    small_mb: int = 0
    all: list[Host] = field(default_factory=list)
    folder: Path = Path()
    bridge: str = ""

    def __enter__(self) -> "Hosts":
        _remove_leftovers()
        self.folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir="/tmp"))
        self.bridge = f"{_PREFIX}{os.getpid()}x{next(_COUNT)}"
        network = _free_network()
        self.small.mkdir()
        try:
            if self.small_mb:
                subprocess.run(
                    [find("mount") or "mount", "-t", "tmpfs", "-o", f"size={self.small_mb}m", "none", str(self.small)],
                    check=True,
                )
            _ip("link", "add", self.bridge, "type", "bridge")
            _ip("addr", "add", f"{network[254]}/{network.prefixlen}", "dev", self.bridge)
            _ip("link", "set", self.bridge, "up")
            self.all = [self._plan(number, network) for number in range(self.count)]
            names = "".join(f"{host.address} {host.name}\n" for host in self.all)
            (self.folder / "hosts").write_text(f"127.0.0.1 localhost\n{names}")
            for host in self.all:
                host.power_on()
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._remove()

    def __getitem__(self, number: int) -> Host:
        return self.all[number]

    @property
    def home(self) -> Path:
        """The home folder, by the same name on every host and with files of its own on each."""
        return self.folder / "home"

    @property
    def small(self) -> Path:
        """A small disk that every host sees; a folder as any other where no size was given."""
        return self.folder / SMALL

    @property
    def subnet(self) -> str:
        """The hosts' network, as mpirun takes it."""
        return str(ipaddress.ip_network(f"{self.all[0].address}/{self.all[0].prefix}", strict=False))

    def _plan(self, number: int, network: ipaddress.IPv4Network) -> Host:
        name = f"host{number + 1}"
        folder = self.folder / name
        for part in ("tmp", "home"):
            (folder / part).mkdir(parents=True)
        self.home.mkdir(exist_ok=True)
        (self.folder / "resolv.conf").write_text("")  # asking a name server that nobody hears would take seconds
        (self.folder / "passwd").write_text(self._passwd())
        binds = [(str(folder / "home"), str(self.home))]
        binds += [(str(self.folder / name), f"/etc/{name}") for name in ("passwd", "hosts", "resolv.conf")]
        for path in (self.folder, *self.shared):
            if path.is_relative_to("/tmp"):
                (folder / path.relative_to("/")).mkdir(parents=True, exist_ok=True)
                binds.append((str(path), str(folder / path.relative_to("/"))))
        # the folder of all hosts was bound without the home that was put over it
        binds.append((str(folder / "home"), str(folder / self.home.relative_to("/"))))
        binds.append((str(folder / "tmp"), "/tmp"))
        binds = [bind for bind in binds if Path(bind[1]).exists() or bind[1].startswith(str(folder))]
        order: dict[str, object] = {
            "name": name,
            "memory": [("/dev/shm", SHM_SIZE), ("/run", "16m")],
            "binds": binds,
            "folders": ["/run/sshd"],
        }
        return Host(
            name=name, address=str(network[number + 1]), folder=folder, bridge=self.bridge,
            link=f"{self.bridge}v{number}", order=order, environment=self._environment(),
            prefix=network.prefixlen, gateway=str(network[254]),
            hardware=f"02:00:5e:00:00:{number + 1:02x}",
        )  # fmt: skip

    def _environment(self) -> dict[str, str]:
        fixed = {"PATH": f"{Path(sys.executable).parent}:{SYSTEM_PATH}", "HOME": str(self.home), "LANG": "C.UTF-8"}
        return {**fixed, **self.variables}

    def _passwd(self) -> str:
        lines = Path("/etc/passwd").read_text().splitlines()
        others = [line for line in lines if not line.startswith("root:")]
        return "\n".join([f"root:x:0:0:root:{self.home}:/bin/bash", *others, ""])

    def start_sshd(self) -> Path:
        """Start sshd on every host; the private key that all of them accept."""
        keys = self.folder / "ssh"
        keys.mkdir(mode=0o700)
        for name in ("client", "host"):
            keygen = [find("ssh-keygen") or "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(keys / name)]
            subprocess.run(keygen, check=True)
        for host in self.all:
            host.start_sshd(keys / "client.pub", keys / "host")
        return keys / "client"

    def processes(self, part: str = "") -> list[Running]:
        """What runs on any of them."""
        return [process for host in self.all for process in host.processes(part)]

    def _remove(self) -> None:
        for host in self.all:
            host.power_off()
        if self.bridge:
            _ip("link", "del", self.bridge, check=False)
        _remove_folder(self.folder)
