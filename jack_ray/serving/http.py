"""Listens: a socket that is taken before anything is started, and a server in a thread of its own."""

import asyncio
import socket
import threading
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from jack_ray.contract.errors import ConfigError, Fault, JackRayError

HEAD_S = 10.0
"""How long a client may take for a request's line and headers."""
HEAD_BYTES = 32 << 10
IDLE_S = 15
MAX_CONNECTIONS = 512
START_S = 30.0


class PatientProtocol(H11Protocol):
    """HTTP/1.1 whose clients must send a request's head in time: uvicorn waits for ever."""

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has come."""
        super().connection_made(transport)
        self._late = self.loop.call_later(HEAD_S, self._refuse_late)

    def handle_events(self) -> None:
        """Bytes have come, or an answer is done."""
        before = self.cycle
        super().handle_events()
        if self.cycle is not before:
            self._stop_waiting()
        elif self._late is None and self._is_untimed() and (before is None or before.response_complete):
            self._late = self.loop.call_later(HEAD_S, self._refuse_late)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _is_untimed(self) -> bool:
        """Any byte ends uvicorn's own waiting, one of a body that nobody reads as well."""
        return self.timeout_keep_alive_task is None

    def _stop_waiting(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _refuse_late(self) -> None:
        self._late = None
        if not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
            self.transport.close()


def bind(host: str, port: int) -> socket.socket:
    """A socket of the address. Raises ConfigError when it cannot be had."""
    where = f"host={host} port={port}"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        found = socket.socket(family, kind, protocol)
    except OSError as error:
        raise ConfigError(
            [Fault(f"host={host}", error.strerror or str(error), "an address of this machine")]
        ) from error
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind(address)
        found.listen(128)
    except OSError as error:
        found.close()
        remedy = "Type port=0 for any free one, or end what listens there."
        raise ConfigError([Fault(where, error.strerror or str(error), "a free port", remedy)]) from error
    return found


class HttpServer:
    """Serves an application in a thread. Raises JackRayError when it does not come up."""

    def __init__(self, app: ASGIApp, listening: socket.socket, drain_s: float) -> None:
        config = uvicorn.Config(
            app, http=PatientProtocol, ws="none", loop="asyncio", lifespan="off", log_config=None, access_log=False,
            h11_max_incomplete_event_size=HEAD_BYTES, timeout_keep_alive=IDLE_S, limit_concurrency=MAX_CONNECTIONS,
            timeout_graceful_shutdown=max(1, round(drain_s)), server_header=False, proxy_headers=False,
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        self._socket = listening
        self._thread = threading.Thread(target=self._run, name="http", daemon=True)
        self._thread.start()
        waiting = threading.Event()
        for _ in range(round(START_S / 0.02)):
            if self._server.started or not self._thread.is_alive():
                break
            waiting.wait(0.02)
        if not self._server.started:
            raise JackRayError("The HTTP server did not start.")

    def _run(self) -> None:
        arguments: dict[str, Any] = {"sockets": [self._socket]}
        asyncio.run(self._server.serve(**arguments))

    def stop(self) -> None:
        """Take no more connections, finish what is in flight, and end."""
        self._server.should_exit = True
        self._thread.join()

    def stop_now(self) -> None:
        """End without finishing."""
        self._server.force_exit = True
        self._server.should_exit = True
        self._thread.join(timeout=5.0)
