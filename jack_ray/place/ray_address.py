"""Where a running Ray listens, and whether it does: told at once, since Ray itself tries for minutes."""

import os
import socket
import tempfile
from collections.abc import Mapping
from pathlib import Path

from jack_ray.contract.errors import PlaceError

CONNECT_S = 5.0

WAYS_OUT = "Start one with `ray start --head`, or type cluster=local for this machine alone."


def resolve(address: str, environment: Mapping[str, str] = os.environ) -> str:
    """`auto` as host:port: RAY_ADDRESS, or what the last `ray start` on this machine wrote down.

    Raises PlaceError if there is neither, and for what is no address.
    """
    if address == "auto":
        address = environment.get("RAY_ADDRESS", "") or _started_here(environment)
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit():
        raise PlaceError(f"cluster.address={address} is no address; expected auto, host:port or ray://host:port")
    return address


def _started_here(environment: Mapping[str, str]) -> str:
    folder = Path(environment.get("RAY_TMPDIR", "") or tempfile.gettempdir()) / "ray"
    try:
        return (folder / "ray_current_cluster").read_text(encoding="utf-8").strip()
    except OSError as error:
        raise PlaceError(f"cluster.address=auto: no Ray was started on this machine.\n{WAYS_OUT}") from error


def refuse_silent(address: str) -> None:
    """Raise PlaceError if nobody listens at a resolved address."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_S).close()
    except OSError as error:
        reason = error.strerror or error
        raise PlaceError(f"Nobody answers at cluster.address={address} ({reason}).\n{WAYS_OUT}") from error
