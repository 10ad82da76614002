"""A Ray of this machine alone, for one sweep: `python -m jack_ray.place.local_ray ADDRESS_FILE`.

It runs as a process of its own under a guard, because Ray's agents outlive a driver that is killed.
"""

import json
import logging
import os
import signal
import sys
import time
from pathlib import Path

from jack_ray.contract.errors import PlaceError
from jack_ray.contract.files import write_json
from jack_ray.spawn.tree import Tree

START_S = 120.0
STOP_S = 10.0

_OBJECT_STORE_BYTES = 80 << 20
"""Nothing large passes through Ray, so its share of the memory is kept near the smallest it accepts."""


class LocalRay:
    """The driver's end: starts it, knows its address, ends it."""

    def __init__(self, folder: Path) -> None:
        self._log = folder / "ray.log"
        answer = folder / "ray.json"
        answer.unlink(missing_ok=True)
        self._tree = Tree([sys.executable, "-m", __spec__.name, str(answer)], os.environ, self._log, folder)
        self.address = self._wait(answer)

    def _wait(self, answer: Path) -> str:
        deadline = time.monotonic() + START_S
        while not answer.exists():
            code = self._tree.poll()
            if code is not None or time.monotonic() > deadline:
                self.stop()
                reason = "took too long" if code is None else f"ended with exit code {code}"
                last = self._log.read_text(errors="replace").splitlines()[-5:]
                raise PlaceError("\n".join([f"Ray could not be started: it {reason}; all of it: {self._log}", *last]))
            time.sleep(0.05)
        return str(json.loads(answer.read_text())["address"])

    def stop(self) -> None:
        """End Ray and every process of it."""
        self._tree.stop(STOP_S)


def serve(answer: Path) -> None:
    """Start Ray on loopback, write where it listens, and wait to be ended."""
    import ray

    context = ray.init(
        num_cpus=len(os.sched_getaffinity(0)),
        include_dashboard=False,
        object_store_memory=_OBJECT_STORE_BYTES,
        logging_level=logging.ERROR,
        log_to_driver=False,
        configure_logging=False,
        _node_ip_address="127.0.0.1",
    )
    write_json(answer, {"address": context.address_info["gcs_address"]})
    signal.pause()


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
