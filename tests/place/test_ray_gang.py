"""What the machines of a gang are given: GPUs, cores, memory."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from jack_ray.contract.environment import PACKAGE_PARENT
from jack_ray.place.news import Need

pytestmark = pytest.mark.ray


def test_each_machine_of_a_gang_sees_its_own_gpus(tmp_path: Path) -> None:
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("RAY_")}
    done = subprocess.run(
        [sys.executable, "-m", "tests.place.gpu_gang", str(tmp_path)],
        cwd=PACKAGE_PARENT, env=inherited, capture_output=True, text=True, timeout=300.0, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen["layout"] == [2, 1]
    assert sorted(seen["lead"].split(",")) == ["0", "1"]
    assert seen["mate"] == "0 1"  # the one GPU of the other machine, and the word that there are GPUs
    assert (seen["ranks"], seen["code"]) == (1, 0)


def test_a_part_of_a_gpu_is_asked_for_as_such() -> None:
    from jack_ray.place.ray_gang import bundle, options

    assert bundle(Need(2, gpus=0.25), 2) == {"CPU": 2.0, "GPU": 0.25}
    assert options(Need(2, gpus=0.25), 2, None, 0)["num_gpus"] == 0.25
    assert "memory" not in options(Need(1), 1, None, 0)
    assert options(Need(2, memory=7), 2, None, 0)["memory"] == 14
