"""What stands in ssh's place: agents that mpirun starts, and the lead that answers them."""

import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from jack_ray.spawn import rsh_agent
from jack_ray.spawn.relay import CANNOT_START, Relay


class Machines:
    """Remembers what was asked for, and lets commands run until they are released."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.release = threading.Event()

    def start(self, host: str, command: str) -> int:
        self.asked.append((host, command))
        if host == "gone":
            raise ConnectionError("no such machine in this trial")
        assert self.release.wait(20.0)
        return 7


@pytest.fixture
def machines() -> Machines:
    return Machines()


@pytest.fixture
def relay(machines: Machines) -> Iterator[Relay]:
    made = Relay(machines.start)
    yield made
    machines.release.set()
    made.close()


def agent(path: Path, *words: str) -> "subprocess.Popen[str]":
    environment = os.environ | {rsh_agent.SOCKET: str(path)}
    argv = [sys.executable, "-SE", rsh_agent.__file__, *words]
    return subprocess.Popen(argv, env=environment, stderr=subprocess.PIPE, text=True)


def test_an_agent_lives_as_long_as_its_command_and_ends_with_its_code(relay: Relay, machines: Machines) -> None:
    asking = agent(relay.path, "10.0.0.2", " orted", "-mca", 'orte_hnp_uri "1.0;tcp://10.0.0.1:4"')
    with pytest.raises(subprocess.TimeoutExpired):
        asking.wait(1.0)
    machines.release.set()
    assert asking.wait(10.0) == 7
    assert machines.asked == [("10.0.0.2", ' orted -mca orte_hnp_uri "1.0;tcp://10.0.0.1:4"')]


def test_machines_are_asked_at_the_same_time(relay: Relay, machines: Machines) -> None:
    asking = [agent(relay.path, f"10.0.0.{number}", "orted") for number in range(3)]
    machines.release.set()
    assert [process.wait(10.0) for process in asking] == [7, 7, 7]
    assert sorted(host for host, _ in machines.asked) == ["10.0.0.0", "10.0.0.1", "10.0.0.2"]


def test_an_agent_whose_machine_cannot_be_reached_fails(relay: Relay) -> None:
    assert agent(relay.path, "gone", "orted").wait(10.0) == CANNOT_START


def test_an_agent_without_a_lead_fails_with_a_word(tmp_path: Path) -> None:
    asking = agent(tmp_path / "socket", "10.0.0.2", "orted")
    assert asking.wait(10.0) == rsh_agent.LEAD_GONE
    assert asking.stderr is not None
    assert "cannot reach the trial's lead" in asking.stderr.read()


def test_nobody_else_may_enter_the_folder_of_the_socket(relay: Relay) -> None:
    assert stat.S_IMODE(relay.path.parent.stat().st_mode) == 0o700
    relay.close()
    assert not relay.path.parent.exists()
