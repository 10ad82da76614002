"""A server of TSL-Net's small preset with two versions, as `python -m jack_ray.serve` starts it, and its client."""

import contextlib
import http.client
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from jack_ray.contract.environment import python_path
from jack_ray.methods.tsl.demo import generate

PATIENCE_S = 600.0
BOUNDARY = "----jack-ray-benchmark"
NAME = "bench"


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: Any
    retry_s: float


@dataclass(frozen=True)
class Video:
    """Features of a video, as they are sent."""

    name: str
    rgb: bytes
    mel: bytes
    fps: float

    def body(self, rgb: bytes | None = None) -> bytes:
        """A form. rgb: in the place of the right ones."""
        written = io.BytesIO()
        for field, file, content in (
            ("rgb", f"{self.name}.npy", self.rgb if rgb is None else rgb),
            ("mel", f"{self.name}.npy", self.mel),
            ("fps", "", str(self.fps).encode()),
        ):
            named = f'; filename="{file}"' if file else ""
            written.write(f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"{named}\r\n\r\n'.encode())
            written.write(content + b"\r\n")
        written.write(f"--{BOUNDARY}--\r\n".encode())
        return written.getvalue()


class Server:
    """A server that runs."""

    def __init__(self, folder: Path, process: "subprocess.Popen[str]", port: int, token: str) -> None:
        self.folder = folder
        self.process = process
        self.port = port
        self.token = token

    def headers(self) -> dict[str, str]:
        """Of a request."""
        return {"Authorization": f"Bearer {self.token}"}

    def predict(self, body: bytes, connection: http.client.HTTPConnection | None = None) -> Answer:
        """Ask about a form."""
        return self.post(body, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}, connection)

    def post(
        self, body: bytes, headers: Mapping[str, str], connection: http.client.HTTPConnection | None = None
    ) -> Answer:
        """Ask about whatever is in a body."""
        own = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            own.request("POST", "/v1/predict", body, {**self.headers(), **headers})
            found = own.getresponse()
            retry_s = float(found.headers.get("Retry-After", "0"))
            return Answer(found.status, json.loads(found.read()), retry_s)
        finally:
            if connection is None:
                own.close()

    def get(self, path: str) -> str:
        """A page."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            connection.request("GET", path, headers=self.headers())
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    def wait_for(self, version: str) -> None:
        """Until every replica of the server answers with a version."""
        deadline = time.monotonic() + PATIENCE_S
        while json.loads(self.get("/health"))["version"] != version:
            if time.monotonic() > deadline:
                raise SystemExit(f"error: version {version} did not come")
            time.sleep(0.1)

    def processes(self, part: str) -> list[psutil.Process]:
        """Those below the server whose command line has a part."""
        found = []
        for one in psutil.Process(self.process.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if part in " ".join(one.cmdline()) and one.status() != psutil.STATUS_ZOMBIE:
                    found.append(one)
        return found

    def replicas(self) -> list[psutil.Process]:
        """The processes that Ray Serve has placed."""
        return self.processes("ray::ServeReplica")

    def computing(self) -> list[psutil.Process]:
        """The processes behind the wall, each without those that it has forked."""
        found = self.processes("jack_ray.train.serve")
        pids = {one.pid for one in found}
        return [one for one in found if one.ppid() not in pids]

    def memory_mb(self) -> float:
        """Of the door."""
        return float(psutil.Process(self.process.pid).memory_info().rss) / 1e6

    def stop(self, kind: signal.Signals = signal.SIGINT) -> int:
        """As Ctrl-C would, or a supervisor with SIGTERM; the exit code."""
        self.process.send_signal(kind)
        return self.process.wait(PATIENCE_S)


def run(folder: Path, *words: str) -> str:
    """Run a command of jack_ray in a folder; what it printed."""
    environment = os.environ | {"PYTHONPATH": python_path()}
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"error: {' '.join(words)} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    return done.stdout


@dataclass(frozen=True)
class Scene:
    """Two versions of a registered model; the alias means the first."""

    folder: Path
    trials: tuple[str, str]


def prepare(folder: Path, steps: int = 2) -> Scene:
    """Generate data, train two trials, and register both."""
    generate(folder / "data", train=12, test=3, seed=1, snippets=(8, 12))
    words = ["model=tsl_small", f"data.root={folder / 'data'}", "cluster=inline", "cluster.ranks=1", "mpi=none"]
    words += [f"train.steps={steps}", f"train.evaluate_every={steps}", "train.batch=4", "train.lr=0.001,0.01"]
    run(folder, "jack_ray.launch", *words)
    first, second = sorted(path.name for path in (folder / "runs/trials").iterdir() if path.is_dir())
    for trial in (first, second):
        run(folder, "jack_ray.promote", f"run={trial}", f"name={NAME}")
    scene = Scene(folder, (first, second))
    promote(scene, "1")
    return scene


def promote(scene: Scene, version: str) -> None:
    """Let the alias mean a version, as `jack_ray.promote` does for a run that is registered."""
    from jack_ray.upload.mlflow_registry import Registry  # takes seconds to import

    Registry(f"sqlite:///{scene.folder / 'mlflow.db'}").set_alias(NAME, "champion", version)


def videos(folder: Path) -> list[Video]:
    """The features of the test split."""
    root = folder / "data"
    rates = json.loads((root / "fps_dict.json").read_text())
    features = root / "features" / "test"
    return [
        Video(path.stem, path.read_bytes(), (features / "logmfcc" / path.name).read_bytes(), rates[path.stem])
        for path in sorted((features / "rgb").glob("*.npy"))
    ]


@contextmanager
def serving(scene: Scene, words: Sequence[str], environment: Mapping[str, str] = os.environ) -> Iterator[Server]:
    """Start a server, and end it."""
    folder = scene.folder
    log = folder / "serve.log"
    argv = [sys.executable, "-m", "jack_ray.serve", f"model=models:/{NAME}@champion", "port=0", *words]
    with log.open("w") as errors:
        process = subprocess.Popen(
            argv, cwd=folder, env={**environment, "PYTHONPATH": python_path(), "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE, stderr=errors, text=True, start_new_session=True,
        )  # fmt: skip
    try:
        assert process.stdout is not None
        told = ""
        for line in process.stdout:
            told += line
            if line.startswith("ready"):
                break
        found = re.search(r"http://127\.0\.0\.1:(\d+) .*Its token: (\S+)", told)
        if found is None or "ready" not in told:
            raise SystemExit(f"error: the server did not start:\n{told}\n{log.read_text()[-3000:]}")
        yield Server(folder, process, int(found[1]), Path(found[2]).read_text().strip())
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(60)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        shutil.rmtree(folder / "runs" / "serving", ignore_errors=True)
