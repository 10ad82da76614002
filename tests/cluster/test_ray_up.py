"""`ray up cluster.yaml` over sshd: a cluster of three hosts, a job, and nobody without the token."""

import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cluster.hosts import Host, Hosts, find

pytestmark = [pytest.mark.cluster, pytest.mark.ray]

ROOT = Path(__file__).parents[2]
TOKEN = "a" * 64
TRAIN = (
    "model=tsl_small", "cluster.ranks=1", "train.steps=4", "train.batch=4", "train.evaluate_every=4",
    "train.checkpoint_every=2", "tracking=none", "cluster.wait_s=1",
)  # fmt: skip


def filled_in(hosts: Hosts, key: Path, shared: Path) -> str:
    """cluster.yaml with these hosts, this interpreter's packages instead of new ones, and this shared folder."""
    text = (ROOT / "cluster.yaml").read_text()
    changes = {
        "head_ip: 192.0.2.10 ": f"head_ip: {hosts[0].address} ",
        "worker_ips: [192.0.2.11, 192.0.2.12]": f"worker_ips: [{hosts[1].address}, {hosts[2].address}]",
        "ssh_user: ubuntu": "ssh_user: root",
        "ssh_private_key: ~/.ssh/id_ed25519": f"ssh_private_key: {key}",
        "make -C ~/jack_ray prepare": f"ln -sfn {sys.prefix} ~/jack_ray/.venv",
        "/srv/jack_ray": str(shared),
    }
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    return text


@dataclass
class Up:
    """A cluster that is up, and the desk from which it is used."""

    hosts: Hosts
    desk: Host
    folder: Path
    shared: Path
    said: str

    def submit(self, *words: str, token: str | None = TOKEN, timeout_s: float = 180.0) -> "tuple[int, str]":
        """`python -m jack_ray.submit` on the desk; its exit code and what it printed."""
        if words[0].startswith("jobs/"):  # the head runs the files that `ray up` brought, not those of this folder
            words = (*words, f"env={{PYTHONPATH: {self.hosts.home}/jack_ray}}")
        variables = {"PYTHONPATH": str(ROOT)} | ({} if token is None else {"RAY_AUTH_TOKEN": token})
        if token is None:
            variables["RAY_AUTH_MODE"] = "disabled"
        argv = [sys.executable, "-m", "jack_ray.submit", *words]
        done = self.desk.run(argv, variables, folder=ROOT, timeout_s=timeout_s)
        return done.returncode, done.stdout


def number_of_nodes(up: Up) -> int:
    """How many hosts the head counts."""
    told = up.hosts[0].run(["bash", "-c", "source ~/.bashrc; ray list nodes"], timeout_s=60.0).stdout
    return len(re.findall(r"\bALIVE\b", told))


@pytest.fixture(scope="module")
def up(
    ssh_possible: None, tmp_path_factory: pytest.TempPathFactory, jittor_home: Path, demo_data: Path
) -> Iterator[Up]:
    """Four hosts: a desk, on which `ray up` is typed, and the three of the cluster."""
    folder, shared = tmp_path_factory.mktemp("up"), tmp_path_factory.mktemp("shared")
    seen = [ROOT, Path(sys.prefix), Path(sys.base_prefix), jittor_home, tmp_path_factory.getbasetemp()]
    with Hosts(4, seen) as hosts:
        key = hosts.start_sshd()
        desk = hosts[3]
        (desk.folder / "home/.ray").mkdir()
        token = desk.folder / "home/.ray/auth_token"
        token.write_text(TOKEN)
        token.chmod(0o600)
        (folder / "cluster.yaml").write_text(filled_in(hosts, key, shared))
        ray = str(Path(sys.executable).with_name("ray"))
        words = ["ray", "up", "-y", "--no-config-cache", str(folder / "cluster.yaml")]
        done = desk.run(
            [sys.executable, ray, *words[1:]], {"RAY_USAGE_STATS_ENABLED": "0"}, folder=ROOT, timeout_s=180.0
        )
        made = Up(hosts, desk, folder, shared, done.stdout)
        assert done.returncode == 0, done.stdout
        tunnel = desk.start(
            [find("ssh") or "ssh", "-N", "-i", str(key), "-o", "StrictHostKeyChecking=no", "-o", "BatchMode=yes",
             "-L", "8265:127.0.0.1:8265", f"root@{hosts[0].address}"],
            folder / "tunnel.log",
        )  # fmt: skip
        try:
            deadline = time.monotonic() + 90.0
            while number_of_nodes(made) < 3:
                assert time.monotonic() < deadline, made.said
                time.sleep(1.0)
            yield made
        finally:
            desk.kill_tree(tunnel.pid)


def test_all_three_hosts_join_and_ray_runs_with_a_token_of_its_own(up: Up) -> None:
    assert number_of_nodes(up) == 3
    for host in up.hosts.all[:3]:
        assert host.processes("raylet")
    assert not up.desk.processes("raylet")


def test_the_dashboard_listens_on_loopback_alone(up: Up) -> None:
    program = "import socket, sys; print(socket.socket().connect_ex((sys.argv[1], 8265)))"
    refused = "111"
    assert up.hosts[1].check([sys.executable, "-c", program, up.hosts[0].address]).strip() == refused
    assert up.hosts[0].check([sys.executable, "-c", program, "127.0.0.1"]).strip() == "0"


def test_clients_without_the_token_or_with_another_are_refused(up: Up) -> None:
    for token, words in ((None, "asks for a token"), ("b" * 64, "refuses the token")):
        code, said = up.submit("list", token=token)
        assert code == 2
        assert words in said
        assert "Traceback" not in said


def test_a_driver_without_the_token_is_refused(up: Up) -> None:
    variables = {"PYTHONPATH": str(ROOT), "RAY_AUTH_TOKEN": "b" * 64}
    words = ["cluster=running", f"cluster.address={up.hosts[0].address}:6379", *TRAIN]
    argv = [
        sys.executable,
        "-m",
        "jack_ray.launch",
        *words,
        f"data.root={up.shared}/none",
        f"site.runs={up.folder}/runs",
    ]
    done = up.hosts[0].run(argv, variables, timeout_s=120.0)
    assert done.returncode == 2, done.stdout
    assert not (up.folder / "runs/trials").exists()


def test_a_job_trains_on_the_cluster(up: Up, demo_data: Path, jittor_home: Path) -> None:
    words = [f"working_dir={up.shared}", "-f", *TRAIN, f"data.root={demo_data}", f"site.jittor={jittor_home}"]
    code, said = up.submit("jobs/sweep.yaml", *words, "sweep.max_concurrent=2")
    assert code == 0, said
    assert said.count("finished") >= 3, said
    assert len(list((up.shared / "runs/trials").glob("*/state.json"))) == 3
    listed = up.submit("list")[1]
    (line,) = [line for line in listed.splitlines() if line.startswith("sweep-")]
    assert "succeeded" in line
    assert "Trials, best first" in up.submit("logs", "sweep")[1]


def test_a_stopped_job_ends_as_with_ctrl_c_and_goes_on_when_it_is_sent_again(
    up: Up, demo_data: Path, jittor_home: Path
) -> None:
    words = [f"working_dir={up.shared}/stopped", *TRAIN, "train.steps=3000", "sweep=none", f"data.root={demo_data}"]
    (up.shared / "stopped").mkdir()
    code, said = up.submit("jobs/sweep.yaml", "name=stopped", *words, f"site.jittor={jittor_home}")
    assert code == 0, said
    deadline = time.monotonic() + 120.0
    while not list(up.shared.glob("stopped/runs/trials/*/checkpoints/step-*/manifest.json")):
        assert time.monotonic() < deadline, up.submit("logs", "stopped")[1]
        time.sleep(0.2)
    code, said = up.submit("stop", "stopped")
    assert code == 0, said
    assert "stopped" in up.submit("status", "stopped")[1]
    assert "Stopping the trials" in up.submit("logs", "stopped")[1]
    assert up.hosts.processes("jack_ray.train") == []


def test_ray_down_ends_it(up: Up) -> None:
    ray = str(Path(sys.executable).with_name("ray"))
    done = up.desk.run([sys.executable, ray, "down", "-y", str(up.folder / "cluster.yaml")], timeout_s=120.0)
    assert done.returncode == 0, done.stdout
    assert up.hosts[0].processes("gcs_server") == []
    deadline = time.monotonic() + 90.0
    while left := up.hosts.processes("raylet/raylet"):
        assert time.monotonic() < deadline, left
        time.sleep(1.0)
