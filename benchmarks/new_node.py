"""The first step on a machine that has nothing compiled, alone and with what another one has compiled.

The rival is the same machine without the archives. Both have the same empty folder as home of compiled operators, and
where the machine allows it the second one has another host name, as in a cluster.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks.figures import Figure, speedup
from benchmarks.options import Options
from jack_ray import compose
from jack_ray.compose.schema import operators
from jack_ray.contract.environment import PACKAGE_PARENT, python_path
from jack_ray.contract.paths import trial_folder
from jack_ray.methods.tsl.demo import generate
from jack_ray.place.lead import Lead
from jack_ray.place.news import Order
from jack_ray.spawn.folder_shelf import FolderShelf

NAMES = ("nodeA", "nodeB")


def measure(options: Options) -> Iterator[Figure]:
    """Seconds from the start of an attempt to its first step, with and without what travels. Takes minutes."""
    del options  # a cold start is too long to be repeated
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        generate(root / "data", train=8, test=2, seed=1, snippets=(8, 12))
        alone, helped = (_first_step(root, name) for name in NAMES)
        size = sum(path.stat().st_size for path in (root / "storage").rglob("*") if path.is_file())
        yield speedup("new_node.tsl_small", "new_node_speedup", helped, alone, "s")
        yield Figure("new_node.tsl_small", "archives", size / 1e6, size / 1e6, None, "MB")


def _first_step(root: Path, name: str) -> float:
    """On a machine of that name, which has compiled nothing."""
    shutil.rmtree(root / "home", ignore_errors=True)
    words = [sys.executable, "-m", "benchmarks.new_node", str(root), name]
    if os.geteuid() == 0 and shutil.which("unshare"):
        words = ["unshare", "--uts", "sh", "-c", 'hostname "$0"; exec "$@"', name, *words]
    environment = os.environ | {"PYTHONPATH": python_path()}
    told = subprocess.run(words, cwd=PACKAGE_PARENT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    found: float = json.loads(told.stdout.splitlines()[-1])["seconds"]
    return found


def _train(root: Path, name: str) -> float:
    """A short training by a lead with a shelf, as on a cluster's machine; seconds to its first step."""
    words = ["model=tsl_small", f"data.root={root / 'data'}", f"site.runs={root / name}", "cluster.ranks=1"]
    words += ["train.steps=2", "train.batch=2", "train.log_every=1", f"site.jittor={root / 'home'}"]
    plan = compose.make_plan(compose.read_command(words))
    trial, _ = plan.trial(())
    folder = trial_folder(Path(plan.base.site.runs), trial.id)
    trial.save(folder.trial)
    mpi = replace(plan.base.mpi, kind="none")
    began, first, offset = time.monotonic(), 0.0, 0
    order = Order(trial, folder.path, 1, False, root / "home", mpi, operators(plan.base.method))
    lead = Lead(order, shelf=FolderShelf(str(root / "storage")))
    while True:
        news, offset = lead.poll(offset)
        if not first and any(event.kind == "metrics" for event in news.events):
            first = time.monotonic() - began
        if news.ended is not None:
            assert news.ended.status == "finished", news.ended
            return first
        time.sleep(0.05)


if __name__ == "__main__":
    print(json.dumps({"seconds": _train(Path(sys.argv[1]), sys.argv[2])}))
