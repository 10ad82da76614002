"""The driver's hands on a Ray of this machine."""

import time
from pathlib import Path

import pytest

from jack_ray.contract.schema import ClusterConfig, MpiConfig
from jack_ray.contract.trial import Trial
from jack_ray.place.news import Need, Order
from jack_ray.spawn import guard

pytestmark = pytest.mark.ray

CLUSTER = ClusterConfig("ray", None, 1, None, "pack", 1, 0.0, False, False, 20.0, 10.0)
NO_MACHINE_HAS = 1 << 60
LONG_S = 120.0
"""More than any start of Ray takes."""


def order_in(folder: Path, root: Path, memory: int = 0) -> Order:
    """Of a trial whose data lie there."""
    trial = Trial("tsl", {"name": "tsl"}, {"root": str(root)}, {"steps": 4}, "0123", 1, 1)
    return Order(trial, folder / trial.id, 2, False, folder, MpiConfig("none", 600.0, None, 5.0), memory=memory)


def test_a_trial_that_ran_out_of_memory_fails_when_no_machine_has_more(tmp_path: Path) -> None:
    from jack_ray.place.on_ray import RayHands

    hands = RayHands(CLUSTER, Need(1), tmp_path)
    try:
        handle = hands.start(order_in(tmp_path, tmp_path, NO_MACHINE_HAS))
        ended = hands.poll(handle).ended
        assert hands.room()  # nothing holds its place any more
    finally:
        hands.close()
    assert ended is not None
    assert ended.failure is not None
    assert (ended.status, ended.failure.kind) == ("failed", "memory")
    assert ended.failure.message.startswith("it ran out of memory, and no machine has room for")


def test_the_end_of_a_trial_is_not_waited_past(tmp_path: Path) -> None:
    from jack_ray.place.on_ray import RayHands

    hands = RayHands(CLUSTER, Need(1), tmp_path)
    began = time.monotonic()
    try:
        handle = hands.start(order_in(tmp_path, tmp_path / "missing"))
        while (ended := hands.poll(handle).ended) is None:
            hands.wait(LONG_S)
    finally:
        hands.close()
    assert time.monotonic() - began < LONG_S
    assert ended.failure is not None
    assert "missing is not there" in ended.failure.message


def test_a_ray_of_this_machine_alone_starts_nothing_that_nobody_asks(tmp_path: Path) -> None:
    from jack_ray.place.local_ray import LocalRay

    local = LocalRay(tmp_path)
    try:
        words = " ".join(Path(f"/proc/{pid}/cmdline").read_text() for pid in guard.descendants(local._tree.pid))
    finally:
        local.stop()
    assert "raylet" in words
    assert not [name for name in ("dashboard/dashboard.py", "monitor.py") if name in words]
