"""The lead's end of `rsh_agent`: a socket on which mpirun's agents ask for daemons on the other machines of a trial."""

import contextlib
import json
import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

Start = Callable[[str, str], int]
"""(host, shell command) -> the command's exit code, once it has ended there."""

CANNOT_START = 254
_MAX_ORDER_BYTES = 1 << 20


class Relay:
    """Answers agents until it is closed; each on a thread of its own, since an answer takes as long as a trial.

    The socket lies in a folder that only this user may enter.
    """

    def __init__(self, start: Start) -> None:
        self._start = start
        self._folder = Path(tempfile.mkdtemp(prefix="jack_ray-rsh-"))
        self.path = self._folder / "socket"
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(self.path))
        self._server.listen()
        threading.Thread(target=self._accept, name="relay", daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                agent, _ = self._server.accept()
            except OSError:
                return  # closed
            threading.Thread(target=self._serve, args=(agent,), name="relay-agent", daemon=True).start()

    def _serve(self, agent: socket.socket) -> None:
        with agent, contextlib.suppress(OSError, ValueError, KeyError):
            order = json.loads(agent.makefile().readline(_MAX_ORDER_BYTES))
            try:
                code = self._start(str(order["host"]), str(order["command"]))
            except Exception as error:
                # whatever went wrong there, mpirun must hear of it
                print(f"{order['host']}: {error}", flush=True)
                code = CANNOT_START
            agent.sendall(json.dumps({"code": code}).encode() + b"\n")

    def close(self) -> None:
        """Take no more orders; agents that still wait hear that the lead is gone."""
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        with contextlib.suppress(OSError):
            os.unlink(self.path)
        shutil.rmtree(self._folder, ignore_errors=True)
