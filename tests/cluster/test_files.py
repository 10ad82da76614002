"""The cluster files hold against Ray's own checks, and let nobody in without a token."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from jack_ray.compose.load import groups

pytestmark = pytest.mark.ray

ROOT = Path(__file__).parents[2]
FILES = [ROOT / "cluster.yaml", ROOT / "conf/cluster/aws.yaml.example"]
CHECK = """
import json, sys
from pathlib import Path
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config
config = prepare_config(yaml.safe_load(Path(sys.argv[1]).read_text()))
validate_config(config)
print(json.dumps(config))
"""


def checked(path: Path) -> "subprocess.CompletedProcess[str]":
    """What Ray says of a cluster file; a process of its own, since Ray must not be imported here."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("RAY_")}
    argv = [sys.executable, "-c", CHECK, str(path)]
    return subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module", params=FILES, ids=lambda path: path.name)
def config(request: pytest.FixtureRequest) -> dict[str, Any]:
    """A cluster file as Ray completes it."""
    done = checked(request.param)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_ray_starts_with_tokens_and_the_dashboard_on_loopback(config: dict[str, Any]) -> None:
    for kind in ("head", "worker"):
        (start,) = [line for line in config[f"{kind}_start_ray_commands"] if "ray start" in line]
        assert "RAY_AUTH_MODE=token" in start
        assert "RAY_USAGE_STATS_ENABLED=0" in start
        assert ("--dashboard-host=127.0.0.1" in start) == (kind == "head")
    assert "~/.ray/auth_token" in config["file_mounts"]


def test_everything_that_the_installation_needs_is_carried_over(config: dict[str, Any]) -> None:
    for there, here in config["file_mounts"].items():
        assert here.startswith("~") or Path(ROOT / here).exists()
        assert there.startswith("~/.ray/") or there == f"~/jack_ray/{here}"
    project = {"jack_ray", "conf", "pyproject.toml", "constraints.txt", "Makefile", "README.md", "LICENSE"}
    assert project <= set(config["file_mounts"].values())
    assert any("make -C ~/jack_ray prepare" in line for line in config["head_setup_commands"])
    assert any("make -C ~/jack_ray prepare" in line for line in config["worker_setup_commands"])


def test_the_cluster_of_a_cloud_starts_without_workers_and_takes_spot_machines() -> None:
    node = yaml.safe_load(FILES[1].read_text())["available_node_types"]["gpu_spot"]
    assert node["min_workers"] == 0
    assert node["max_workers"] > 1
    assert node["node_config"]["InstanceMarketOptions"] == {"MarketType": "spot"}


def test_a_slip_in_a_cluster_file_is_refused(tmp_path: Path) -> None:
    slip = tmp_path / "cluster.yaml"
    slip.write_text(FILES[0].read_text().replace("setup_commands", "setup_comands"))
    done = checked(slip)
    assert done.returncode != 0
    assert "setup_comands" in done.stderr


def test_an_example_of_a_cloud_is_no_option_of_a_launch() -> None:
    assert not [option for option in groups()["cluster"] if "aws" in option]
