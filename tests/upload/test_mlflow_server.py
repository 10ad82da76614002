"""A team's MLflow: behind a password, on loopback, and nothing is lost when many log at once."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from jack_ray.contract.environment import PACKAGE_PARENT
from jack_ray.contract.errors import ConfigError
from jack_ray.mlflow_server import Server, read_server

STARTED_S = 110.0
LOGGERS = 8
STEPS = 300

LOG = """
import sys
from jack_ray.upload.mlflow_store import MlflowStore
from jack_ray.upload.store import MetricPoint
uri, number, steps = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
store = MlflowStore(uri, "team")
run = store.create(f"trial {number}", {"number": str(number)}, 1.0)
store.log_params(run, {"lr": str(number)})
for start in range(0, steps, 20):
    points = [MetricPoint("loss", number + step / 1000, 1.0 + step, step) for step in range(start, start + 20)]
    store.log_metrics(run, points)
store.log_file(run, __import__("pathlib").Path(sys.argv[4]), "")
store.end(run, "FINISHED", 2.0)
"""

READ = """
import json, sys
from mlflow import MlflowClient
client = MlflowClient(sys.argv[1])
experiment = client.get_experiment_by_name("team")
found = {}
for run in client.search_runs([experiment.experiment_id]):
    history = client.get_metric_history(run.info.run_id, "loss")
    files = [file.path for file in client.list_artifacts(run.info.run_id)]
    found[run.data.params["lr"]] = [run.info.status, sorted((point.step, point.value) for point in history), files]
print(json.dumps(found))
"""


@dataclass
class Served:
    """A server that runs."""

    server: Server
    log: Path

    def environment(self, password: str | None) -> dict[str, str]:
        """Of a client."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith("MLFLOW_")}
        kept |= {"PYTHONPATH": str(PACKAGE_PARENT), "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1"}
        if password is not None:
            kept |= {"MLFLOW_TRACKING_USERNAME": "admin", "MLFLOW_TRACKING_PASSWORD": password}
        return kept

    def client(self, program: str, *words: str, password: str | None) -> "subprocess.Popen[str]":
        """Start a program that talks to it."""
        argv = [sys.executable, "-c", program, self.server.url, *words]
        return subprocess.Popen(
            argv, env=self.environment(password), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )


def free_port() -> int:
    """A port of loopback that nobody has."""
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        port: int = place.getsockname()[1]
        return port


@contextmanager
def served(folder: Path, *words: str) -> Iterator[Served]:
    """A server as `make mlflow-server` starts it."""
    port = free_port()
    log = folder / "server.log"
    argv = [sys.executable, "-m", "jack_ray.mlflow_server", f"port={port}", *words]
    kept = {key: value for key, value in os.environ.items() if not key.startswith("MLFLOW_")}
    with log.open("a") as out:
        process = subprocess.Popen(
            argv, cwd=folder, env=kept | {"PYTHONPATH": str(PACKAGE_PARENT)}, stdout=out, stderr=out,
            start_new_session=True,
        )  # fmt: skip
    try:
        until = time.monotonic() + STARTED_S
        while status(f"http://127.0.0.1:{port}/health") != 200:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.2)
        yield Served(Server("", port, folder / "mlflow-server"), log)
    finally:
        process.terminate()
        try:
            process.wait(20.0)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def status(url: str) -> int:
    """What is answered without a password; 0 if nobody answers."""
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=10.0) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server for the tests of this file."""
    with served(tmp_path_factory.mktemp("team")) as made:
        yield made


@pytest.mark.mlflow
def test_nothing_is_lost_when_eight_processes_log_at_once(team: Served, tmp_path: Path) -> None:
    file = tmp_path / "picture.txt"
    file.write_text("picture")
    password = team.server.password.read_text().strip()
    loggers = [team.client(LOG, str(number), str(STEPS), str(file), password=password) for number in range(LOGGERS)]
    for logger in loggers:
        _, complaints = logger.communicate(timeout=110.0)
        assert logger.returncode == 0, complaints
    told, complaints = team.client(READ, password=password).communicate(timeout=110.0)
    found = json.loads(told.splitlines()[-1])
    assert set(found) == {str(number) for number in range(LOGGERS)}, complaints
    for number in range(LOGGERS):
        points = [[step, number + step / 1000] for step in range(STEPS)]
        assert found[str(number)] == ["FINISHED", points, ["picture.txt"]]


@pytest.mark.mlflow
@pytest.mark.parametrize("password", [None, "wrong"])
def test_a_client_without_the_password_is_refused(team: Served, password: str | None) -> None:
    client = team.client(LOG, "9", "20", "/nowhere", password=password)
    _, complaints = client.communicate(timeout=110.0)
    assert client.returncode != 0
    assert "RefusedError" in complaints
    assert "MLFLOW_TRACKING_USERNAME" in complaints


@pytest.mark.mlflow
def test_pages_and_interfaces_ask_for_the_password(team: Served) -> None:
    for page in ("", "api/2.0/mlflow/experiments/search?max_results=1", "signup", "ajax-api/2.0/mlflow/runs/search"):
        assert status(f"{team.server.url}/{page}") == 401, page


@pytest.mark.mlflow
def test_its_secrets_are_files_that_others_cannot_read_and_no_words_of_a_process(team: Served) -> None:
    for name in ("password", "secret", "auth.ini"):
        assert (team.server.folder / name).stat().st_mode & 0o077 == 0
    password = team.server.password.read_text().strip()
    assert len(password) >= 32
    shown = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert password not in shown
    assert password not in team.log.read_text()


def test_a_server_keeps_its_password_when_it_is_started_again(tmp_path: Path) -> None:
    server = Server("sqlite:////x.db", 5000, tmp_path / "kept")
    server.prepare()
    first = server.variables()
    server.prepare()
    assert server.variables() == first


def test_a_database_with_a_password_is_not_named_on_the_command_line() -> None:
    server = read_server(["tracking.backend=postgresql://jack:secret@db/mlflow"])
    assert not any("secret" in word for word in server.argv())


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("port=99999", "a number from 1 to 65535"),
        ("prt=1", "tracking.backend=, port= or folder="),
        ("tracking.backend=mlflow.db", "sqlite:///FILE or postgresql://"),
        ("tracking.backend=http://localhost:5000", "sqlite:///FILE or postgresql://"),
    ],
)
def test_a_mistake_is_told_before_anything_is_written(word: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told.replace("(", r"\(")):
        read_server([word])
