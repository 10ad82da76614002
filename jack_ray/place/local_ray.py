"""A Ray of this machine alone, for one sweep: `python -m jack_ray.place.local_ray ADDRESS_FILE SCRATCH_FOLDER`.

It runs as a process of its own under a guard, because Ray's agents outlive a driver that is killed.
"""

import contextlib
import json
import logging
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from jack_ray.contract.errors import PlaceError
from jack_ray.contract.files import write_json
from jack_ray.spawn import guard
from jack_ray.spawn.tree import Tree

START_S = 120.0
STOP_S = 10.0

_OBJECT_STORE_BYTES = 80 << 20
"""Nothing large passes through Ray, so its share of the memory is kept near the smallest it accepts."""


_SCRATCH = "jack_ray-"
"""Before the driver's process id: short, since Ray's sockets lie below it and their paths may have 107 bytes."""

_LEFTOVER_S = 3600.0

_NEEDED = {"gcs_server", "raylet"}

_NEEDLESS = ("start_api_server", "start_monitor", "start_log_monitor")
"""Methods of Ray's node that start its web server, its autoscaler and what carries logs to the driver: a third of the
time and half of the processor time of a start, and nobody asks them here. Ray has no setting for them."""


class LocalRay:
    """The driver's end: starts it, knows its address, ends it."""

    def __init__(self, folder: Path) -> None:
        self._log = folder / "ray.log"
        answer = folder / "ray.json"
        answer.unlink(missing_ok=True)
        _remove_leftovers()
        # not Ray's usual folder: there it would pass for the cluster that `cluster=running` looks for
        self._scratch = Path(tempfile.mkdtemp(prefix=f"{_SCRATCH}{os.getpid()}-", dir="/tmp"))
        argv = [sys.executable, "-m", __spec__.name, str(answer), str(self._scratch)]
        self._tree = Tree(argv, os.environ, self._log, folder)
        try:
            self.address = self._wait(answer)
        except BaseException:
            self.stop()
            raise

    def _wait(self, answer: Path) -> str:
        deadline = time.monotonic() + START_S
        while not answer.exists():
            code = self._tree.poll()
            if code is not None or time.monotonic() > deadline:
                reason = "took too long" if code is None else f"ended with exit code {code}"
                last = self._log.read_text(errors="replace").splitlines()[-5:]
                raise PlaceError("\n".join([f"Ray could not be started: it {reason}; all of it: {self._log}", *last]))
            time.sleep(0.05)
        return str(json.loads(answer.read_text())["address"])

    def has_ended(self) -> bool:
        """Whether a process has gone that Ray cannot do without; the one that has started it stays nevertheless."""
        return not {_program(pid) for pid in guard.descendants(self._tree.pid)} >= _NEEDED

    def stop(self) -> None:
        """End Ray and every process of it."""
        self._tree.stop(STOP_S)
        shutil.rmtree(self._scratch, ignore_errors=True)


def _program(pid: int) -> str:
    """The name of a process's program; empty when it has ended."""
    with contextlib.suppress(OSError):
        return Path(os.fsdecode(Path(f"/proc/{pid}/cmdline").read_bytes().partition(b"\0")[0])).name
    return ""


def _remove_leftovers() -> None:
    """Remove the scratch folders of drivers that were killed."""
    for folder in Path("/tmp").glob(f"{_SCRATCH}*"):
        owner = folder.name.removeprefix(_SCRATCH).partition("-")[0]
        is_old = time.time() - folder.stat().st_mtime > _LEFTOVER_S
        if is_old and owner.isdigit() and not Path(f"/proc/{owner}").exists():
            shutil.rmtree(folder, ignore_errors=True)


def serve(answer: Path, scratch: Path) -> None:
    """Start Ray on loopback, write where it listens, and wait to be ended."""
    import ray
    from ray._private.node import Node

    for name in _NEEDLESS:  # a Ray that calls them otherwise starts them, as it would without this
        setattr(Node, name, lambda node, **settings: None)
    context = ray.init(
        num_cpus=len(os.sched_getaffinity(0)),
        include_dashboard=False,
        object_store_memory=_OBJECT_STORE_BYTES,
        logging_level=logging.ERROR,
        log_to_driver=False,
        configure_logging=False,
        _node_ip_address="127.0.0.1",
        _temp_dir=str(scratch),
    )
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # the guard ends all of it at once; Ray's own way takes seconds
    write_json(answer, {"address": context.address_info["gcs_address"]})
    signal.pause()


if __name__ == "__main__":
    serve(Path(sys.argv[1]), Path(sys.argv[2]))
