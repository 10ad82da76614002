"""A server that knows no model: it hands out the page, and one answer to whoever asks."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import jack_ray

PAGE = Path(jack_ray.__file__).parent / "serving" / "page"
KINDS = {".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css"}
TOKEN = "let-me-in"


@dataclass
class Fake:
    """What it says; tests change it between requests."""

    model: dict[str, Any]
    answer: dict[str, Any]
    status: int = 200
    is_open: bool = False
    """Whether it wants no token."""
    hold: Event = field(default_factory=Event)
    """Answers to questions wait for it."""
    asked: list[tuple[str, bytes]] = field(default_factory=list)
    """Address and body of every question."""

    def __post_init__(self) -> None:
        self.hold.set()

    @cached_property
    def server(self) -> ThreadingHTTPServer:
        """Listens on loopback, on a port that is free."""
        return ThreadingHTTPServer(("127.0.0.1", 0), self.handler())

    @property
    def address(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def start(self) -> None:
        """Answer from now on, in a thread of its own."""
        Thread(target=self.server.serve_forever, daemon=True).start()

    def handler(self) -> type[BaseHTTPRequestHandler]:
        """The class that http.server wants."""
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                name = "index.html" if self.path == "/" else self.path.removeprefix("/page/")
                if self.path == "/v1/model":
                    self.tell(200 if self.is_known() else 401, fake.model if self.is_known() else error(401))
                elif (PAGE / name).is_file() and "/" not in name:
                    self.give(200, (PAGE / name).read_bytes(), KINDS[Path(name).suffix])
                else:
                    self.tell(404, error(404))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                fake.asked.append((self.path, body))
                fake.hold.wait()
                status = fake.status if self.is_known() else 401
                self.tell(status, fake.answer if status == 200 else error(status))

            def is_known(self) -> bool:
                return fake.is_open or self.headers["Authorization"] == f"Bearer {TOKEN}"

            def tell(self, status: int, value: Mapping[str, Any]) -> None:
                self.give(status, json.dumps(value).encode(), "application/json")

            def give(self, status: int, body: bytes, kind: str) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Retry-After", "7")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *values: object) -> None:
                """Say nothing."""

        return Handler


def error(status: int) -> dict[str, Any]:
    """As the server words it."""
    told = {"what": f"<b>{status}</b> happened", "expected": "something else", "remedy": "Do that."}
    return {"error": told}
