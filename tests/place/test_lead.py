"""A lead and the other machines of its gang, before any rank is started."""

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from jack_ray.contract.schema import MpiConfig
from jack_ray.contract.trial import Trial
from jack_ray.place import lead as leads
from jack_ray.place.camp import present, same_python
from jack_ray.place.crew import Alone, Beat, LostError, Present
from jack_ray.place.lead import Lead
from jack_ray.place.mate import Mate
from jack_ray.place.news import Ended, Order
from jack_ray.spawn.mpirun import Host
from jack_ray.spawn.oom import oom_kills

MPI = MpiConfig("openmpi", 600.0, None, 5.0)


@pytest.fixture
def order(tmp_path: Path) -> Order:
    (tmp_path / "data").mkdir()
    data = {"name": "tsl300", "root": str(tmp_path / "data")}
    trial = Trial("tsl", {"name": "tsl"}, data, {"steps": 4}, "0123", 2, 1)
    folder = tmp_path / "runs" / trial.id
    trial.save(folder / "trial.json")
    return Order(trial, folder, 1, gpu=False, jittor_home=tmp_path / "jittor", mpi=MPI, token=".driver-1")


class FakeCrew:
    """Another machine that says what it is told to say."""

    def __init__(self, muster: Callable[[], list[Present]]) -> None:
        self._muster = muster
        self.stopped = False

    def muster(self) -> list[Present]:
        return self._muster()

    def beats(self) -> list[Beat]:
        return []

    def run(self, address: str, command: str) -> int:
        raise LostError(address, "is a fake")

    def stop(self) -> None:
        self.stopped = True


def ended(lead: Lead) -> Ended:
    deadline = time.monotonic() + 20.0
    while time.monotonic() < deadline:
        news, _ = lead.poll(0)
        if news.ended is not None:
            return news.ended
        time.sleep(0.01)
    raise AssertionError("the lead did not end")


def test_an_answer_is_kept_back_until_the_attempt_ends(order: Order) -> None:
    begin = threading.Event()

    def muster() -> list[Present]:
        begin.wait(20.0)
        raise LostError("b", "is gone")

    (order.folder / order.token).touch()
    lead = Lead(order, 1, FakeCrew(muster), "10.0.0.1")
    news, _ = lead.poll(0, wait_s=0.1)
    assert news.ended is None
    threading.Timer(0.1, begin.set).start()
    news, _ = lead.poll(0, wait_s=20.0)
    assert news.ended is not None


def why(order: Order, muster: Callable[[], list[Present]]) -> tuple[str, str]:
    """(kind, whole sentence) of how an attempt with such another machine fails."""
    (order.folder / order.token).touch()
    crew = FakeCrew(muster)
    found = ended(Lead(order, 1, crew, "10.0.0.1"))
    assert crew.stopped
    assert found.status == "failed"
    assert found.failure is not None
    return found.failure.kind, str(found.failure)


def other(name: str = "lab2", *problems: str) -> Present:
    return Present(Host(name, "10.0.0.2", "10.0.0.0/24", 1), True, problems)


def test_machines_of_one_name_are_refused_with_the_remedy(order: Order) -> None:
    kind, words = why(order, lambda: [other(socket.gethostname())])
    assert kind == "start"
    assert "need different host names" in words
    assert "(10.0.0.2)" in words
    assert "hostnamectl set-hostname NAME" in words


def test_a_machine_that_lacks_the_data_is_the_one_that_is_named(order: Order) -> None:
    kind, words = why(order, lambda: [other("lab2", "data.root=/d is not there on lab2")])
    assert (kind, words.endswith("(start, lab2)")) == ("start", True)


def test_a_machine_that_does_not_answer_is_lost(order: Order) -> None:
    def silence() -> list[Present]:
        raise LostError("lab2", "did not answer")

    assert why(order, silence) == ("lost", "lab2 did not answer (lost, lab2)")


def test_an_error_of_our_own_ends_the_attempt_too(order: Order) -> None:
    def stumble() -> list[Present]:
        raise ValueError("a slip")

    kind, words = why(order, stumble)
    assert (kind, words.startswith("ValueError: a slip")) == ("start", True)


def test_two_leads_never_train_one_trial(order: Order) -> None:
    def wait() -> list[Present]:
        time.sleep(1.0)
        raise LostError("lab2", "was slow")

    (order.folder / order.token).touch()
    first = Lead(order, 1, FakeCrew(wait))
    time.sleep(0.3)
    told = order.folder / "events.jsonl"
    told.write_text("what the first one tells\n")
    assert ended(Lead(order, 1, FakeCrew(lambda: []))).status == "busy"
    assert told.read_text() == "what the first one tells\n"
    assert ended(first).status == "failed"


def test_a_folder_that_is_not_the_drivers_needs_a_storage(order: Order, tmp_path: Path) -> None:
    found = present(order, "10.0.0.1", 1)
    assert not found.shares
    assert "is not the folder of that name where the sweep was started" in found.problems[0]
    assert "site.storage" in found.problems[0]
    stored = replace(order, storage=str(tmp_path / "storage"), folder=tmp_path / "elsewhere" / "tsl")
    assert present(stored, "10.0.0.1", 1).problems == ()
    assert (stored.folder / "trial.json").is_file()
    (order.folder / order.token).touch()
    assert present(order, "10.0.0.1", 1).shares


def test_data_that_is_missing_on_a_machine_is_told(order: Order, tmp_path: Path) -> None:
    (tmp_path / "data").rmdir()
    (order.folder / order.token).touch()
    (problem,) = present(order, "10.0.0.1", 1).problems
    assert problem.startswith(f"data.root={tmp_path}/data is not there on {socket.gethostname()}")


def test_another_python_is_refused() -> None:
    assert "install at the same path" in same_python("/opt/other/bin/python")


def test_a_mate_ends_what_it_runs_when_its_lead_falls_silent(order: Order) -> None:
    mate = Mate(replace(order, lost_s=0.5), range(1, 2), "10.0.0.2")
    began = time.monotonic()
    assert mate.run("sleep 60") != 0
    assert time.monotonic() - began < 20.0


def test_a_mate_tells_the_code_of_what_it_ran(order: Order) -> None:
    assert Mate(order, range(1, 2), "10.0.0.2").run(" FOO=3; export FOO; exit $FOO") == 3


def killed(order: Order, monkeypatch: pytest.MonkeyPatch, kills: list[int]) -> Ended:
    """An attempt whose only process is killed, on a machine whose kernel has killed so many for memory."""
    monkeypatch.setattr(leads, "prepare", lambda home, report, gpu: None)
    monkeypatch.setattr(leads, "link_onednn", lambda home: None)
    monkeypatch.setattr(leads, "command", lambda mpi, hosts, trial: ["sh", "-c", "kill -9 $$"])
    monkeypatch.setattr(leads, "oom_kills", lambda: kills.pop(0) if len(kills) > 1 else kills[0])
    return ended(Lead(replace(order, token="")))


def test_a_kill_by_the_kernel_for_memory_is_told_from_a_kill_by_hand(
    order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_hand = killed(order, monkeypatch, [5, 5]).failure
    for_memory = killed(order, monkeypatch, [5, 6]).failure
    assert by_hand is not None
    assert for_memory is not None
    assert (by_hand.kind, for_memory.kind) == ("killed", "memory")
    assert for_memory.message.endswith("the kernel killed it for memory")


def test_the_kernel_tells_how_many_it_killed() -> None:
    told = Path("/proc/vmstat").read_text()
    assert f"oom_kill {oom_kills()}\n" in told or "oom_kill " not in told


def test_a_gang_of_one_machine_has_nobody_to_ask() -> None:
    alone = Alone()
    assert (alone.muster(), alone.beats()) == ([], [])
    with pytest.raises(LostError):
        alone.run("10.0.0.9", "orted")
