"""A Ray of this machine alone, without Ray: whether it has ended."""

import os
import shutil
import subprocess
from types import SimpleNamespace
from typing import Any, cast

from jack_ray.place.local_ray import LocalRay


def test_a_ray_has_ended_when_one_of_the_processes_that_it_needs_has() -> None:
    sleep = shutil.which("sleep")
    assert sleep is not None
    local = LocalRay.__new__(LocalRay)
    local._tree = cast(Any, SimpleNamespace(pid=os.getpid()))
    needed = [subprocess.Popen([f"/opt/{name}", "60"], executable=sleep) for name in ("gcs_server", "raylet")]
    try:
        assert not local.has_ended()
        needed[1].kill()
        needed[1].wait()
        assert local.has_ended()
    finally:
        for one in needed:
            one.kill()
            one.wait()
