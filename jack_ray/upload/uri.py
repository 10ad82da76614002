"""Where MLflow is, checked before anything starts."""

from pathlib import Path

from jack_ray.contract.errors import Fault

_SQLITE = "sqlite:///"
_OTHERS = ("http://", "https://", "postgresql", "mysql", "mssql", "databricks")


def check_uri(uri: str) -> list[Fault]:
    """The faults of `tracking.uri`; MLflow itself would read an unknown one as a folder's name."""
    is_sqlite = uri.startswith(_SQLITE) and len(uri) > len(_SQLITE)
    if is_sqlite or uri.startswith(_OTHERS):
        return []
    remedy = "Type tracking.uri=sqlite:///mlflow.db for a file, or tracking=none to do without."
    return [Fault("tracking.uri", repr(uri), "http://host:port or sqlite:///file.db", remedy)]


def absolute_uri(uri: str, folder: Path) -> str:
    """The URI with a relative sqlite file placed in `folder`, so that every process means the same file."""
    if not uri.startswith(_SQLITE):
        return uri
    path, mark, options = uri.removeprefix(_SQLITE).partition("?")
    return f"{_SQLITE}{(folder / Path(path).expanduser()).resolve()}{mark}{options}"


def sqlite_path(uri: str) -> Path | None:
    """The file of an sqlite URI; None for any other store."""
    if not uri.startswith(_SQLITE):
        return None
    return Path(uri.removeprefix(_SQLITE).partition("?")[0])
