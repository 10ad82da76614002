"""The driver's hands on a Ray of this machine."""

from pathlib import Path

import pytest

from jack_ray.contract.schema import ClusterConfig, MpiConfig
from jack_ray.contract.trial import Trial
from jack_ray.place.news import Need, Order

pytestmark = pytest.mark.ray

CLUSTER = ClusterConfig("ray", None, 1, None, "pack", 1, 0.0, False, False, 20.0, 10.0)
NO_MACHINE_HAS = 1 << 60


def test_a_trial_that_ran_out_of_memory_fails_when_no_machine_has_more(tmp_path: Path) -> None:
    from jack_ray.place.on_ray import RayHands

    trial = Trial("tsl", {"name": "tsl"}, {"root": str(tmp_path)}, {"steps": 4}, "0123", 1, 1)
    mpi = MpiConfig("none", 600.0, None, 5.0)
    order = Order(trial, tmp_path / trial.id, 2, False, tmp_path, mpi, memory=NO_MACHINE_HAS)
    hands = RayHands(CLUSTER, Need(1), tmp_path)
    try:
        handle = hands.start(order)
        ended = hands.poll(handle).ended
        assert hands.room()  # nothing holds its place any more
    finally:
        hands.close()
    assert ended is not None
    assert ended.failure is not None
    assert (ended.status, ended.failure.kind) == ("failed", "memory")
    assert ended.failure.message.startswith("it ran out of memory, and no machine has room for")
