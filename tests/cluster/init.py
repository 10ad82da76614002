"""The first process of a host: `python -I init.py ORDER` gives it a name and folders of its own, then collects orphans.

Standard library only. It ends when its standard input does, so a host never outlives who made it.
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any


def mount(*words: str) -> None:
    """Run `mount`; an error of it is an error here."""
    subprocess.run(["mount", *words], check=True, stdin=subprocess.DEVNULL)


def furnish(order: dict[str, Any]) -> None:
    """Name the host and put its own folders where the machine's are."""
    socket.sethostname(order["name"])
    for target, size in order["memory"]:
        mount("-t", "tmpfs", "-o", f"size={size}", "none", target)
    for source, target in order["binds"]:
        mount("--rbind", source, target)
    for folder in order["folders"]:
        Path(folder).mkdir(parents=True, exist_ok=True)


def collect() -> None:
    """Take the exit codes of all children that have ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def serve() -> None:
    """Until standard input ends."""
    wake, waker = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker)
    signal.signal(signal.SIGCHLD, lambda kind, frame: None)
    while True:
        collect()
        ready, _, _ = select.select([0, wake], [], [], 1.0)
        if wake in ready:
            os.read(wake, 4096)
        if 0 in ready and not os.read(0, 4096):
            return


if __name__ == "__main__":
    furnish(json.loads(sys.argv[1]))
    print("ready", flush=True)
    serve()
