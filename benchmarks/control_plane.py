"""What a sweep costs its driver, on a simulated cluster and without training.

`python -m benchmarks control_plane` runs sweeps of 10 and of 40 trials on 2 machines, each in a process of its own;
control_plane_growth is the wall time of a trial of the larger beside one of the smaller, without the start of both.
`python -m benchmarks.control_plane --trials 1000 --nodes 50` takes a quarter of an hour and prints a table.

Everything is real but two things: the machines are raylets on this one (ray.cluster_utils), and a lead trains nothing:
it answers with four evaluations and an end. Search, journal, checks, placement groups, actors, status and
table are those of `python -m jack_ray.launch`.

Each raylet takes some 200 MB with its agents, and each running trial one Python process.
"""

import argparse
import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.figures import Figure, ratio
from benchmarks.options import Options
from jack_ray.contract import events
from jack_ray.contract.environment import PACKAGE_PARENT
from jack_ray.contract.events import Event
from jack_ray.contract.paths import TrialFolder
from jack_ray.launch import launch
from jack_ray.methods.tsl.demo import generate
from jack_ray.place.news import Ended, Need, News, Order
from jack_ray.place.room import Layout

EVALUATIONS = 4
FEW, MORE, NODES = 10, 40, 2
"""Trials of both sweeps of `measure`, and their machines."""
PATIENCE_S = 900.0


class FakeLead:
    """Answers as a lead does whose trial takes four looks."""

    def __init__(self, order: Order, need: Need, layout: Layout, shelf: object = None) -> None:
        self.order = order
        self._looks = 0

    def go_on(self, order: Order) -> None:
        """The next trial, in the same place."""
        self.order = order
        self._looks = 0

    def dismiss(self) -> None:
        """Nothing stayed."""

    def poll(self, offset: int, wait_s: float = 0.0) -> tuple[News, int]:
        """The next evaluation, held back as a real one would be; after the last one the end, at once."""
        self._looks += 1
        if self._looks < EVALUATIONS:
            time.sleep(wait_s)
        attempt, step = self.order.attempt, self._looks * self.order.trial.train["steps"] // EVALUATIONS
        told: list[Event] = [events.new("started", attempt)] if self._looks == 1 else []
        told.append(events.new("metrics", attempt, step, {"train/total": 1.0 / step, "val/average_mAP": step / 1e6}))
        ended = None
        if self._looks == EVALUATIONS:
            told.append(events.new("finished", attempt, step, {"test/average_mAP": 0.5}))
            ended = Ended("finished")
        for event in told:
            events.append(TrialFolder(self.order.folder).events, event)
        return News(tuple(told), "training", ended, nodes=("node",)), offset

    def stop(self) -> None:
        """Nothing runs."""


@dataclass(frozen=True)
class Cost:
    """Of one sweep."""

    wall_s: float
    cpu_s: float
    rss_before: int
    rss_peak: int
    """Bytes of the driver, which also holds what `ray.cluster_utils` keeps."""


def sweep_cost(trials: int, concurrent: int, address: str, folder: Path) -> Cost:
    """Run a sweep of so many trials in this process."""
    data = folder / "VideoSenti"
    generate(data, train=12, test=3, seed=1, snippets=(8, 12))
    words = ["model=tsl_small", f"data.root={data}", f"site.runs={folder / 'runs'}", "tracking=none", "mpi=none"]
    words += ["cluster=running", f"cluster.address={address}", "cluster.ranks=1", "cluster.wait_s=3600"]
    words += ["sweep=random", f"sweep.num_trials={trials}", "train.lr=tag(log, interval(0.0001, 0.01))"]
    words += [f"sweep.max_concurrent={concurrent}"]
    before = psutil.Process().memory_info().rss
    wall, cpu = time.monotonic(), time.process_time()
    with (folder / "out.log").open("w") as out, contextlib.redirect_stdout(out):
        code = launch(words)
    cost = Cost(
        time.monotonic() - wall, time.process_time() - cpu, before,
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    )  # fmt: skip
    finished = len(list((folder / "runs/trials").glob("*/state.json")))
    if code != 0 or finished != trials:
        raise SystemExit(
            f"{finished} of {trials} trials, exit code {code}:\n{(folder / 'out.log').read_text()[-3000:]}"
        )
    return cost


def simulated(nodes: int) -> Any:
    """A cluster of so many machines with two cores each, on this one."""
    from ray.cluster_utils import Cluster

    small = {"object_store_memory": 80 << 20, "include_dashboard": False}
    cluster = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 0, "_system_config": {"enable_worker_prestart": False}, **small},
    )
    for _ in range(nodes):
        cluster.add_node(wait=False, num_cpus=2, object_store_memory=80 << 20)
    cluster.wait_for_nodes(timeout=60 + 20 * nodes)
    return cluster


def measure(options: Options) -> Iterator[Figure]:
    """Two small sweeps, each in a process of its own."""
    few, more = (_in_a_process(trials) for trials in (FEW, MORE))
    for metric, unit, factor in (("wall_s", "s a trial", 1), ("cpu_s", "ms of the driver's processor a trial", 1000)):
        ours, rival = factor * more[metric] / MORE, factor * few[metric] / FEW
        yield ratio("control_plane", f"growth_{metric}", ours, rival, unit)
    yield ratio(
        "control_plane", "growth_memory", more["rss_peak"] / 2**20, few["rss_peak"] / 2**20, "MiB of the driver"
    )


def _in_a_process(trials: int) -> dict[str, float]:
    """Ray starts once in a process, and memory has one peak."""
    words = ["--trials", str(trials), "--nodes", str(NODES), "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.control_plane", *words],
        cwd=PACKAGE_PARENT, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    found = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode != 0 or not found:
        raise SystemExit(f"error: the sweep of {trials} trials ended with {done.returncode}:\n{done.stderr[-3000:]}")
    values: dict[str, float] = json.loads(found[-1])
    return values


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--nodes", type=int, default=50)
    parser.add_argument("--concurrent", type=int, default=8, help="trials at once (default 8)")
    parser.add_argument("--json", action="store_true", help="a line of JSON in the table's place")
    options = parser.parse_args()
    os.environ |= {"RAY_AUTH_MODE": "disabled", "RAY_worker_niceness": "0", "RAY_USAGE_STATS_ENABLED": "0"}
    # Ray's agents, one a machine, look at all processes of this one machine, and at the event files of all 50 in the
    # one folder that they share here: more with each trial, until they take both cores from the rest.
    os.environ |= {"REPORTER_UPDATE_INTERVAL_MS": "600000", "SCAN_EVENT_DIR_INTERVAL_SECONDS": "3600"}
    from jack_ray.place import on_ray

    vars(on_ray)["RayLead"] = FakeLead
    began = time.monotonic()
    cluster = simulated(options.nodes)
    print(f"{options.nodes} simulated machines were up after {time.monotonic() - began:.0f} s", flush=True)
    try:
        with tempfile.TemporaryDirectory() as folder:
            cost = sweep_cost(options.trials, options.concurrent, cluster.address, Path(folder))
    finally:
        cluster.shutdown()
    if options.json:
        print(json.dumps(asdict(cost)), flush=True)
        return
    print("| trials | machines | at once | s a trial | driver's CPU ms a trial | driver before MB | at most MB |")
    print("|---|---|---|---|---|---|---|")
    print(
        f"| {options.trials} | {options.nodes} | {options.concurrent} | {cost.wall_s / options.trials:.2f} "
        f"| {1000 * cost.cpu_s / options.trials:.0f} | {cost.rss_before >> 20} | {cost.rss_peak >> 20} |"
    )


if __name__ == "__main__":
    main()
