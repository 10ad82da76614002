"""Who may ask: a bearer token, and names of this server that a browser may use."""

import hashlib
import hmac
import ipaddress
import os
import secrets
import stat
from collections.abc import Sequence
from pathlib import Path

from jack_ray.contract.errors import ConfigError, Fault, JackRayError

MIN_TOKEN = 16
_LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]")


def new_token(path: Path) -> str:
    """Draw a token and write it to a file that only its owner may read. Raises JackRayError."""
    token = secrets.token_urlsafe(32)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(token + "\n")
    except OSError as error:
        raise JackRayError(f"The token cannot be written to {path} ({error.strerror}). Type token_file=.") from error
    return token


def read_token(path: Path) -> str:
    """A token from a file. Raises ConfigError when others may read it, or it is too short to be one."""
    where = f"token_file={path}"
    try:
        mode = path.stat().st_mode
        token = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        found = f"unreadable ({getattr(error, 'strerror', None) or 'not text'})"
        raise ConfigError([Fault(where, found, "a file with a token in it")]) from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError([Fault(where, "others may read it", "a file of yours alone", f"Type: chmod 600 {path}")])
    if len(token) < MIN_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        found = f"a token of {len(token)} letters"
        remedy = "Leave token_file= out, and one is drawn."
        raise ConfigError([Fault(where, found, f"at least {MIN_TOKEN} letters and digits in one line", remedy)])
    return token


class Keeper:
    """Compares what a client shows with the token, in a time that tells nothing about it."""

    def __init__(self, token: str | None) -> None:
        """token: None lets everybody in."""
        self._digest = None if token is None else _digest(token.encode())

    def lets_in(self, authorization: bytes) -> bool:
        """authorization: the header of that name; empty where there is none."""
        if self._digest is None:
            return True
        scheme, _, shown = authorization.partition(b" ")
        is_same = hmac.compare_digest(_digest(shown.strip()), self._digest)
        return scheme.lower() == b"bearer" and is_same


def _digest(token: bytes) -> bytes:
    return hashlib.sha256(token).digest()


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


class Names:
    """The names of this server that may stand in a request's Host.

    On loopback a browser can be made to come here by a foreign page whose name points to 127.0.0.1.
    """

    def __init__(self, host: str, more: Sequence[str]) -> None:
        self._allowed = {*_LOCAL_NAMES, host.lower(), *(name.lower() for name in more)}
        self._is_checked = is_loopback(host)

    def allow(self, host: bytes) -> bool:
        """host: the header of that name, with or without a port."""
        name = host.decode("latin-1").lower()
        bare = name if name.endswith("]") else name.rpartition(":")[0] or name
        return not self._is_checked or bare in self._allowed or name in self._allowed

    def allow_page(self, origin: bytes | None) -> bool:
        """origin: the header of that name, of the page that asks; None: no browser asks, or for nothing but to show."""
        return origin is None or self.allow(origin.partition(b"//")[2])
