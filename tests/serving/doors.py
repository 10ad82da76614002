"""A door with a real process behind it that reads files, and neither Ray nor Jittor."""

import http.client
import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jack_ray.compose import read_command
from jack_ray.compose.plan import compose_base
from jack_ray.contract.order import Order
from jack_ray.contract.trial import Trial
from jack_ray.served import process
from jack_ray.served.process import Computing
from jack_ray.serving.access import Keeper, Names
from jack_ray.serving.answering import Answering, Limits
from jack_ray.serving.door import app_of
from jack_ray.serving.http import HttpServer, bind
from jack_ray.serving.kinds import accepts
from jack_ray.serving.question import Question, Reply, Wanted
from jack_ray.serving.state import DoorLimits, State
from jack_ray.serving.upload import Pace
from jack_ray.spawn import preflight

TOKEN = "a-token-for-tests-alone"
LIMITS = Limits(batch=4, answer_s=60.0, memory_bytes=600 << 20)
"""Of time: the first video of a new checkout waits for numba."""
BOUNDARY = "boundary-of-tests"


def trial_of(*words: str) -> Trial:
    """A trial that nobody has trained."""
    nodes, _ = compose_base(read_command([*words, "cluster.ranks=1"]))
    return Trial(str(nodes["model"]["name"]), nodes["model"], nodes["data"], nodes["train"], "", 1, 1)


def start_of(trial: Trial) -> Any:
    """What makes the process of a version."""

    def start(wanted: Wanted) -> Computing:
        weights = str(Path(wanted.checkpoint) / "model.safetensors")
        labels = tuple(f"class {number}" for number in range(trial.model.get("num_classes", 2)))
        return Computing(Order("serve", trial, weights, labels), Path("unused"), 1)

    return start


class Beside:
    """Asks an Answering in the door's own loop."""

    def __init__(self, trial: Trial, limits: Limits) -> None:
        self.trial = trial
        self.limits = limits
        self.answering: Answering | None = None

    async def answer(self, question: Question) -> Reply:
        """As a replica does."""
        if self.answering is None:
            self.answering = Answering(start_of(self.trial), self.limits)
        await self.answering.turn_to(Wanted("1", "version-1", ()))
        return await self.answering.ask(question, Path(question.folder) / question.main)


@dataclass(frozen=True)
class Told:
    """An answer over HTTP."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        """Its body."""
        return json.loads(self.text)

    @property
    def what(self) -> str:
        """Why it was refused."""
        return str(self.json["error"]["what"])


@dataclass
class Door:
    """A server that runs."""

    state: State
    port: int
    beside: Beside

    @property
    def computing_pid(self) -> int:
        """The process that reads."""
        return self.beside.answering.computing_pid if self.beside.answering is not None else 0

    def ask(self, method: str, path: str, body: Any = None, token: str | None = TOKEN, **headers: str) -> Told:
        """One request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=90)
        known = {} if token is None else {"Authorization": f"Bearer {token}"}
        known |= {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, path, body, known)
            answer = connection.getresponse()
            return Told(
                answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read().decode(errors="replace")
            )
        finally:
            connection.close()

    def send(self, fields: Mapping[str, tuple[str, bytes]], path: str = "/v1/predict") -> Told:
        """Upload a form. fields: name -> what the file is called, and its content."""
        return self.ask("POST", path, form(fields), Content_Type=f"multipart/form-data; boundary={BOUNDARY}")

    def name(self, path: object) -> Told:
        """Ask about a path."""
        return self.ask("POST", "/v1/predict", json.dumps({"path": path}), Content_Type="application/json")

    def raw(self, data: bytes, timeout_s: float = 10.0) -> bytes:
        """Whatever the server says to some bytes, until it closes or says no more."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout_s) as client:
            client.sendall(data)
            return read_all(client)


def read_all(client: socket.socket) -> bytes:
    """Until the server closes, or says no more in time."""
    found = b""
    try:
        while piece := client.recv(65536):
            found += piece
            if b"\r\n\r\n" in found and not found.startswith(b"HTTP/1.1 100"):
                client.settimeout(0.3)
    except (TimeoutError, ConnectionResetError):
        pass
    return found


def form(fields: Mapping[str, tuple[str, bytes]]) -> bytes:
    """A multipart form. A field called `fps` is text."""
    parts = b""
    for field, (name, content) in fields.items():
        file = f'; filename="{name}"' if name else ""
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"{file}\r\n\r\n'
        parts += head.encode("utf-8", "surrogateescape") + content + b"\r\n"
    return parts + f"--{BOUNDARY}--\r\n".encode()


def post(head: bytes, body: bytes = b"") -> bytes:
    """The bytes of a request for an answer. head: more headers."""
    start = f"POST /v1/predict HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\n".encode()
    return start + head + b"\r\n" + body


@contextmanager
def opened(trial: Trial, folder: Path, monkeypatch: Any, **changes: Any) -> Iterator[Door]:
    """A door for a trial's kind of files. changes: of DoorLimits; or limits=, keeper=, inputs=."""
    monkeypatch.setattr(process, "MODULE", "tests.serving.reading")
    monkeypatch.setattr(preflight, "prepare", lambda *_: None)
    monkeypatch.setattr(process, "rank_environment", lambda *_: dict(os.environ) | {"PYTHONPATH": str(Path.cwd())})
    beside = Beside(trial, changes.pop("limits", LIMITS))
    keeper = changes.pop("keeper", Keeper(TOKEN))
    inputs = changes.pop("inputs", None)
    limits = replace(DoorLimits(64 << 20, 32, Pace(5.0, 30.0), beside.limits.longest_s), **changes)
    uploads = folder / "uploads"
    uploads.mkdir()
    about = {"method": trial.method, "trial": trial.id, "labels": ["joy", "sadness"], "window_s": 10.0}
    state = State("ours", "champion", about, accepts(trial), limits, uploads, inputs, "1", 1, asks=beside)
    listening = bind("127.0.0.1", 0)
    server = HttpServer(app_of(state, keeper, Names("127.0.0.1", ())), listening, 5.0)
    try:
        yield Door(state, listening.getsockname()[1], beside)
    finally:
        server.stop()
        if beside.answering is not None:
            beside.answering.close()
