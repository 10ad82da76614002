"""The tutorials' commands are typed as they stand on the page, in order, with fewer steps and less data."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from jack_ray.contract.environment import without_foreign_mpi
from tests.tutorials import NOT_RUN, ROOT, TUTORIALS, commands, write_files

pytestmark = [pytest.mark.rank, pytest.mark.mlflow]

SHORT = "train.steps=2 train.evaluate_every=2 train.checkpoint_every=1 train.batch=4 cluster=inline mpi=none"
LESS = {
    r"demo tsl \S+": r"\g<0> --train 12 --test 3 --snippets 8 12",
    r"demo vaanet \S+ --videos --classes 6": r"\g<0> --train 2 --test 2 --frames 32 36",
    r"demo gait \S+": r"\g<0> --train 16 --test 8",
    r"prepare videos ": "prepare data/demo_videos ",
    r"model=(vaanet|cten)_small": r"model=\1_smoke",
    r"train.lr=5e-4,1e-3": "train.lr=1e-3",
    r"/srv/jack_ray/": "",
    r"train.steps=\d+ ?": "",
    r"cluster.ranks=1 ?": "",
}
"""What is typed -> what a test types instead."""


@dataclass
class Reader:
    """Somebody who types a page's commands in one folder."""

    folder: Path
    package: Path = ROOT
    port: int = 0
    servers: "list[subprocess.Popen[str]]" = field(default_factory=list)

    def type(self, line: str) -> None:
        """One command, to its end; a server goes on."""
        line = self.shorter(line)
        if "jack_ray.serve " in line:
            self._start(line)
            return
        done = subprocess.run(
            ["bash", "-c", line], cwd=self.folder, env=self.environment(), stdin=subprocess.DEVNULL, timeout=600,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{line}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        if line.startswith("curl") and "/v1/" in line:
            assert '"error"' not in done.stdout, done.stdout

    def shorter(self, line: str) -> str:
        """The line with ids of trials that are there, and with less to do."""
        for typed, instead in LESS.items():
            line = re.sub(typed, instead, line)
        if "11_Demo_0011" in line:
            line = line.replace("11_Demo_0011", self.last("VideoSenti/features/test/rgb/*.npy").stem)
        if "clip.mp4" in line:
            line = line.replace("clip.mp4", str(self.last("demo_videos/**/*.mp4")))
        line = re.sub(r"\b(tsl|vaanet|cten|gait|table)-[0-9a-f]{10}\b", lambda match: self.trial(match[1]), line)
        if "jack_ray.launch" in line and "--cfg" not in line:
            line += f" {SHORT if 'model=table' not in line else 'cluster=inline mpi=none'} cluster.ranks=1"
            line = line if "data.root" in line or "tsl" not in line else f"{line} data.root=data/VideoSenti"
            if (self.folder / "mlflow.db").exists():  # once is enough: a delivery takes seconds
                line += " tracking=none"
        return line.replace(":8000", f":{self.port}").replace("port=8000", f"port={self.port}")

    def last(self, pattern: str) -> Path:
        """The last file of the data in the order of names."""
        return max((self.folder / "data").glob(pattern))

    def trial(self, method: str) -> str:
        """The first trial of a method, which MLflow knows."""
        found = (self.folder / "runs" / "trials").glob(f"{method}-*/trial.json")
        return min(found, key=lambda path: path.stat().st_mtime).parent.name

    def environment(self) -> dict[str, str]:
        """What the commands see."""
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("RAY_", "MLFLOW_"))}
        path = f"{Path(sys.executable).parent}{os.pathsep}{inherited.get('PATH', '')}"
        return without_foreign_mpi(inherited) | {"PYTHONPATH": str(self.package), "TERM": "dumb", "PATH": path}

    def _start(self, line: str) -> None:
        log = (self.folder / "server.log").open("w")
        server = subprocess.Popen(
            ["bash", "-c", f"exec {line}"], cwd=self.folder, env=self.environment(), stdin=subprocess.DEVNULL,
            stdout=log, stderr=log, text=True,
        )  # fmt: skip
        self.servers.append(server)
        until = time.monotonic() + 300
        while not self._is_ready():
            assert server.poll() is None, (self.folder / "server.log").read_text()
            assert time.monotonic() < until, (self.folder / "server.log").read_text()
            time.sleep(0.5)

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=5) as answer:
                return b'"ok"' in answer.read()
        except OSError:
            return False

    def end_servers(self) -> None:
        """Ctrl-C, as the page says."""
        for server in self.servers:
            server.send_signal(signal.SIGINT)
            assert server.wait(90) == 0, (self.folder / "server.log").read_text()
        self.servers.clear()


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """One reader for all pages: what a page before has made is there."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    one = Reader(tmp_path_factory.mktemp("reader"), port=port)
    yield one
    for server in one.servers:
        server.kill()
        server.wait()


def run_page(reader: Reader, name: str) -> list[str]:
    """Type a page's commands; those that were."""
    page = (ROOT / "docs" / "tutorials" / f"{name}.md").read_text("utf-8")
    write_files(page, reader.package if reader.package != ROOT else reader.folder)
    typed = [line for line in commands(page) if line not in NOT_RUN]
    for line in typed:
        reader.type(line)
    return typed


def test_a_first_sweep_is_run_looked_at_and_used(reader: Reader) -> None:
    assert len(run_page(reader, "first_sweep")) == 12
    assert (reader.folder / "compared" / "compare.html").exists()
    assert (reader.folder / "answers.json").exists()
    assert len(list((reader.folder / "runs" / "trials").iterdir())) == 6


@pytest.mark.ray
@pytest.mark.skipif(shutil.which("curl") is None, reason="the page asks with curl, which is not installed")
def test_a_model_answers_over_http(reader: Reader) -> None:
    typed = run_page(reader, "serve")
    assert sum(line.startswith("curl") for line in typed) == 5
    reader.end_servers()


def test_own_videos_are_prepared_trained_on_and_asked_about(reader: Reader) -> None:
    run_page(reader, "own_videos")
    assert (reader.folder / "scored" / "numbers.json").exists()


def test_generated_gaits_are_trained_on(reader: Reader) -> None:
    assert len(run_page(reader, "gait")) == 2


def test_a_cluster_begins_with_a_look_at_the_data(reader: Reader) -> None:
    assert len(run_page(reader, "cluster")) == 2


def test_a_method_is_added_from_the_page_alone(tmp_path: Path) -> None:
    for name in ("jack_ray", "conf"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "golden"))
    reader = Reader(tmp_path, package=tmp_path)
    assert len(run_page(reader, "add_a_method")) == 7
    assert '"label": "' in (tmp_path / "answers.json").read_text()


def test_every_tutorial_is_run_or_says_why_not() -> None:
    typed = {line for path in TUTORIALS for line in commands(path.read_text("utf-8"))}
    assert set(NOT_RUN) <= typed
    assert {path.stem for path in TUTORIALS} - {"sentiment_in_videos"} == {
        "first_sweep", "serve", "own_videos", "gait", "cluster", "add_a_method",
    }  # fmt: skip
    sentiment = ROOT / "docs" / "tutorials" / "sentiment_in_videos.md"
    assert set(commands(sentiment.read_text("utf-8"))) <= set(NOT_RUN)
