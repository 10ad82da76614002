"""Where MLflow is, checked before anything starts."""

import re
from pathlib import Path

from jack_ray.contract.errors import ConfigError, Fault

_SQLITE = "sqlite:///"
_OTHERS = ("http://", "https://", "postgresql", "mysql", "mssql", "databricks")


def check_uri(uri: str) -> None:
    """Raise ConfigError for a `tracking.uri` that MLflow would read as the name of a folder."""
    is_sqlite = uri.startswith(_SQLITE) and len(uri) > len(_SQLITE)
    if is_sqlite or uri.startswith(_OTHERS):
        return
    remedy = "Type tracking.uri=sqlite:///mlflow.db for a file, or tracking=none to do without."
    raise ConfigError([Fault("tracking.uri", repr(uri), "http://host:port or sqlite:///file.db", remedy)])


def absolute_uri(uri: str) -> str:
    """The URI with a relative sqlite file placed in the current folder, so that every process means the same file."""
    if not uri.startswith(_SQLITE):
        return uri
    path, mark, options = uri.removeprefix(_SQLITE).partition("?")
    return f"{_SQLITE}{Path(path).expanduser().resolve()}{mark}{options}"


def sqlite_path(uri: str) -> Path | None:
    """The file of an sqlite URI; None for any other store."""
    if not uri.startswith(_SQLITE):
        return None
    return Path(uri.removeprefix(_SQLITE).partition("?")[0])


def without_password(uri: str) -> str:
    """The URI as it may be shown on a screen."""
    return re.sub(r"//([^:/@]*):[^@/]*@", r"//\1:***@", uri)


def runs_page(server: str, experiment_id: str) -> str:
    """The address of an experiment's runs; without its last part MLflow opens its pages for language models."""
    return f"{server.rstrip('/')}/#/experiments/{experiment_id}/runs?workflowType=machine_learning"
