"""Gangs on a Ray of two nodes with GPUs that are only counted: each machine's ranks see theirs, and no others."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jack_ray.contract.schema import ClusterConfig, MpiConfig
from jack_ray.contract.trial import Trial
from jack_ray.place.news import Need, Order
from jack_ray.place.ray_environment import ray_variables

pytestmark = pytest.mark.ray

NEED = Need(ranks=3, gpus=3.0, nodes=None)
CLUSTER = ClusterConfig("ray", "set below", 3, None, "pack", 1, 3.0, False, 30.0, 15.0)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A cluster of a node with two GPUs and one with one."""
    temporary = tempfile.mkdtemp(prefix="jr-", dir="/tmp")  # sockets lie below it, whose paths may have 107 bytes
    (Path(temporary) / "ray").mkdir()
    os.environ |= ray_variables(None) | {"RAY_TMPDIR": temporary}
    from ray.cluster_utils import Cluster

    node = {"num_cpus": 3, "object_store_memory": 80 << 20, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args={**node, "num_gpus": 2})
    cluster.add_node(**node, num_gpus=1)
    yield cluster.address
    import ray

    ray.shutdown()
    cluster.shutdown()
    del os.environ["RAY_TMPDIR"]  # the rest stays: a process's Ray reads its token once
    shutil.rmtree(temporary, ignore_errors=True)


def order(folder: Path) -> Order:
    trial = Trial("tsl", {"name": "tsl"}, {"root": str(folder)}, {"steps": 4}, "0123", 3, 1)
    mpi = MpiConfig("openmpi", 600.0, None, 5.0)
    return Order(trial, folder, 1, gpu=True, jittor_home=folder / "jittor", mpi=mpi)


def test_each_machine_of_a_gang_sees_its_own_gpus(address: str, tmp_path: Path) -> None:
    import ray

    from jack_ray.place.ray_cluster import connect, machines
    from jack_ray.place.ray_gang import RayCrew, options
    from jack_ray.place.room import layout_now

    connect(address)
    layout = layout_now(NEED, machines())
    assert layout == (2, 1)

    class Probe:
        """Stands where a lead does."""

        def look(self, order: Order) -> list[str]:
            crew = RayCrew(order, NEED, (2, 1), ray.util.get_current_placement_group())
            (present,) = crew.muster()
            seen = order.folder / "seen"
            assert crew.run(present.host.address, f"echo $CUDA_VISIBLE_DEVICES $JACK_RAY_GPU > {seen}") == 0
            crew.stop()
            return [os.environ["CUDA_VISIBLE_DEVICES"], seen.read_text().strip(), str(present.host.ranks)]

    bundles: list[dict[str, float]] = [{"CPU": 2.0, "GPU": 2.0}, {"CPU": 1.0, "GPU": 1.0}]
    group = ray.util.placement_group(bundles, strategy="STRICT_SPREAD")
    assert ray.wait([group.ready()], timeout=30.0)[0]
    probe: Any = ray.remote(Probe).options(**options(NEED, 2, group, 0)).remote()
    leads, mates, ranks = ray.get(probe.look.remote(order(tmp_path)), timeout=120.0)
    assert sorted(leads.split(",")) == ["0", "1"]
    assert mates == "0 1"  # the one GPU of the other machine, and the word that there are GPUs
    assert ranks == "1"
    ray.util.remove_placement_group(group)


def test_a_part_of_a_gpu_is_asked_for_as_such() -> None:
    from jack_ray.place.on_ray import _bundle
    from jack_ray.place.ray_gang import options

    assert _bundle(Need(2, gpus=0.25), 2) == {"CPU": 2.0, "GPU": 0.25}
    assert options(Need(2, gpus=0.25), 2, None, 0)["num_gpus"] == 0.25
    assert "memory" not in options(Need(1), 1, None, 0)
    assert options(Need(2, memory=7), 2, None, 0)["memory"] == 14
