"""`python -m jack_ray.submit` without a cluster tells what is wrong in one message."""

import http.server
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def submit(*words: str) -> "subprocess.CompletedProcess[str]":
    """The command as it is typed."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("RAY_")}
    environment = inherited | {"PYTHONPATH": str(ROOT)}
    argv = [sys.executable, "-m", "jack_ray.submit", *words]
    return subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def nobody() -> str:
    """An address at which nobody listens."""
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{place.getsockname()[1]}"


@pytest.fixture
def somebody() -> Iterator[str]:
    """A web server that is no dashboard."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["stop"], "the id of a job"),
        (["list", "x"], "expected nothing"),
        (["status", "-f"], "-f with logs alone"),
        (["status", "address=ray://x:1"], "expected http://host:port"),
        (["jobs/swep.yaml"], "Did you mean sweep.yaml?"),
        (["jobs/sweep.yaml", "cpus=many"], "job.cpus"),
    ],
)
def test_a_mistake_is_told_without_a_cluster(words: list[str], told: str) -> None:
    done = submit(*words)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_help_names_every_command() -> None:
    done = submit("--help")
    assert done.returncode == 0
    assert all(f"submit {command}" in done.stdout for command in ("logs", "status", "stop", "list"))


@pytest.mark.ray
@pytest.mark.parametrize("words", [["jobs/sweep.yaml"], ["list"]])
def test_a_cluster_that_is_not_there_is_told_at_once(nobody: str, words: list[str]) -> None:
    done = submit(*words, f"address={nobody}")
    assert done.returncode == 2
    assert f"Nobody answers at {nobody}" in done.stderr
    assert "ray dashboard cluster.yaml" in done.stderr


@pytest.mark.ray
def test_a_server_that_is_no_dashboard_is_told(somebody: str) -> None:
    done = submit("list", f"address={somebody}")
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {somebody}")
    assert "Traceback" not in done.stderr
