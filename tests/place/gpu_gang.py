"""`python -m tests.place.gpu_gang FOLDER`: a gang on a Ray of two nodes with GPUs that are only counted.

A process of its own, since a process's Ray reads its token once. Prints what each machine of the gang sees, as JSON.
"""

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from jack_ray.contract.schema import MpiConfig
from jack_ray.contract.trial import Trial
from jack_ray.place.news import Need, Order
from jack_ray.place.ray_environment import ray_variables

NEED = Need(ranks=3, gpus=3.0, nodes=None)


class Probe:
    """Stands where a lead does."""

    def look(self, order: Order) -> dict[str, Any]:
        """The GPUs that are visible here, and to what the mate runs."""
        import ray

        from jack_ray.place.ray_gang import RayCrew

        crew = RayCrew(order, NEED, (2, 1), ray.util.get_current_placement_group())
        (present,) = crew.muster()
        seen = order.folder / "seen"
        code = crew.run(present.host.address, f"echo $CUDA_VISIBLE_DEVICES $JACK_RAY_GPU > {seen}")
        crew.stop()
        lead = os.environ["CUDA_VISIBLE_DEVICES"]
        return {"lead": lead, "mate": seen.read_text().strip(), "code": code, "ranks": present.host.ranks}


def order(folder: Path) -> Order:
    """A trial of three ranks with a GPU each."""
    trial = Trial("tsl", {"name": "tsl"}, {"root": str(folder)}, {"steps": 4}, "0123", 3, 1)
    mpi = MpiConfig("openmpi", 600.0, None, 5.0)
    return Order(trial, folder, 1, gpu=True, jittor_home=folder / "jittor", mpi=mpi)


def look(folder: Path) -> dict[str, Any]:
    """Start a node with two GPUs and one with one, and a gang of three ranks on them."""
    import ray
    from ray.cluster_utils import Cluster

    from jack_ray.place.ray_cluster import connect, machines
    from jack_ray.place.ray_gang import options
    from jack_ray.place.room import layout_now

    node = {"num_cpus": 3, "object_store_memory": 80 << 20, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args={**node, "num_gpus": 2})
    try:
        cluster.add_node(**node, num_gpus=1)
        connect(cluster.address)
        layout = layout_now(NEED, machines())
        bundles: list[dict[str, float]] = [{"CPU": 2.0, "GPU": 2.0}, {"CPU": 1.0, "GPU": 1.0}]
        group = ray.util.placement_group(bundles, strategy="STRICT_SPREAD")
        assert ray.wait([group.ready()], timeout=60.0)[0]
        probe: Any = ray.remote(Probe).options(**options(NEED, 2, group, 0)).remote()
        found: dict[str, Any] = ray.get(probe.look.remote(order(folder)), timeout=120.0)
        return found | {"layout": layout}
    finally:
        ray.shutdown()
        cluster.shutdown()


def main() -> None:
    """Look, and tell."""
    temporary = Path(tempfile.mkdtemp(prefix="jr-", dir="/tmp"))  # sockets' paths may have 107 bytes
    (temporary / "ray").mkdir()
    os.environ |= ray_variables(None) | {"RAY_TMPDIR": str(temporary)}
    try:
        print(json.dumps(look(Path(sys.argv[1]))))
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


if __name__ == "__main__":
    main()
