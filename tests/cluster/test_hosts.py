"""The hosts that the other tests of this folder stand on are hosts."""

import subprocess
import sys
import time

import pytest

from tests.cluster.hosts import Host, Hosts

pytestmark = pytest.mark.cluster


def answers(asker: Host, address: str) -> bool:
    """Whether a connection is answered, be it by a refusal."""
    program = f"import socket; print(socket.socket().connect_ex(({address!r}, 9)))"
    told = asker.run(["timeout", "2", sys.executable, "-c", program]).stdout
    return told.strip() == "111"


def test_hosts_have_names_addresses_and_folders_of_their_own(hosts: Hosts) -> None:
    assert len({host.check(["hostname"]) for host in hosts.all}) == 3
    assert len({host.address for host in hosts.all}) == 3
    for folder in ("/tmp", "/dev/shm", "$HOME"):
        hosts[0].check(["sh", "-c", f"echo mine > {folder}/whose"])
        assert hosts[1].run(["sh", "-c", f"cat {folder}/whose"]).returncode != 0
        assert hosts[0].check(["sh", "-c", f"cat {folder}/whose"]) == "mine\n"


def test_hosts_reach_each_other_by_name_and_not_what_is_outside(hosts: Hosts) -> None:
    assert answers(hosts[0], hosts[1].address)
    assert answers(hosts[0], "host3")
    assert not answers(hosts[0], "192.0.2.1")


def test_a_host_sees_its_own_processes_only(hosts: Hosts) -> None:
    sleeper = hosts[0].start(["sleep", "1234"], hosts[0].folder / "log")
    try:
        while not hosts[0].processes("sleep 1234"):
            time.sleep(0.01)
        assert "sleep 1234" in hosts[0].check(["sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"])
        assert "sleep 1234" not in hosts[1].check(["sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"])
        assert hosts[1].processes("sleep") == []
    finally:
        hosts[0].kill_tree(sleeper.pid)


def test_a_cut_link_is_silence_and_comes_back(hosts: Hosts) -> None:
    hosts[1].link_down()
    try:
        assert not answers(hosts[0], hosts[1].address)
        assert answers(hosts[0], hosts[2].address)
    finally:
        hosts[1].link_up()
    assert answers(hosts[0], hosts[1].address)


def test_power_off_ends_everything_and_a_host_comes_back_with_its_files(hosts: Hosts) -> None:
    sleeper = hosts[2].start(["setsid", "sleep", "4321"], hosts[2].folder / "log")
    while not (left := hosts[2].processes("sleep 4321")):
        time.sleep(0.01)
    hosts[2].check(["sh", "-c", "echo kept > $HOME/kept"])
    hosts[2].power_off()
    sleeper.wait(5.0)
    assert subprocess.run(["kill", "-0", str(left[0].pid)], capture_output=True, check=False).returncode != 0
    assert not answers(hosts[0], hosts[2].address)
    hosts[2].power_on()
    assert hosts[2].check(["sh", "-c", "cat $HOME/kept"]) == "kept\n"
    assert answers(hosts[0], hosts[2].address)


def test_orphans_of_a_host_are_collected(hosts: Hosts) -> None:
    hosts[0].check(["sh", "-c", "(sleep 0.2 &) ; exit 0"])
    time.sleep(0.5)
    assert hosts[0].processes("sleep 0.2") == []
    assert "Z" not in hosts[0].check(["sh", "-c", "cut -d')' -f2 /proc/[0-9]*/stat | cut -c2"])


def test_nothing_is_left_of_hosts_that_are_gone() -> None:
    with Hosts(1) as made:
        folder, bridge, host = made.folder, made.bridge, made[0]
        host.start(["setsid", "sleep", "1111"], host.folder / "log")
        while not (left := host.processes("sleep 1111")):
            time.sleep(0.01)
    assert not folder.exists()
    shown = subprocess.run(["ip", "link", "show"], capture_output=True, text=True, check=True).stdout
    assert bridge not in shown
    assert subprocess.run(["kill", "-0", str(left[0].pid)], capture_output=True, check=False).returncode != 0
