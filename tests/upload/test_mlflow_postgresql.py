"""The team's MLflow on PostgreSQL; where the database's programs are installed."""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.upload.test_mlflow_server import LOG, READ, served

pytestmark = pytest.mark.mlflow

DRIVER = "psycopg"


def find(program: str) -> str | None:
    """Where a program of PostgreSQL lies; Debian hides them by version."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return shutil.which(program) or shutil.which(program, path=os.pathsep.join(map(str, places)))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[str]:
    """The URL of a database that is made for this test."""
    pytest.importorskip(DRIVER, reason="the driver for PostgreSQL is not installed")
    programs = {name: find(name) for name in ("initdb", "postgres")}
    if None in programs.values():
        pytest.skip("PostgreSQL is not installed")
    is_root = os.geteuid() == 0  # whom PostgreSQL refuses
    if is_root and shutil.which("setpriv") is None:
        pytest.skip("PostgreSQL refuses root, and there is no setpriv")
    other = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if is_root else []
    folder = Path("/tmp") / f"jack_ray-postgresql-{os.getpid()}"  # tmp_path is for its owner alone
    folder.mkdir()
    if is_root:
        os.chown(folder, 65534, 65534)
    (tmp_path / "password").write_text("secret\n")
    shutil.copy(tmp_path / "password", folder / "password")
    os.chmod(folder / "password", 0o644)
    argv = [str(programs["initdb"]), "-D", str(folder / "data"), "-U", "jack", "-A", "scram-sha-256"]
    words = [f"--pwfile={folder / 'password'}", "--no-sync"]
    done = subprocess.run([*other, *argv, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        port = place.getsockname()[1]
    argv = [
        str(programs["postgres"]),
        "-D",
        str(folder / "data"),
        "-h",
        "127.0.0.1",
        "-p",
        str(port),
        "-k",
        str(folder),
    ]
    with (tmp_path / "postgres.log").open("w") as log:
        process = subprocess.Popen([*other, *argv], stdout=log, stderr=log)
    try:
        _wait(port, tmp_path / "postgres.log")
        yield f"postgresql://jack:secret@127.0.0.1:{port}/postgres"
    finally:
        process.terminate()
        process.wait(30.0)
        shutil.rmtree(folder, ignore_errors=True)


def _wait(port: int, log: Path) -> None:
    deadline = time.monotonic() + 60.0
    while "ready to accept connections" not in log.read_text():
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)


def test_eight_processes_lose_nothing_on_postgresql(database: str, tmp_path: Path) -> None:
    file = tmp_path / "picture.txt"
    file.write_text("picture")
    with served(tmp_path, f"tracking.backend={database}") as team:
        password = team.server.password.read_text().strip()
        loggers = [team.client(LOG, str(number), "100", str(file), password=password) for number in range(8)]
        for logger in loggers:
            _, complaints = logger.communicate(timeout=110.0)
            assert logger.returncode == 0, complaints
        told, complaints = team.client(READ, password=password).communicate(timeout=110.0)
        assert "secret" not in team.log.read_text()
    found = json.loads(told.splitlines()[-1])
    assert len(found) == 8, complaints
    for number in range(8):
        assert found[str(number)] == [
            "FINISHED",
            [[step, number + step / 1000] for step in range(100)],
            ["picture.txt"],
        ]
    assert not (tmp_path / "mlflow.db").exists()
