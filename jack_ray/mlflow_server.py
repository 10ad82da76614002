"""python -m jack_ray.mlflow_server: an MLflow that a team shares, on loopback and behind a password."""

import configparser
import os
import secrets
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from jack_ray.compose.load import groups, load
from jack_ray.contract.errors import ConfigError, Fault, JackRayError
from jack_ray.upload import absolute_uri
from jack_ray.upload.uri import without_password

HELP = """\
python -m jack_ray.mlflow_server [tracking.backend=STORE] [port=5000] [folder=mlflow-server]

Serve MLflow on 127.0.0.1, with a password, for launches with tracking=server and for browsers. Ctrl-C ends it.

  tracking.backend=STORE   sqlite:///FILE (default: mlflow.db in this folder) or postgresql://USER:PASSWORD@HOST/NAME
  port=PORT                of 127.0.0.1
  folder=FOLDER            where its artifacts, users, and the password of `admin` lie; made at the first start

The password of the user `admin` is drawn at the first start and written to FOLDER/password, which only you may read.
"""

ADMIN = "admin"
WORKERS = 2
"""Processes that answer; each takes 400 MB."""
CACHE_S = 30
"""How long a worker of the server believes a password it has checked; checking one takes a tenth of a second."""

_BACKENDS = ("sqlite:///", "postgresql://", "postgresql+")


@dataclass(frozen=True)
class Server:
    """One server: where it listens, and what it keeps."""

    backend: str
    port: int
    folder: Path

    @property
    def password(self) -> Path:
        """The file with the password of `admin`."""
        return self.folder / "password"

    @property
    def url(self) -> str:
        """Where it is reached."""
        return f"http://127.0.0.1:{self.port}"

    def argv(self) -> list[str]:
        """The command that serves."""
        mlflow = [sys.executable, "-m", "mlflow", "server", "--app-name", "basic-auth"]
        return [
            *mlflow,
            "--host",
            "127.0.0.1",
            "--port",
            str(self.port),
            "--workers",
            str(WORKERS),
            "--artifacts-destination",
            str(self.folder / "artifacts"),
        ]

    def variables(self) -> dict[str, str]:
        """Its secrets, which stay out of the list of processes."""
        return {
            "MLFLOW_BACKEND_STORE_URI": self.backend,
            "MLFLOW_AUTH_CONFIG_PATH": str(self.folder / "auth.ini"),
            "MLFLOW_AUTH_ADMIN_PASSWORD": self.password.read_text(encoding="utf-8").strip(),
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # of language models' judges
            "MLFLOW_FLASK_SERVER_SECRET_KEY": (self.folder / "secret").read_text(encoding="utf-8").strip(),
        }

    def prepare(self) -> None:
        """Make the folder and draw its secrets, once. Raises JackRayError when it cannot be written."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for name in ("password", "secret"):
                if not (self.folder / name).exists():
                    _write_private(self.folder / name, secrets.token_urlsafe(24) + "\n")
            settings = configparser.ConfigParser(interpolation=None)
            settings["mlflow"] = {
                "default_permission": "EDIT",  # a team logs into the same experiment
                "database_uri": f"sqlite:///{self.folder / 'users.db'}",
                "admin_username": ADMIN,
                "authorization_function": "mlflow.server.auth:authenticate_request_basic_auth",
                "auth_cache_ttl_seconds": str(CACHE_S),
            }
            (self.folder / "auth.ini").unlink(missing_ok=True)
            with os.fdopen(_open_private(self.folder / "auth.ini"), "w", encoding="utf-8") as file:
                settings.write(file)
        except OSError as error:
            raise JackRayError(f"folder={self.folder} cannot be written to ({error.strerror})") from error


def _open_private(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)


def _write_private(path: Path, text: str) -> None:
    with os.fdopen(_open_private(path), "w", encoding="utf-8") as file:
        file.write(text)


def read_server(words: Sequence[str]) -> Server:
    """What was typed. Raises ConfigError with all its faults."""
    own = {"port": "5000", "folder": "mlflow-server"}
    rest = []
    for word in words:
        key, equals, value = word.partition("=")
        if equals and key in own:
            own[key] = value
        else:
            rest.append(word)
    faults = [
        Fault(word, "nothing that this command knows", "tracking.backend=, port= or folder=")
        for word in rest
        if not word.startswith(("tracking.backend=", "tracking=", "site="))
    ]
    port = int(own["port"]) if own["port"].isdigit() else 0
    if not 0 < port < 65536:
        faults.append(Fault("port", repr(own["port"]), "a number from 1 to 65535"))
    if faults:
        raise ConfigError(faults)
    nodes = load([f"model={groups()['model'][0]}", *rest])  # any model: the server trains nothing
    backend = str(nodes["tracking"]["backend"])
    if not backend.startswith(_BACKENDS):
        found = repr(without_password(backend))
        raise ConfigError([Fault("tracking.backend", found, "sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME")])
    return Server(absolute_uri(backend), port, Path(own["folder"]).expanduser().resolve())


def _environment(server: Server, base: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Without what other commands of MLflow were told, which may point elsewhere."""
    inherited = {key: value for key, value in base.items() if not key.startswith("MLFLOW_")}
    return inherited | server.variables()


def serve(server: Server) -> NoReturn:
    """Become the server. Raises JackRayError."""
    server.prepare()
    print(
        f"MLflow at {server.url}, its store {without_password(server.backend)}, artifacts in {server.folder}.\n"
        f"User {ADMIN}; the password is in {server.password}. Others sign up with it at {server.url}/signup.\n"
        f"Launch with tracking=server tracking.uri={server.url}; name and password in ~/.mlflow/credentials:\n"
        "    [mlflow]\n"
        f"    mlflow_tracking_username = {ADMIN}\n"
        "    mlflow_tracking_password = ...",
        flush=True,
    )
    os.execve(sys.executable, server.argv(), _environment(server))


def main(words: Sequence[str]) -> int:
    """Carry out the command; 0, or 2 with one message for a user's mistake."""
    if any(word in ("-h", "--help") for word in words):
        print(HELP, end="")
        return 0
    try:
        serve(read_server(words))
    except JackRayError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
